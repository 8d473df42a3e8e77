/// A line of the executor's or an emissary's own log, in logfmt.
struct LogLine: Sendable, Equatable {
    let level: String
    let message: String
    /// All but time, level and message.
    private let fields: [String: String]

    /// - Returns: nil for lines of other programs.
    init?(_ line: [UInt8]) {
        guard line.starts(with: Array("time=".utf8)) else { return nil }
        var fields = Self.fields(line)
        guard fields["argo"] == "true", let level = fields["level"], let message = fields["msg"] else { return nil }
        (self.level, self.message) = (level, message)
        for name in ["time", "level", "msg", "argo"] { fields[name] = nil }
        self.fields = fields
    }

    subscript(name: String) -> String? { fields[name] }

    /// What it says, for people.
    var text: String {
        var text = message
        if let error = fields["error"] { text += ": \(error)" }
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) where name != "error" { text += " \(name)=\(value)" }
        return text
    }

    /// The fields of a line, by name.
    static func fields(_ line: [UInt8]) -> [String: String] {
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
