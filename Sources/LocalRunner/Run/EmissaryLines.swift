import SystemSupport

/// The emissary's lines among those of the user's program: they are not the step's.
struct EmissaryLines {
    /// What a line of a container is.
    enum Meaning: Equatable {
        /// The user's own.
        case output([UInt8])
        /// Of the emissary's log.
        case log([UInt8])
    }

    /// Lines that may be the emissary's last, held back until it is known whether they are, by container.
    private var held: [String: [UInt8]] = [:]

    /// - Returns: what can be told now, in the order of its coming.
    mutating func take(_ line: [UInt8], of container: String) -> [Meaning] {
        var meanings: [Meaning] = []
        if let earlier = held.removeValue(forKey: container) { meanings.append(.output(earlier)) }
        if LogLine(line) != nil {
            meanings.append(.log(line))
        } else if Self.exitCode(in: line) != nil {
            held[container] = line
        } else {
            meanings.append(.output(line))
        }
        return meanings
    }

    /// - Returns: what was held back and is the user's own.
    mutating func end(of container: String, exitCode: Int32) -> [Meaning] {
        guard let line = held.removeValue(forKey: container), Self.exitCode(in: line) != exitCode else { return [] }
        return [.output(line)]
    }

    /// The lines of a container that ended without those of the emissary.
    static func own(_ lines: [[UInt8]], exitCode: Int32) -> [[UInt8]] {
        var lines = lines.filter { LogLine($0) == nil }
        if let last = lines.last, Self.exitCode(in: last) == exitCode { lines.removeLast() }
        return lines
    }

    /// The code in the line with which the emissary passes on that the command has failed.
    private static func exitCode(in line: [UInt8]) -> Int32? {
        let start = Array("Error: exit status ".utf8)
        guard line.starts(with: start) else { return nil }
        return Int32(String(decoding: line.dropFirst(start.count), as: UTF8.self))
    }
}
