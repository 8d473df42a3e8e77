import SystemSupport
import WorkflowModel

/// The output parameters of a resource template: what JSONPath and jq filters find in the object.
struct ResourceParameters {
    let kubectl: Kubectl
    let tools: ToolBox

    /// - Parameter object: nil where kubectl found none: then the defaults hold.
    /// - Throws: `ExecutorError` for the first parameter that has no value for a fault; nothing is reported then.
    func values(of parameters: [Parameter], _ object: KubernetesObject?) throws -> [Parameter] {
        var document: [UInt8]?
        return try parameters.map { parameter in
            guard let source = parameter.valueFrom else { return parameter }
            guard let object else { return parameter.withValue(source.defaultValue ?? "") }
            do {
                if !source.jsonPath.isEmpty {
                    let output = try get(object, "jsonpath=\(source.jsonPath)", ToolBox.longestValue)
                    return parameter.withValue(String(decoding: output, as: UTF8.self))
                }
                if source.jqFilter.isEmpty { return parameter }
                let filter = try JQFilter(tools)
                // One look at the object serves all filters (contract 05 P20).
                let content = try document ?? get(object, "json", ToolBox.longestObject)
                document = content
                return parameter.withValue(try filter.apply(source.jqFilter, to: content))
            } catch { throw ExecutorError.wrapping("output parameter '\(parameter.name)'", error) }
        }
    }

    private func get(_ object: KubernetesObject, _ format: String, _ limit: Int) throws -> [UInt8] {
        try kubectl.run(["-n", object.namespace, "get", object.fullName, "-o", format], outputLimit: limit)
    }
}
