import Documents

/// How far a node of steps has come.
struct StepsState: Sendable {
    let groups: [[JSONValue]]
    /// The group that runs, or is next.
    var current = 0
    var scope: Scope

    init(_ template: JSONObject) {
        groups = (template["steps"]?.array ?? []).map { $0.array ?? [] }
        scope = Scope(template, word: "steps")
    }
}
