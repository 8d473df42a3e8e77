import SystemSupport

/// AWS's shared `config` and `credentials` files: settings by profile (AWS, "SDKs and Tools Reference Guide", "Shared config and
/// credentials files").
struct ProfileFiles: Sendable {
    private var profiles: [String: [String: String]] = [:]

    /// Reads both. Keys in the credentials file win over those in the other.
    init(config: BytePath?, credentials: BytePath?) {
        let config = Self.read(config)
        for (section, settings) in Self.sections(config) {
            let words = section.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
            if words.first == "profile", words.count == 2 {
                profiles[words[1], default: [:]].merge(settings) { _, new in new }
            } else if section == "default" {
                // `[profile default]` wins over `[default]`.
                profiles["default", default: [:]].merge(settings) { old, _ in old }
            }
        }
        for (section, settings) in Self.sections(Self.read(credentials)) {
            if settings["aws_access_key_id"] != nil { profiles[section]?["aws_session_token"] = nil }
            profiles[section, default: [:]].merge(settings) { _, new in new }
        }
    }

    subscript(profile: String) -> [String: String]? { profiles[profile] }

    /// A file that cannot be read counts as empty, as in AWS's own libraries: the home folder may be anybody's.
    private static func read(_ path: BytePath?) -> [UInt8] { path.flatMap { try? SmallFile.read($0, limit: 1 << 20) } ?? [] }

    /// The sections in their order, read as the reference's own library does (aws-sdk-go-v2).
    ///
    /// An indented line belongs to the property before it where that has no value of its own (`s3 =`): its settings are left
    /// out. Else it is a property like the others, as people write them who indent the whole section.
    private static func sections(_ bytes: [UInt8]) -> [(String, [String: String])] {
        var sections: [(String, [String: String])] = []
        var holdsNested = false
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let isIndented = line.first == " " || line.first == "\t"
            let text = trimmed(line)
            guard let first = text.first, first != "#", first != ";" else { continue }
            if first == "[" {
                sections.append((trimmed(text.dropFirst().prefix { $0 != "]" }).description, [:]))
                holdsNested = false
            } else if !sections.isEmpty, !(isIndented && holdsNested),
                let separator = text.firstIndex(where: { $0 == "=" || $0 == ":" })
            {
                let name = trimmed(text[..<separator]).lowercased()
                let value = trimmed(withoutComment(text[text.index(after: separator)...]))
                holdsNested = value.isEmpty
                // What is written again without a value has none.
                sections[sections.count - 1].1[name] = value.isEmpty ? nil : self.value(value, of: name)
            }
        }
        return sections
    }

    /// Without the quotes that may stand around a value; a command has its own.
    private static func value(_ text: Substring, of name: String) -> String {
        guard name != "credential_process", text.utf8.count > 2, let quote = text.first, quote == "\"" || quote == "'",
            text.last == quote
        else { return String(text) }
        return String(text.dropFirst().dropLast())
    }

    /// A comment after a value begins with a blank and `#` or `;`.
    private static func withoutComment(_ value: Substring) -> Substring {
        var previous: Character = " "
        for index in value.indices {
            if (value[index] == "#" || value[index] == ";"), previous == " " || previous == "\t" { return value[..<index] }
            previous = value[index]
        }
        return value
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let last = text.last, last.isWhitespace { text.removeLast() }
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        return text
    }
}
