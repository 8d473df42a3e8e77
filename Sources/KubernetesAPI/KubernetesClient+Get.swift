package import Documents
import HTTPTransport
import SystemSupport

extension KubernetesClient {
    /// GET of one object.
    ///
    /// - Parameters:
    ///   - path: segments of the path from the server's root on, e.g. `api`, `v1`, `namespaces`, `NAME`.
    ///   - kind: that the answer must have.
    ///   - resource: what the path is called in messages and roles, e.g. `configmaps`.
    ///   - group: its API group; empty for the core.
    ///   - namespace: empty for what belongs to the cluster.
    /// - Throws: `APIError`; the error of loading the configuration.
    package func get(
        _ path: [String], expecting kind: String, resource: String, group: String, namespace: String
    ) throws -> JSONValue {
        let session = try currentSession()
        var request = HTTPRequest(
            "GET", session.access.server + path.map { "/" + Self.encoded($0) }.joined())
        request.headers = ["Accept": "application/json"]
        request.stallTimeout = 75
        request.totalTimeout = session.access.requestTimeout
        request.decodesGzip = session.access.acceptsCompression
        for field in session.access.impersonation?.headers.fields ?? [] { request.headers.add(field.name, field.value) }
        let call = APICall(
            method: "GET", verb: "get", resource: resource, kind: kind, group: group, namespace: namespace,
            neededVerbs: ["get"])
        return try JSONValue(parsing: try send(request, [], session, call).body)
    }
}
