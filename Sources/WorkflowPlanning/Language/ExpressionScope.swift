import Documents
package import ExpressionValues
import Expressions
import SystemSupport

/// The variables that an expression can use, and its value.
package struct ExpressionScope: Sendable {
    private var variables: [(String, ExpressionValue)] = []
    private var names: Set<String> = []
    /// The variables whose values are not known yet.
    private var unknown: Set<String> = []

    /// Names that come late: an expression that needs one of them waits for it.
    private static let late: Set<String> = [
        "item", "retries", "lastRetry.exitCode", "lastRetry.status", "lastRetry.duration", "lastRetry.message",
        "workflow.status", "workflow.failures",
    ]

    package init() {}

    package mutating func add(_ name: String, _ value: Variable) {
        switch value {
        case .text(let text): add(name, .string(text))
        case .absent: add(name, .null)
        case .unknown(let text):
            unknown.insert(name)
            add(name, .string(text))
        }
    }

    package mutating func add(_ name: String, _ value: ExpressionValue) {
        names.insert(name)
        variables.append((name, value))
    }

    package mutating func add(_ table: VariableTable) {
        for (name, text) in table.flattened { add(name, Variable(text)) }
    }

    private var environment: ExpressionEnvironment { ExpressionEnvironment(dotted: variables, functions: .controller) }

    /// The value of an expression.
    ///
    /// - Throws: `StepError` in the reference's words.
    package func value(of text: String) throws(StepError) -> Outcome {
        do throws(ExpressionError) {
            let expression = try Expression(text)
            if dependsOnUnknown(expression) { return .unknown }
            do throws(ExpressionError) {
                return .value(try expression.evaluate(environment))
            } catch {
                if !unknown.isEmpty { return .unknown }
                throw error
            }
        } catch {
            throw .text(error.referenceText(of: text))
        }
    }

    package enum Outcome {
        case value(ExpressionValue)
        /// It depends on what only the run itself brings forth.
        case unknown
    }

    /// Whether a condition holds; nil where that is not known yet.
    package func holds(_ text: String) throws(StepError) -> Bool? {
        guard case .value(let value) = try value(of: text) else { return nil }
        guard case .bool(let flag) = value else {
            throw .text("unable to cast expression result '\(value.shown)' to bool")
        }
        return flag
    }

    /// What stands in place of an expression tag.
    ///
    /// - Parameters:
    ///   - strict: first words of variables that must be there; nil: whatever cannot be told stays as it is.
    /// - Returns: nil where the tag stays as it is.
    package func tag(_ text: String, strict: [String]?) throws(TagText.Fault) -> String? {
        let expression: Expression
        do throws(ExpressionError) { expression = try Expression(text) } catch {
            if strict == nil { return nil }
            throw TagText.Fault(text: "failed to evaluate expression: \(error.referenceText(of: text))")
        }
        let missing = expression.references.filter { !isThere($0) }
        for name in missing where strict?.contains(String(name.prefix { $0 != "." })) == true {
            throw TagText.Fault(text: "failed to evaluate expression: \(name) is missing")
        }
        if missing.contains(where: { Self.late.contains($0) }) { return nil }
        let mayStay = strict == nil || !missing.isEmpty
        if dependsOnUnknown(expression) { return UnknownValue(of: "expression", text).text }
        do throws(ExpressionError) {
            let value = try expression.evaluate(environment)
            if case .null = value {} else { return try value.tagText() }
        } catch {
            if !unknown.isEmpty { return UnknownValue(of: "expression", text).text }
            if mayStay { return nil }
            throw TagText.Fault(text: "failed to evaluate expression: \(error.referenceText(of: text))")
        }
        if mayStay { return nil }
        throw TagText.Fault(text: "failed to evaluate expression \"\(text)\"")
    }

    private func dependsOnUnknown(_ expression: Expression) -> Bool {
        if unknown.isEmpty { return false }
        return expression.references.contains { name in
            unknown.contains { $0 == name || name.hasPrefix($0 + ".") }
        }
    }

    /// Whether a name, or something below it, has a value.
    private func isThere(_ name: String) -> Bool {
        if names.contains(name) || Self.functions.contains(name) || name.hasPrefix("sprig.") { return true }
        return names.contains { $0.hasPrefix(name + ".") || name.hasPrefix($0 + ".") }
    }

    private static let functions: Set<String> = ["asInt", "asFloat", "toJson", "jsonpath", "sprig"]
}
