import Documents
import SystemSupport
import WorkflowModel
import WorkflowPlanning

/// What a dry run leaves out, so that its length follows the file and not the run: of steps and tasks that are called several times
/// with the same arguments only the first call is run, and beyond a number of nodes only one call of each template.
package struct Abridgement: Sendable {
    /// Beyond this number of nodes only the first call of each template is run.
    private static let nodeBudget = 1000

    private var seen: Set<String> = []
    private var templates: Set<String> = []
    /// Whether every different call was run.
    package private(set) var isComplete = true

    private let keepsAll: Bool

    /// - Parameter keepsAll: leaves nothing out but what nobody knows the number of.
    package init(keepsAll: Bool = false) { self.keepsAll = keepsAll }

    /// Whether a call of steps or tasks is run; it counts as run then.
    ///
    /// - Parameter nodeCount: how many nodes the run has so far.
    mutating func runs(_ execution: Execution, arguments: JSONValue, nodeCount: Int) -> Bool {
        if keepsAll { return true }
        let template = execution.template
        let name = template["name"]?.string ?? ""
        // A template inside a step has no name that tells it from others.
        let identity =
            "\(execution.space.libraryScope ?? "")/\(name.isEmpty ? JSONValue.object(template).serializedText() : name)"
        let isNew = seen.insert("\(identity) \(arguments.serializedText())").inserted
        let isFirst = templates.insert(identity).inserted
        if isNew, isFirst || nodeCount < Self.nodeBudget { return true }
        if isNew { isComplete = false }
        return false
    }

    /// What stands in for the outputs of a template that is not run.
    func outputs(of template: JSONObject, named node: String) -> JSONObject? {
        var result = JSONObject()
        for kind in ["parameters", "artifacts"] {
            let declared = template["outputs"]?[kind]?.array ?? []
            if declared.isEmpty { continue }
            result[kind] = .array(
                declared.map { output in
                    var output = output
                    let value = JSONValue.string(UnknownValue(of: node, output["name"]?.string ?? "").text)
                    if kind == "parameters" {
                        output["value"] = value
                        output["valueFrom"] = nil
                    } else {
                        output["from"] = nil
                        output["s3"] = ["key": value]
                    }
                    return output
                })
        }
        return result.isEmpty ? nil : result
    }
}
