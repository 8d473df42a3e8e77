internal import Documents
package import ExpressionValues

/// An expression of the language expr (expr-lang 1.17, as Argo Workflows 4.1 has it), read once and evaluated any number of times.
package struct Expression: Sendable {
    package let text: String
    let tree: SyntaxTree

    /// - Throws: with the place of the first fault.
    package init(_ text: String) throws(ExpressionError) {
        self.text = text
        do throws(SyntaxFault) {
            tree = try Parser.parse(text)
        } catch {
            throw ExpressionError(error.reason, at: error.offset, in: text)
        }
    }

    /// Checks names and types as far as they are known without evaluating anything; branches that are not taken count too.
    package func check(_ environment: ExpressionEnvironment) throws(ExpressionError) {
        var checker = TypeChecker(tree, environment.variables)
        do throws(SyntaxFault) {
            try checker.check()
        } catch {
            throw ExpressionError(error.reason, at: error.offset, in: text)
        }
    }

    /// Checks, then evaluates.
    ///
    /// - Throws: for faults of the check and of the evaluation, and where it would cost more than the limits.
    package func evaluate(
        _ environment: ExpressionEnvironment, limits: EvaluationLimits = EvaluationLimits()
    ) throws(ExpressionError) -> ExpressionValue {
        try check(environment)
        let evaluator = Evaluator(tree, environment.variables, limits)
        do throws(Fault) {
            return try evaluator.evaluate(tree.root)
        } catch {
            throw ExpressionError(error.reason, at: evaluator.offset, in: text)
        }
    }

    /// The value of an expression.
    package static func value(
        of text: String, in environment: ExpressionEnvironment, limits: EvaluationLimits = EvaluationLimits()
    ) throws(ExpressionError) -> ExpressionValue {
        try Expression(text).evaluate(environment, limits: limits)
    }

    /// Whether a condition holds: of an HTTP template, a retry, a hook, `depends`.
    ///
    /// - Throws: also where its value is no truth value.
    package static func holds(
        _ condition: String, in environment: ExpressionEnvironment, limits: EvaluationLimits = EvaluationLimits()
    ) throws(ExpressionError) -> Bool {
        let value = try value(of: condition, in: environment, limits: limits)
        guard case .bool(let flag) = value else {
            throw ExpressionError(
                reason: "unable to cast expression result '\(GoText.shown(value))' to bool", position: nil)
        }
        return flag
    }
}

extension ExpressionValue {
    /// The value as Go's `%v` prints it.
    package var shown: String { GoText.shown(self) }

    /// The text that stands in place of a tag `{{=…}}`: of a string itself, of all else JSON.
    package func tagText() throws(ExpressionError) -> String {
        if case .string(let text) = self { return text }
        return try json().serializedText(sortedKeys: true)
    }
}
