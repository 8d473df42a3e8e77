package import HTTPTransport
package import SystemSupport

/// How to reach one API server, and as whom.
package struct ClusterAccess: Sendable {
    /// URL without a slash at its end; it may have a path.
    package var server: String
    /// The name that the server's certificate must have; nil for the one in the URL.
    package var serverName: String?
    package var trust: TrustAnchors
    package var credentials: any ClusterCredentialSource
    package var impersonation: Impersonation?
    /// URL of the proxy for this server, which may hold a password; nil where the environment decides.
    package var proxy: Secret?
    /// Seconds that one request may take in all; nil for no limit.
    package var requestTimeout: Int?
    /// Whether answers may come compressed.
    package var acceptsCompression: Bool
    package var namespace: String
    /// What is odd in the files that this comes from, but not wrong.
    package var warnings: [String] = []

    package init(
        server: String, serverName: String? = nil, trust: TrustAnchors,
        credentials: any ClusterCredentialSource = GivenCredentials(), impersonation: Impersonation? = nil,
        proxy: Secret? = nil, requestTimeout: Int? = nil, acceptsCompression: Bool = true, namespace: String
    ) {
        self.server = server
        self.serverName = serverName
        self.trust = trust
        self.credentials = credentials
        self.impersonation = impersonation
        self.proxy = proxy
        self.requestTimeout = requestTimeout
        self.acceptsCompression = acceptsCompression
        self.namespace = namespace
    }
}

/// Somebody else in whose name requests are made.
package struct Impersonation: Sendable, Equatable {
    package var user: String
    package var uid: String
    package var groups: [String]
    /// Values by name.
    package var extra: [(name: String, values: [String])]

    package init(user: String, uid: String = "", groups: [String] = [], extra: [(name: String, values: [String])] = []) {
        self.user = user
        self.uid = uid
        self.groups = groups
        self.extra = extra
    }

    package static func == (left: Impersonation, right: Impersonation) -> Bool {
        left.headers == right.headers
    }

    /// The header fields that ask for it; letters that a field's name cannot hold are percent-encoded, as the server decodes them.
    package var headers: HTTPHeaders {
        var headers: HTTPHeaders = ["Impersonate-User": user]
        if !uid.isEmpty { headers.add("Impersonate-Uid", uid) }
        for group in groups { headers.add("Impersonate-Group", group) }
        for (name, values) in extra {
            for value in values { headers.add("Impersonate-Extra-" + Self.encoded(name), value) }
        }
        return headers
    }

    private static func encoded(_ name: String) -> String {
        var text = ""
        for byte in name.utf8 {
            let isPlain = (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            if isPlain || "!#$&'*+-.^_`|~".utf8.contains(byte) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += "%" + hexadecimal([byte]).uppercased()
            }
        }
        return text
    }
}
