package import Documents

/// What a step produces: as declared in a template, and as reported (contract 04 §4).
package struct Outputs: Sendable, Equatable {
    package var parameters: [Parameter]
    package var artifacts: [Artifact]
    /// Empty differs from absent.
    package var result: String?
    package var exitCode: String?
    /// Fields that we do not know, to be passed on.
    private let others: JSONObject

    package init(
        parameters: [Parameter] = [], artifacts: [Artifact] = [], result: String? = nil, exitCode: String? = nil
    ) {
        self.parameters = parameters
        self.artifacts = artifacts
        self.result = result
        self.exitCode = exitCode
        others = JSONObject()
    }

    /// - Throws: `ModelError` where a field is of the wrong kind.
    package init(document: JSONValue) throws(ModelError) { try self.init(try Fields(document, "outputs")) }

    init(_ fields: Fields) throws(ModelError) {
        parameters = try fields.list("parameters") { (fields) throws(ModelError) in try Parameter(fields) }
        artifacts = try fields.list("artifacts") { (fields) throws(ModelError) in try Artifact(fields) }
        result = try fields.optionalString("result")
        exitCode = try fields.optionalString("exitCode")
        var others = fields.object
        for known in ["parameters", "artifacts", "result", "exitCode"] { others.removeField(known) }
        self.others = others
    }

    /// As it is reported: empty lists are left out, an empty result is not.
    package var document: JSONValue {
        var object = JSONObject()
        if !parameters.isEmpty { object["parameters"] = .array(parameters.map(\.document)) }
        if !artifacts.isEmpty { object["artifacts"] = .array(artifacts.map(\.document)) }
        if let result { object["result"] = .string(result) }
        if let exitCode { object["exitCode"] = .string(exitCode) }
        for member in others.members { object[member.name] = member.value }
        return .object(object)
    }
}
