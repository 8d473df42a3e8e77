import Documents
import SystemSupport
import WorkflowPlanning

/// The outputs of all calls of a loop.
extension WorkflowRun {
    struct Aggregate {
        var result: String?
        /// All parameters of each call.
        var parameters: String?
        /// The values of one parameter of all calls.
        var byName: [(String, String)] = []
    }

    /// Of the calls that have succeeded, in the order of the items.
    func aggregate(_ calls: [String]) -> Aggregate {
        var results: [JSONValue] = []
        var parameters: [JSONValue] = []
        var names: [String] = []
        var values: [String: [String]] = [:]
        for id in calls {
            guard let node = store[id], node.phase == .succeeded, let outputs = node.outputs else { continue }
            var named = JSONObject()
            for parameter in outputs["parameters"]?.array ?? [] {
                let name = parameter["name"]?.string ?? ""
                let text = parameter["value"]?.string ?? ""
                named[name] = .string(text)
                if values[name] == nil { names.append(name) }
                values[name, default: []].append(text)
            }
            if !named.isEmpty { parameters.append(.object(named)) }
            if let result = outputs["result"]?.string { results.append((try? JSONValue(parsing: result)) ?? .string(result)) }
        }
        return Aggregate(
            result: JSONValue.array(results).serializedText(),
            parameters: JSONValue.array(parameters).serializedText(sortedKeys: true),
            byName: names.map { ($0, Self.list(values[$0] ?? [])) })
    }

    /// Values as one JSON list: of mappings and lists where all of them are such, else of texts.
    private static func list(_ values: [String]) -> String {
        let parsed = values.compactMap { text -> JSONValue? in
            switch try? JSONValue(parsing: text) {
            case .array(let elements)?: .array(elements)
            case .object(let object)?: .object(object)
            default: nil
            }
        }
        if parsed.count == values.count { return JSONValue.array(parsed).serializedText(sortedKeys: true) }
        return JSONValue.array(values.map { .string($0) }).serializedText()
    }
}
