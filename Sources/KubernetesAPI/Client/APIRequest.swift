import HTTPTransport

/// One request to the API server, before it is known where that is.
struct APIRequest: Sendable {
    var method: String
    /// As roles name it, e.g. `watch`.
    var verb: String
    var path: ResourcePath
    var query: [(name: String, value: String)] = []
    var body: [UInt8]?
    var contentType = "application/json"
    var answer: ExpectedAnswer
    /// Bytes of a collected answer.
    var bodyLimit = 32 << 20
    /// Seconds without a byte; longer than the server's own limit of a minute, so that its answer comes first.
    var stallTimeout = 75
    /// Seconds for the whole; nil for the client configuration's limit.
    var totalTimeout: Int?
    /// Whether it is sent although the client has been cancelled.
    var outlivesCancellation = false

    /// - Throws: `APIError` for a name that cannot be one.
    func call(in namespace: String) throws -> APICall {
        let call = APICall(
            method: method, verb: verb, path: path, namespace: path.namespace ?? namespace, answer: answer)
        // An empty name would address all objects, and the server takes these two for a step of the path.
        if let name = path.name, ["", ".", ".."].contains(name) {
            throw APIError.invalid("\(call.text): \(name.isEmpty ? "the name is empty" : "\"\(name)\" is not a valid name")")
        }
        return call
    }
}

/// How a call to change something is made.
package struct CallOptions: Sendable {
    /// Whether it is made although the client has been cancelled: the last words of a process that ends.
    package var outlivesCancellation: Bool
    /// Seconds for the whole request; nil for the client configuration's limit.
    package var timeLimit: Int?

    package init(outlivesCancellation: Bool = false, timeLimit: Int? = nil) {
        self.outlivesCancellation = outlivesCancellation
        self.timeLimit = timeLimit
    }
}
