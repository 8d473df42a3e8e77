import ExecutorCore

/// How far the transfer of an artifact is, as the executor says it in its log.
struct TransferLine: Sendable, Equatable {
    /// Whether something is loaded or saved.
    let isLoading: Bool
    let isOver: Bool
    /// The object, or where it comes from.
    let subject: String
    let bytes: Int64
    /// Nil where nobody knows.
    let total: Int64?
    /// MB a second, with one digit after the point.
    let rate: String

    /// - Returns: nil for lines of another kind.
    init?(_ line: [UInt8]) {
        let fields = Self.fields(line)
        guard let message = fields["msg"], let bytes = fields["bytes"].flatMap({ Int64($0) }), let subject = fields["artifact"]
        else { return nil }
        switch message {
        case "loading", "loaded": isLoading = true
        case "saving", "saved": isLoading = false
        default: return nil
        }
        isOver = message.hasSuffix("ed")
        self.subject = subject
        self.bytes = bytes
        total = fields["total"].flatMap { Int64($0) }
        rate = fields["MBps"] ?? ""
    }

    /// The fields of a line in logfmt.
    private static func fields(_ line: [UInt8]) -> [String: String] {
        var fields: [String: String] = [:]
        var at = 0
        while at < line.count {
            guard let equals = line[at...].firstIndex(of: UInt8(ascii: "=")) else { break }
            let name = String(decoding: line[at..<equals].drop { $0 == 0x20 }, as: UTF8.self)
            var value: [UInt8] = []
            at = equals + 1
            if at < line.count, line[at] == UInt8(ascii: "\"") {
                at += 1
                while at < line.count, line[at] != UInt8(ascii: "\"") {
                    if line[at] == UInt8(ascii: "\\"), at + 1 < line.count { at += 1 }
                    value.append(line[at])
                    at += 1
                }
                at += 1
            } else {
                while at < line.count, line[at] != 0x20 {
                    value.append(line[at])
                    at += 1
                }
            }
            fields[name] = String(decoding: value, as: UTF8.self)
        }
        return fields
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
