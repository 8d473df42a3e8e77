/// How an object is cut into parts.
struct PartPlan: Sendable, Equatable {
    /// The part size where the user wants none of their own, and the size up to which one request does (contract 03 §6.1).
    static let defaultSize: Int64 = 16 << 20
    private static let megabyte: Int64 = 1 << 20
    private static let largestObject: Int64 = 5 << 40

    /// Bytes of every part but the last.
    let partSize: Int64
    let count: Int

    /// The plan for an object whose length is known; nil where it is too large for the store.
    init?(length: Int64, wanted: Int64?, limits: MultipartLimits) {
        let needed = Self.roundedUp((length + Int64(limits.maximumCount) - 1) / Int64(limits.maximumCount))
        partSize = max(wanted ?? Self.defaultSize, needed, limits.minimumPart)
        guard partSize <= limits.maximumPart else { return nil }
        count = Int((length + partSize - 1) / partSize)
    }

    private static func roundedUp(_ size: Int64) -> Int64 { (size + megabyte - 1) / megabyte * megabyte }

    /// The size of a part of an object whose length is unknown: it doubles with each tenth of the parts allowed, so that all of
    /// them hold 5 TiB, or as much as the store's largest parts do, and the first ones are small enough for memory.
    ///
    /// - Parameter number: 1 for the first.
    /// - Returns: nil when there may be no such part.
    static func streamedPartSize(number: Int, wanted: Int64?, limits: MultipartLimits) -> Int64? {
        guard number >= 1, number <= limits.maximumCount else { return nil }
        let tenth = max(1, (limits.maximumCount + 9) / 10)
        let quarter = megabyte / 4
        let needed = largestObject / (1023 * Int64(tenth))
        let base = max(limits.minimumPart, wanted ?? 0, (needed + quarter - 1) / quarter * quarter)
        let doublings = min((number - 1) / tenth, 10)
        let (size, overflow) = base.multipliedReportingOverflow(by: 1 << Int64(doublings))
        return overflow ? limits.maximumPart : min(size, limits.maximumPart)
    }
}
