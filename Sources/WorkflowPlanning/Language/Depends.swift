package import Documents
package import ExpressionValues
import Expressions
import WorkflowFiles

/// What a task waits for, and how that must have ended.
package struct Depends: Sendable {
    /// The ways to end that `depends` can ask for.
    package static let results = [
        "Succeeded", "Failed", "Errored", "Skipped", "Omitted", "Daemoned", "AnySucceeded", "AllFailed",
    ]

    /// The tasks that are spoken of, each once.
    package let names: [String]
    /// Where it says more than that all of them have ended well; the text of the expression beside it, for messages.
    private let condition: (expression: Expression, text: String)?
    /// Words after a point that are no way to end.
    package let unknownResults: [(task: String, result: String)]

    /// - Parameter endsWell: for a task of the same dag, by its name, the ways to end after which what depends on it goes on.
    /// - Throws: where `depends` cannot be read.
    package init(_ task: JSONValue, endsWell: (String) -> [String]) throws(ExpressionError) {
        if let names = TemplateCall.dependencies(of: task) {
            self.names = names
            condition = nil
            unknownResults = []
            return
        }
        let text = task["depends"]?.string ?? ""
        var logic: [UInt8] = []
        var names: [String] = []
        var unknown: [(String, String)] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.first {
            guard Self.isAlphanumeric(byte) else {
                logic.append(byte)
                rest.removeFirst()
                continue
            }
            let name = String(decoding: rest.prefix { Self.isAlphanumeric($0) || $0 == UInt8(ascii: "-") }, as: UTF8.self)
            rest = rest.dropFirst(name.utf8.count)
            if !names.contains(name) { names.append(name) }
            let variable = Self.variable(name)
            if rest.first == UInt8(ascii: "."), let next = rest.dropFirst().first, (0x41...0x5A).contains(next) {
                let result = String(decoding: rest.dropFirst().prefix { Self.isAlphanumeric($0) }, as: UTF8.self)
                rest = rest.dropFirst(1 + result.utf8.count)
                if !Self.results.contains(result) { unknown.append((name, result)) }
                logic += Array("\(variable).\(result)".utf8)
            } else {
                logic += Array(("(" + endsWell(name).map { "\(variable).\($0)" }.joined(separator: " || ") + ")").utf8)
            }
        }
        let whole = String(decoding: logic, as: UTF8.self)
        self.names = names
        condition = (try Expression(whole), whole)
        unknownResults = unknown
    }

    /// The ways to end after which what depends on a task goes on.
    package static func endsWell(_ task: JSONValue?) -> [String] {
        var results = ["Succeeded", "Skipped", "Daemoned"]
        if task?["continueOn"]?["error"]?.bool == true { results.append("Errored") }
        if task?["continueOn"]?["failed"]?.bool == true { results.append("Failed") }
        return results
    }

    /// Whether the task is to be run.
    ///
    /// - Parameter ends: how the tasks have ended that are spoken of, in their order.
    package func holds(_ ends: [Ends]) throws(StepError) -> Bool {
        guard let condition else { return ends.allSatisfy(\.isWell) }
        let environment = ExpressionEnvironment(
            zip(names, ends).map { (Self.variable($0), $1.value) }, functions: .builtins)
        do throws(ExpressionError) {
            let value = try condition.expression.evaluate(environment)
            guard case .bool(let flag) = value else {
                throw ExpressionError(reason: "unable to cast expression result '\(value.shown)' to bool", position: nil)
            }
            return flag
        } catch {
            throw .text("unable to evaluate expression '\(condition.text)': \(error.referenceText(of: condition.text))")
        }
    }

    /// How a task has ended.
    package struct Ends: Sendable {
        package let results: [String]
        /// Whether it is one of the ways after which what depends on it goes on.
        package let isWell: Bool

        package init(results: [String], isWell: Bool) {
            self.results = results
            self.isWell = isWell
        }

        fileprivate var value: ExpressionValue { .object(Depends.results.map { ($0, .bool(results.contains($0))) }) }
    }

    /// A task's name as variable.
    private static func variable(_ name: String) -> String { String(name.map { $0 == "-" ? "_" : $0 }) }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
