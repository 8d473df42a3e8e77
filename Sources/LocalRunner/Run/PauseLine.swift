import ExecutorCore

/// The emissary's lines among those of the user's program.
enum PauseLine {
    /// Whether it is a line of the emissary's own log that only tells of its doings.
    static func isOurs(_ line: [UInt8]) -> Bool {
        let text = String(decoding: line.prefix(200), as: UTF8.self)
        return text.hasPrefix("time=") && text.contains(" level=INFO msg=") && text.contains(" argo=true")
    }

    /// Where the command is paused: `before` or `after`; nil for other lines.
    static func moment(_ line: [UInt8]) -> String? {
        guard isOurs(line) else { return nil }
        let text = String(decoding: line, as: UTF8.self)
        return ["before", "after"].first { text.contains("msg=\"paused \($0) the command\"") }
    }
}
