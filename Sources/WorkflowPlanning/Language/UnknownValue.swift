import SystemSupport

/// A value of an output that only the run itself brings forth. A dry run puts a text in its place, which shows wherever it is
/// handed on to.
package struct UnknownValue: Sendable, Equatable {
    /// What stands in its place; people see it in pods that are only printed.
    package let text: String

    /// - Parameters:
    ///   - node: whose output it is.
    ///   - output: the parameter's or artifact's name, or `result`.
    package init(of node: String, _ output: String) { text = "\(Self.start)\(node) \(output)>" }

    private static let start = "<known later: "

    /// Whether such a value is part of a text.
    package static func isPart(of text: String) -> Bool { text.utf8.count >= start.utf8.count && text.contains(start) }

    /// Whether a text depends on values that are not known: on one of these, or on a tag that is still in it.
    package static func affects(_ text: String) -> Bool { text.contains(start) || text.contains("{{") }
}
