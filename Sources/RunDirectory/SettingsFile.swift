package import SystemSupport

/// `settings`: the variables of our own that `init` was given, for the emissaries, whose containers do not have them.
///
/// `NAME=value` words, each ended by a NUL, so that a value may hold anything.
package enum SettingsFile {
    /// Writes the file, mode 0444.
    package static func write(_ values: [String: String], in directory: RunDirectory) throws(SystemError) {
        var bytes: [UInt8] = []
        for (name, value) in values.sorted(by: { $0.key < $1.key }) { bytes += Array("\(name)=\(value)\0".utf8) }
        try directory.write(directory.settings, bytes, mode: 0o444)
    }

    /// The variables in the file; none where it is absent or cannot be read, since settings never stop a step.
    package static func read(in directory: RunDirectory) -> [String: String] {
        guard let bytes = try? directory.readIfPresent(directory.settings, limit: 1 << 20) else { return [:] }
        var values: [String: String] = [:]
        for word in bytes.split(separator: 0) {
            guard let equals = word.firstIndex(of: UInt8(ascii: "=")), equals > word.startIndex else { continue }
            values[String(decoding: word[..<equals], as: UTF8.self)] = String(
                decoding: word[word.index(after: equals)...], as: UTF8.self)
        }
        return values
    }
}
