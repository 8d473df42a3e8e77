package import Documents

/// A template that is run when a node, or the workflow, comes to stand in some way.
package struct Hook: Sendable {
    package let name: String
    /// Whether it is run at the end, whatever that is.
    package let isExit: Bool
    /// When it is run; empty for an exit handler without conditions.
    package let expression: String
    /// `template` or `templateRef`, and `arguments`.
    package let document: JSONValue

    /// Those of a step, a task or a workflow, in the order in which they are written.
    package static func all(of document: JSONValue) -> [Hook] {
        var hooks: [Hook] = []
        if let template = document["onExit"]?.string, !template.isEmpty {
            hooks.append(Hook(name: "exit", isExit: true, expression: "", document: ["template": .string(template)]))
        }
        for member in document["hooks"]?.object?.members ?? [] {
            let isExit = member.name == "exit"
            if isExit, hooks.first?.isExit == true { continue }
            let expression = member.value["expression"]?.string ?? ""
            hooks.append(Hook(name: member.name, isExit: isExit, expression: expression, document: member.value))
        }
        return hooks
    }

    /// Whether it brings arguments of its own.
    package var hasArguments: Bool {
        ["parameters", "artifacts"].contains { !(document["arguments"]?[$0]?.array ?? []).isEmpty }
    }
}
