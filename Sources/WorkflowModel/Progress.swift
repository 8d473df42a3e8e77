/// How much of a piece of work is done: `N/M` (contract 02 §6.5).
package struct Progress: Sendable, Equatable, CustomStringConvertible {
    package var done: Int64
    package var total: Int64

    package static let none = Progress(done: 0, total: 0)

    package init(done: Int64, total: Int64) {
        self.done = done
        self.total = total
    }

    /// `N/M` with 0 ≤ N ≤ M and M > 0; as for the controller, a part that is no number counts as 0. Nil for anything else.
    package init?(_ text: String) {
        guard let slash = text.firstIndex(of: "/") else { return nil }
        done = Self.number(text[..<slash])
        total = Self.number(text[text.index(after: slash)...])
        guard done >= 0, done <= total, total > 0 else { return nil }
    }

    /// As Go reads numbers: what is none is 0, what is too large is the largest.
    private static func number(_ text: Substring) -> Int64 {
        if let number = Int64(text) { return number }
        let digits = text.first == "+" || text.first == "-" ? text.dropFirst() : text
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return 0 }
        return text.first == "-" ? .min : .max
    }

    /// Both together; what would overflow counts as nothing.
    package static func + (left: Progress, right: Progress) -> Progress {
        let (done, first) = left.done.addingReportingOverflow(right.done)
        let (total, second) = left.total.addingReportingOverflow(right.total)
        return first || second ? left : Progress(done: done, total: total)
    }

    package var description: String { "\(done)/\(total)" }
}
