package import Documents

/// Merges a document over another as the controller merges workflows over templates and templates over defaults: mappings member
/// by member, lists of known names element by element, all else replaced (Kubernetes' strategic merge patch).
package enum StrategicMerge {
    /// The member by which the elements of a list are told apart, by the list's name.
    private static let keys = [
        "templates": "name", "parameters": "name", "artifacts": "name", "volumes": "name", "tasks": "name", "env": "name",
        "volumeMounts": "mountPath", "volumeDevices": "devicePath", "ports": "containerPort", "initContainers": "name",
        "sidecars": "name", "imagePullSecrets": "name", "tolerations": "key", "hostAliases": "ip", "resourceClaims": "name",
    ]

    /// `over` laid over `base`. A null removes.
    package static func merge(_ base: JSONObject, _ over: JSONObject) -> JSONObject { merge(base, over, keys) }

    /// The same for the spec of a pod.
    package static func mergePodSpec(_ base: JSONObject, _ over: JSONObject) -> JSONObject {
        var keys = keys
        for name in ["containers", "ephemeralContainers", "imagePullSecrets"] { keys[name] = "name" }
        keys["tolerations"] = nil
        return merge(base, over, keys)
    }

    private static func merge(_ base: JSONObject, _ over: JSONObject, _ keys: [String: String]) -> JSONObject {
        var result = over["$patch"]?.string == "replace" ? JSONObject() : base
        for member in over.members where !member.name.hasPrefix("$") {
            if member.value.isNull {
                result[member.name] = nil
                continue
            }
            switch (result[member.name], member.value) {
            case (.object(let below)?, .object(let above)): result[member.name] = .object(merge(below, above, keys))
            case (.array(let below)?, .array(let above)):
                let merged = keys[member.name].flatMap { merge(below, above, key: $0, keys) }
                result[member.name] = .array(merged ?? above)
            default: result[member.name] = member.value
            }
        }
        return result
    }

    /// Elements of one key are merged, the others of both sides kept: those above in their order, those that are only below put
    /// among them by the order below. What is only above comes before what is only below.
    ///
    /// - Returns: nil where an element has no key, and the list cannot be merged.
    private static func merge(
        _ below: [JSONValue], _ above: [JSONValue], key: String, _ keys: [String: String]
    ) -> [JSONValue]? {
        guard (below + above).allSatisfy({ $0[key] != nil }) else { return nil }
        // Keys are texts or numbers; lists may be long.
        func text(_ element: JSONValue) -> String { element[key]?.serializedText() ?? "" }
        let positions = Dictionary(below.enumerated().map { (text($0.element), $0.offset) }) { first, _ in first }
        let removed = Set(above.filter { $0["$patch"]?.string == "delete" }.map(text))
        var upper = above.filter { !removed.contains(text($0)) }.map { element in
            let position = positions[text(element)]
            let fellow = position.flatMap { below[$0].object }
            return (position ?? -1, fellow.map { JSONValue.object(merge($0, element.object ?? [:], keys)) } ?? element)
        }[...]
        let replaced = Set(above.map(text)).union(removed)
        var lower = below.enumerated().filter { !replaced.contains(text($0.element)) }[...]
        var result: [JSONValue] = []
        while let next = upper.first ?? lower.first.map({ ($0.offset, $0.element) }) {
            if let kept = lower.first, upper.isEmpty || kept.offset < next.0 {
                result.append(kept.element)
                lower.removeFirst()
            } else {
                result.append(next.1)
                upper.removeFirst()
            }
        }
        return result
    }
}
