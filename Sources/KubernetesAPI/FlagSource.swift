import ExecutorCore
package import HTTPTransport

/// The access that the command line names: `--server` with what goes with it (contract 01 §2, "Global flags").
package struct FlagSource: ClusterAccessSource {
    private let flags: [String: String]
    private let systemTrust: TrustAnchors

    /// - Parameters:
    ///   - flags: the values given, by name without dashes; the last one of each.
    ///   - systemTrust: used where no authority is named.
    package init(_ flags: [String: String], systemTrust: TrustAnchors = .system()) {
        self.flags = flags.filter { !$0.value.isEmpty }
        self.systemTrust = systemTrust
    }

    /// What we know how to honour; others must not be passed over in silence.
    private static let honoured: Set<String> = [
        "server", "token", "certificate-authority", "insecure-skip-tls-verify", "namespace", "disable-compression",
    ]

    /// Nil where no server is named.
    ///
    /// - Throws: `ExecutorError` for a flag that would change who we are or whom we ask, and that is not supported.
    package func load() throws -> ClusterAccess? {
        let unsupported = flags.keys.filter { !Self.honoured.contains($0) }.sorted()
        if let first = unsupported.first {
            throw ExecutorError.badRequest("load the client configuration: the flag --\(first) is not supported")
        }
        guard let server = flags["server"] else { return nil }
        var trust = systemTrust
        if flags["insecure-skip-tls-verify"] == "true" {
            trust = .insecure
        } else if let file = flags["certificate-authority"] {
            trust = .certificates(try SmallFile.read(BytePath(file), limit: 16 << 20))
        }
        return ClusterAccess(
            server: server.hasSuffix("/") ? String(server.dropLast()) : server, trust: trust,
            token: flags["token"].map { .fixed(Secret($0)) }, namespace: flags["namespace"] ?? "default")
    }
}
