/// One kind of request to the API server, as messages and roles name it.
struct APICall {
    /// HTTP method.
    let method: String
    let verb: String
    let resource: String
    /// The kind of the object that a success is answered with.
    let kind: String
    /// Empty for the core group.
    let group: String
    /// Empty for what belongs to the cluster.
    let namespace: String
    /// The verbs that a role must grant for all that we do with the resource.
    let neededVerbs: [String]

    var text: String { group.isEmpty ? "\(verb) \(resource)" : "\(verb) \(resource).\(group)" }

    /// The rule that a role must have (contract 04 §9).
    var missingRule: String {
        let verbs = neededVerbs.map { "\"\($0)\"" }.joined(separator: ", ")
        let role = namespace.isEmpty ? "ClusterRole" : "Role in namespace \"\(namespace)\""
        return "the pod's service account needs a \(role) with the rule "
            + "{apiGroups: [\"\(group)\"], resources: [\"\(resource)\"], verbs: [\(verbs)]}"
    }
}
