package import Foundation

/// A running Kubernetes API server, real or a stand-in, with a service account that may only create and patch task results.
package struct ClusterServer: Sendable {
    /// URL with TLS, as the pods reach it.
    package let url: URL
    /// The service account's token.
    package let token: String
    /// The token of one that may besides act on config maps, secrets, endpoints, jobs, workflows and cluster roles; a real server's
    /// alone.
    package let resourceToken: String?
    /// File with the certificate authority of `url`, PEM.
    package let authority: String
    package let namespace: String
    let admin: URL

    /// The shared server of a kind; `standInAPI` runs everywhere.
    package static func shared(_ kind: ServerKind = .standInAPI) async throws -> ClusterServer {
        let server = try await ServerPool.shared.server(kind)
        guard let url = URL(string: server.endpoint), let token = server.token, let authority = server.authority,
            let namespace = server.namespace, let admin = URL(string: server.admin)
        else { throw ServerUnavailable(description: "\(kind.rawValue) is no API server") }
        return ClusterServer(
            url: url, token: token, resourceToken: server.details?["resourceToken"], authority: authority, namespace: namespace,
            admin: admin)
    }

    /// A task result as the server holds it; nil where there is none.
    package func taskResult(_ name: String) async throws -> JSON? {
        do {
            return try await get("apis/argoproj.io/v1alpha1/namespaces/\(namespace)/workflowtaskresults/\(name)")
        } catch let error as UnexpectedStatus where error.status == 404 { return nil }
    }

    /// The requests about a task result that the stand-in has seen, in order: objects with `method`, `path`, `contentType`,
    /// `body` and `status`.
    package func requests(about name: String) async throws -> [JSON] { try await get("recorded/\(name)").items }

    /// Makes the stand-in answer the next requests about a task result with a failure.
    package func fail(about name: String, status: Int, times: Int, retryAfter: Int? = nil) async throws {
        var fault: [String: Int] = ["status": status, "times": times]
        fault["retryAfter"] = retryAfter
        _ = try await AdminRequest.send(
            "PUT", admin.appending(path: "faults/\(name)"), body: try JSONEncoder().encode(fault), type: "application/json")
    }

    /// Whether the server knows a kind of resources of Argo's, by its plural.
    package func knows(_ resources: String) async -> Bool {
        (try? await get("apis/argoproj.io/v1alpha1/namespaces/\(namespace)/\(resources)")) != nil
    }

    /// Has a document in YAML checked as strictly as the server can, by its plural; nothing is kept.
    ///
    /// - Throws: `UnexpectedStatus` with the server's words where it refuses the document.
    package func validate(_ yaml: String, as resources: String) async throws {
        var place = URLComponents(
            url: admin.appending(path: "apis/argoproj.io/v1alpha1/namespaces/\(namespace)/\(resources)"),
            resolvingAgainstBaseURL: false)
        place?.query = "dryRun=All&fieldValidation=Strict"
        guard let url = place?.url else { throw ServerUnavailable(description: "no URL for \(resources)") }
        _ = try await AdminRequest.send("POST", url, body: Data(yaml.utf8), type: "application/yaml")
    }

    /// Any object, by its path from the server's root on; nil where there is none.
    package func object(_ path: String) async throws -> JSON? {
        do { return try await get(path) } catch let error as UnexpectedStatus where error.status == 404 { return nil }
    }

    /// Makes an object in the collection of this path.
    package func create(_ object: JSON, in path: String) async throws {
        _ = try await AdminRequest.send("POST", admin.appending(path: path), body: object.data, type: "application/json")
    }

    /// Changes an object, or a part of it such as `…/status`, by a merge patch.
    package func patch(_ path: String, _ change: JSON) async throws {
        _ = try await AdminRequest.send(
            "PATCH", admin.appending(path: path), body: change.data, type: "application/merge-patch+json")
    }

    /// Removes an object at once.
    package func delete(_ path: String) async throws { _ = try await AdminRequest.send("DELETE", admin.appending(path: path)) }

    private func get(_ path: String) async throws -> JSON {
        try JSON(parsing: try await AdminRequest.send("GET", admin.appending(path: path)))
    }
}
