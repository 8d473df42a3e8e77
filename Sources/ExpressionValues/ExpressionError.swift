package import Documents
internal import SystemSupport

/// Why an expression could not be read or evaluated, and where in its text.
package struct ExpressionError: ClassifiedError, Equatable, Sendable {
    /// The cause alone, as the reference's evaluator words it.
    package let reason: String
    /// Where in the expression; nil where the fault is its result's.
    package let position: SourcePosition?

    package var message: String {
        guard let position else { return "evaluate expression: \(reason)" }
        return "evaluate expression: line \(position.line), column \(position.column): \(reason)"
    }
    package var isNotFound: Bool { false }
    package var isTransient: Bool { false }

    package init(reason: String, position: SourcePosition?) {
        self.reason = reason
        self.position = position
    }

    /// - Parameter offset: counted in Unicode scalars of the text.
    package init(_ reason: String, at offset: Int, in text: String) {
        var line = 1
        var column = 1
        for scalar in text.unicodeScalars.prefix(offset) {
            (line, column) = scalar == "\n" ? (line + 1, 1) : (line, column + 1)
        }
        self.init(reason: reason, position: SourcePosition(line: line, column: column))
    }

    /// The text that the reference's evaluator gives: the cause, the place, the line and a mark below it, on three lines.
    ///
    /// Nodes of a workflow show it as it is.
    package func referenceText(of expression: String) -> String {
        guard let position else { return reason }
        let lines = expression.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        guard position.line <= lines.count, !lines[position.line - 1].isEmpty else { return reason }
        var line = String(decoding: lines[position.line - 1], as: UTF8.self)
        line = String(String.UnicodeScalarView(line.unicodeScalars.map { $0 == "\t" ? " " : $0 }))
        let dots = String(repeating: ".", count: position.column - 1)
        return "\(reason) (\(position.line):\(position.column))\n | \(line)\n | \(dots)^"
    }
}
