internal import Foundation

/// What tests prepare on an API server, with all rights there are.
extension ClusterServer {
    /// A service account that may do what the rules say, and no more.
    ///
    /// - Returns: its token.
    package func account(_ name: String, rules: [JSON]) async throws -> String {
        let core = "api/v1/namespaces/\(namespace)"
        let roles = "apis/rbac.authorization.k8s.io/v1/namespaces/\(namespace)"
        let group = "rbac.authorization.k8s.io"
        try await ensure("\(core)/serviceaccounts", Self.object("v1", "ServiceAccount", name))
        var role = Self.object("\(group)/v1", "Role", name, ["rules": .array(rules)])
        try await ensure("\(roles)/roles", role)
        role = Self.object(
            "\(group)/v1", "RoleBinding", name,
            [
                "roleRef": ["apiGroup": .string(group), "kind": "Role", "name": .string(name)],
                "subjects": [["kind": "ServiceAccount", "name": .string(name), "namespace": .string(namespace)]],
            ])
        try await ensure("\(roles)/rolebindings", role)
        let request = Self.object(
            "authentication.k8s.io/v1", "TokenRequest", name, ["spec": ["expirationSeconds": 36000]])
        let answer = try await send("POST", "\(core)/serviceaccounts/\(name)/token", request)
        return answer["status"]?["token"]?.text ?? ""
    }

    /// A rule of a role.
    package static func rule(_ group: String, _ resource: String, _ verbs: [String]) -> JSON {
        [
            "apiGroups": [.string(group)], "resources": [.string(resource)], "verbs": .array(verbs.map { .string($0) }),
        ]
    }

    /// Where the objects of a resource of Argo's are.
    package func argo(_ plural: String) -> String { "apis/argoproj.io/v1alpha1/namespaces/\(namespace)/\(plural)" }

    /// Where the objects of a resource of the core group are.
    package func core(_ plural: String) -> String { "api/v1/namespaces/\(namespace)/\(plural)" }

    package static func object(_ version: String, _ kind: String, _ name: String, _ parts: JSON = [:]) -> JSON {
        var object: JSON = ["apiVersion": .string(version), "kind": .string(kind), "metadata": ["name": .string(name)]]
        for part in parts.names { object[part] = parts[part] }
        return object
    }

    /// Makes an object, in place of one of its name.
    package func make(_ path: String, _ object: JSON) async throws {
        try await remove("\(path)/\(object["metadata"]?["name"]?.text ?? "")")
        try await send("POST", path, object)
    }

    /// An object; nil where there is none.
    package func read(_ path: String) async throws -> JSON? {
        do { return try await send("GET", path) } catch let error as UnexpectedStatus where error.status == 404 { return nil }
    }

    /// Changes an object by a merge patch.
    package func merge(_ path: String, _ patch: JSON) async throws {
        try await send("PATCH", path, patch, type: "application/merge-patch+json")
    }

    package func remove(_ path: String) async throws {
        do { try await send("DELETE", path) } catch let error as UnexpectedStatus where error.status == 404 {}
    }

    private func ensure(_ path: String, _ object: JSON) async throws {
        do { try await send("POST", path, object) } catch let error as UnexpectedStatus where error.status == 409 {}
    }

    @discardableResult
    private func send(
        _ method: String, _ path: String, _ body: JSON? = nil, type: String = "application/json"
    ) async throws -> JSON {
        try JSON(
            parsing: try await AdminRequest.send(method, admin.appending(path: path), body: body?.data, type: type))
    }
}
