internal import SystemSupport

/// Conditions of `when`, in the language of govaluate as the controller uses it: bare words are texts.
///
/// The tags of the condition have been replaced by their values before.
package enum Condition {
    /// What a bare word means.
    package enum Words: Sendable {
        /// A text: in `when` of steps and tasks.
        case texts
        /// A variable, of which there are none: in `when` of a CronWorkflow.
        case variables
    }

    /// Whether a condition holds; an empty one does.
    ///
    /// - Throws: where it cannot be read, compares what cannot be compared, or has no truth value for its result.
    package static func holds(_ condition: String, words: Words = .texts) throws(ConditionError) -> Bool {
        if condition.isEmpty { return true }
        let tree = try ConditionParser.parse(condition, words)
        var evaluation = ConditionEvaluation(tree: tree, condition: condition)
        let value = try evaluation.value()
        guard case .bool(let flag) = value else {
            throw ConditionError(.result, condition, "Expected boolean evaluation for '\(condition)'. Got \(value.shown)")
        }
        return flag
    }

    /// Finds what is wrong with a condition without evaluating it, as far as that can be told.
    package static func check(_ condition: String) throws(ConditionError) {
        if !condition.isEmpty { _ = try ConditionParser.parse(condition, .texts) }
    }
}

/// Why a condition has no result.
package struct ConditionError: ClassifiedError, Equatable, Sendable {
    /// Where it went wrong, which the controller words differently.
    package enum Stage: Sendable {
        case reading, planning, evaluation, result
    }

    package let stage: Stage
    /// The cause alone, as govaluate words it.
    package let reason: String
    private let condition: String

    init(_ stage: Stage, _ condition: String, _ reason: String) {
        (self.stage, self.condition, self.reason) = (stage, condition, reason)
    }

    package var message: String {
        switch stage {
        case .reading:
            let hint =
                reason.utf8.starts(with: "Invalid token".utf8)
                ? " (hint: try wrapping the affected expression in quotes (\"))" : ""
            return "Invalid 'when' expression '\(condition)': \(reason)\(hint)"
        case .planning: return "Failed to parse 'when' expression '\(condition)': \(reason)"
        case .evaluation: return "Failed to evaluate 'when' expresion '\(condition)': \(reason)"
        case .result: return reason
        }
    }
    package var isNotFound: Bool { false }
    package var isTransient: Bool { false }
}
