/// One request to the API server as messages and roles name it, and what its success is answered with.
struct APICall {
    /// HTTP method.
    let method: String
    let verb: String
    let path: ResourcePath
    let namespace: String
    let answer: ExpectedAnswer

    var text: String {
        "\(verb) \(path.roleName)" + (path.resource.group.isEmpty ? "" : ".\(path.resource.group)")
    }

    /// The rule that a role must have (contract 04 §9).
    var missingRule: String {
        let own = path.subresource == nil ? path.resource.roleVerbs : []
        let verbs = (own.isEmpty ? [verb] : own).map { "\"\($0)\"" }.joined(separator: ", ")
        let rule = "the rule {apiGroups: [\"\(path.resource.group)\"], resources: [\"\(path.roleName)\"], verbs: [\(verbs)]}"
        return path.resource.isNamespaced
            ? "the pod's service account needs a Role in namespace \"\(namespace)\" with \(rule)"
            : "the pod's service account needs a ClusterRole with \(rule)"
    }
}

/// What the body of a success holds.
enum ExpectedAnswer: Sendable, Equatable {
    /// An object of this kind.
    case object(String)
    /// The object that was deleted, or a `Status` that tells of the success.
    case deletion(String)
    /// The events of a watch, taken as they come.
    case events
    /// Bytes of any kind, taken as they come.
    case bytes

    /// Of the object; nil where there need not be one.
    var kind: String? {
        switch self {
        case .object(let kind), .deletion(let kind): kind
        case .events, .bytes: nil
        }
    }

    var isStream: Bool { kind == nil }
}
