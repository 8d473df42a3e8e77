import ArtifactRegistry
import Artifacts
import Documents
import Foundation
import HTTPTransport
import SystemSupport
import TestSupport
import WorkflowModel

/// Locations behind URLs, with secrets of a test's own.
struct HTTPFixture: Sendable {
    let folder: TemporaryFolder
    let log = LogRecorder()
    /// PEM of the authority to trust; nil for none.
    var authority: String?

    init() throws { folder = try TemporaryFolder() }

    /// With the secrets and the authority of the shared web server: `web/user`, `web/password`, `web/wrong`, `web/id`,
    /// `web/secret`, `web/certificate`, `web/key`.
    init(_ server: WebServer) throws {
        try self.init()
        authority = server.authority
        for (key, value) in [
            ("user", server.user), ("password", server.password + "\n"), ("wrong", "not-the-password"), ("id", server.clientID),
            ("secret", server.clientSecret + "\n"), ("certificate", try server.pem("client.crt")),
            ("key", try server.pem("client.key")),
        ] {
            try secret(key, value)
        }
    }

    func secret(_ key: String, _ value: String) throws { try folder.write(Data(value.utf8), to: "secret/web/\(key)") }

    /// Names a key of the fixture's secret.
    static func selector(_ key: String) -> JSONValue { ["name": "web", "key": .string(key)] }

    static let basicAuth: JSONValue = [
        "basicAuth": ["usernameSecret": selector("user"), "passwordSecret": selector("password")]
    ]
    static let clientCert: JSONValue = [
        "clientCertSecret": selector("certificate"), "clientKeySecret": selector("key"),
    ]

    /// What a token is asked for with; the token endpoint's URL is the secret `web/token`.
    static let oauth2: JSONValue = [
        "clientIDSecret": selector("id"), "clientSecretSecret": selector("secret"), "tokenURLSecret": selector("token"),
        "scopes": ["read", "write"], "endpointParams": [["key": "audience", "value": "the store"]],
    ]

    var context: DriverContext {
        let trust = authority.map { TrustAnchors.system(file: $0, directories: "/nonexistent") }
        return DriverContext(
            registry: ArtifactDrivers(),
            clients: HTTPClients(
                HTTPClientConfiguration(trust: trust ?? .system(file: "/dev/null", directories: "/nonexistent"))),
            log: log.log, executorBackoff: Backoff(duration: 1_000_000, factor: 1, jitter: 0, steps: 5),
            secretsDirectory: path("secret"), requestBackoff: nil, spoolDirectory: path("."))
    }

    func path(_ name: String) -> BytePath { BytePath(folder.url.appending(path: name).path) }

    /// The store at a URL.
    ///
    /// - Parameter more: further fields of the location.
    func store(_ url: String, _ more: JSONValue = [:], context: DriverContext? = nil) throws -> ArtifactStore {
        try store(["http": fields(url, more)], context: context)
    }

    func artifactory(_ url: String, _ more: JSONValue = [:]) throws -> ArtifactStore {
        var location: JSONValue = [
            "url": .string(url), "usernameSecret": Self.selector("user"), "passwordSecret": Self.selector("password"),
        ]
        for member in more.object?.members ?? [] { location[member.name] = member.value.isNull ? nil : member.value }
        return try store(["artifactory": location])
    }

    private func fields(_ url: String, _ more: JSONValue) -> JSONValue {
        var location: JSONValue = ["url": .string(url)]
        for member in more.object?.members ?? [] { location[member.name] = member.value }
        return location
    }

    /// The store at a location of any kind.
    func store(_ location: JSONValue, context: DriverContext? = nil) throws -> ArtifactStore {
        try (context ?? self.context).store(for: ArtifactLocation(document: location), artifactName: "data")
    }

    /// Saves bytes as a file.
    func save(_ bytes: [UInt8], to store: ArtifactStore) throws {
        let file = folder.url.appending(path: "to-save-\(UUID().uuidString)")
        try Data(bytes).write(to: file)
        try store.upload.file(at: BytePath(file.path))
    }
}
