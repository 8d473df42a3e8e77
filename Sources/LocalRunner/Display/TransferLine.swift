import SystemSupport

/// How far the transfer of an artifact is, as the executor says it in its log.
struct TransferLine: Sendable, Equatable {
    /// Whether something is loaded or saved.
    let isLoading: Bool
    let isOver: Bool
    /// The object, or where it comes from.
    let subject: String
    let bytes: Int64
    /// Nil if unknown.
    let total: Int64?
    /// MB a second, with one digit after the point.
    let rate: String

    /// - Returns: nil for lines of another kind.
    init?(_ line: [UInt8]) {
        let fields = LogLine.fields(line)
        guard let message = fields["msg"], let bytes = fields["bytes"].flatMap({ Int64($0) }), let subject = fields["artifact"]
        else { return nil }
        switch message {
        case "loading": (isLoading, isOver) = (true, false)
        case "loaded": (isLoading, isOver) = (true, true)
        case "saving": (isLoading, isOver) = (false, false)
        case "saved": (isLoading, isOver) = (false, true)
        default: return nil
        }
        self.subject = subject
        self.bytes = bytes
        total = fields["total"].flatMap { Int64($0) }
        rate = fields["MBps"] ?? ""
    }
}

/// Bytes for people: `512 B`, `3.4 MB`.
func sizeText(_ bytes: Int64) -> String {
    if bytes < 1000 { return "\(bytes) B" }
    var value = Double(bytes) / 1000
    for unit in ["kB", "MB", "GB"] {
        if value < 1000 {
            let tenths = Int64(value * 10)
            return "\(tenths / 10).\(tenths % 10) \(unit)"
        }
        value /= 1000
    }
    let tenths = Int64(value * 10)
    return "\(tenths / 10).\(tenths % 10) TB"
}
