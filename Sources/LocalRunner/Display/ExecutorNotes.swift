import Artifacts
import SystemSupport

/// What a person is told of the executor's own log while a step runs: warnings, and what is waited for. Errors are told at the end.
struct ExecutorNotes {
    /// When something was last said to be tried again, by whom.
    private var lastRetries: [String: Int64] = [:]

    /// Between two lines on what one container tries again, in nanoseconds.
    private static let interval: Int64 = 1_000_000_000

    /// - Parameter source: whose line it is.
    /// - Returns: nil for lines that are not worth showing.
    mutating func text(of line: [UInt8], from source: String) -> String? {
        guard let line = LogLine(line) else { return nil }
        if line.message == "retrying" {
            let now = monotonicNanoseconds()
            if let last = lastRetries[source], now - last < Self.interval { return nil }
            lastRetries[source] = now
            return Self.retry(line).map { "\(source): \($0)" }
        }
        return line.level == "WARN" ? "\(source): warning: \(line.text)" : nil
    }

    private static func retry(_ line: LogLine) -> String? {
        guard let cause = line["error"], let attempt = line["attempt"].flatMap({ Int($0) }),
            let attempts = line["attempts"].flatMap({ Int($0) })
        else { return nil }
        return RetryNotice(cause: cause, attempt: attempt, attempts: attempts, pause: 0).text
    }
}
