import SystemSupport

/// Watches the limits that the user has set on what an archive may hold.
final class UnpackGauge {
    /// Below so many bytes the ratio says nothing.
    private static let ratioFloor: Int64 = 1 << 20

    private let limits: UnpackOptions.Limits
    private let operation: String
    private let packed: () -> Int64
    private var entries: Int64 = 0
    /// The sizes of the entries before this one, as they claim or as they turned out, whichever is more.
    private var before: Int64 = 0
    private var claimed: Int64 = 0
    private var unpacked: Int64 = 0

    /// - Parameter packed: how many bytes the packed form took so far.
    init(_ limits: UnpackOptions.Limits, operation: String, packed: @escaping () -> Int64) {
        self.limits = limits
        self.operation = operation
        self.packed = packed
    }

    /// - Throws: `limitExceeded`.
    func begin(_ entry: ArchiveEntry) throws {
        entries += 1
        if let limit = limits.entries, entries > limit {
            throw ArchiveError(.limitExceeded, operation, entry.name.text, "more than \(limit) entries")
        }
        before = before.addingReportingOverflow(max(claimed, unpacked)).partialValue
        (claimed, unpacked) = (entry.size ?? 0, 0)
        try check()
    }

    /// - Throws: `limitExceeded`.
    func add(_ count: Int) throws {
        unpacked += Int64(count)
        try check()
    }

    private func check() throws {
        let (total, overflow) = before.addingReportingOverflow(max(claimed, unpacked))
        if let limit = limits.bytes, overflow || total < 0 || total > limit {
            throw ArchiveError(.limitExceeded, operation, "", "more than \(limit) bytes unpacked")
        }
        if let limit = limits.ratio, total > Self.ratioFloor, total / max(1, limit) > packed() {
            throw ArchiveError(.limitExceeded, operation, "", "more than \(limit) bytes unpacked for each byte packed")
        }
    }
}
