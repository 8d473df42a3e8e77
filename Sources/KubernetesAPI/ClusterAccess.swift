import ExecutorCore
package import HTTPTransport

/// How to reach one API server, and as whom.
package struct ClusterAccess: Sendable {
    /// URL without a path.
    package var server: String
    package var trust: TrustAnchors
    package var clientCertificate: HTTPClientConfiguration.ClientCertificate?
    package var token: BearerToken?
    package var namespace: String

    package init(
        server: String, trust: TrustAnchors, clientCertificate: HTTPClientConfiguration.ClientCertificate? = nil,
        token: BearerToken? = nil, namespace: String
    ) {
        self.server = server
        self.trust = trust
        self.clientCertificate = clientCertificate
        self.token = token
        self.namespace = namespace
    }

    /// The access that the first of the sources has to offer (contract 04 §2).
    ///
    /// - Parameter namespace: goes before what the source says; nil or empty for none.
    /// - Throws: `no configuration has been provided` where no source has any; the source's own error.
    package static func load(from sources: [any ClusterAccessSource], namespace: String? = nil) throws -> ClusterAccess {
        for source in sources {
            guard var access = try source.load() else { continue }
            if let namespace, !namespace.isEmpty { access.namespace = namespace }
            return access
        }
        throw ExecutorError.failed("load the client configuration: no configuration has been provided")
    }
}

/// A place that may know how to reach the cluster.
package protocol ClusterAccessSource: Sendable {
    /// Nil where there is nothing here, so that the next source is asked.
    func load() throws -> ClusterAccess?
}
