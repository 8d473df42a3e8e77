/// How much of a piece of work is done: `N/M`.
struct Progress: Equatable, CustomStringConvertible {
    var done: Int64
    var total: Int64

    static let none = Progress(done: 0, total: 0)

    init(done: Int64, total: Int64) {
        self.done = done
        self.total = total
    }

    /// Nil for what is no progress: numbers, the second not zero and not less than the first.
    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let done = Int64(parts[0]), let total = Int64(parts[1]), done >= 0, total > 0, done <= total
        else {
            return nil
        }
        self.init(done: done, total: total)
    }

    /// Both together; what would overflow counts as nothing.
    static func + (left: Progress, right: Progress) -> Progress {
        let (done, first) = left.done.addingReportingOverflow(right.done)
        let (total, second) = left.total.addingReportingOverflow(right.total)
        return first || second ? left : Progress(done: done, total: total)
    }

    var description: String { "\(done)/\(total)" }
}
