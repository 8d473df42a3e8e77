internal import Foundation

/// The shared nginx: one folder of files, reached through doors that protect it in different ways.
package struct WebServer: Sendable {
    /// A port of nginx.
    package enum Door: String, Sendable {
        case plain
        case tls
        /// User and password.
        case basic
        /// A token of one of the token endpoints.
        case bearer
        /// A client's certificate.
        case certificate
        /// Both of these.
        case bearerCertificate
        /// TLS with a certificate that has expired, is for another name, or comes from another authority.
        case expired, otherName, otherAuthority
        /// TLS 1.1 and nothing newer.
        case oldProtocol

        package var isSecure: Bool { ![.plain, .basic, .bearer].contains(self) }
    }

    package let user: String
    package let password: String
    package let clientID: String
    package let clientSecret: String
    /// File with the certificate authority, PEM.
    package let authority: String
    /// `host:port` of the token endpoints and redirects (`scripts/testbed/web.py` lists them).
    package let helper: String
    private let ports: [String: String]
    private let folder: URL
    private let admin: URL

    package static func shared() async throws -> WebServer {
        let server = try await ServerPool.shared.server(.nginx)
        guard let details = server.details, let admin = URL(string: server.admin) else {
            throw ServerUnavailable(description: "nginx tells nothing of itself")
        }
        func detail(_ name: String) -> String { details[name] ?? "" }
        return WebServer(
            user: detail("user"), password: detail("password"), clientID: detail("clientID"),
            clientSecret: detail("clientSecret"), authority: server.authority ?? "",
            helper: "127.0.0.1:\(detail("helperPort"))", ports: details, folder: URL(filePath: detail("folder")), admin: admin)
    }

    /// `host:port` of a door.
    package func endpoint(_ door: Door = .plain) -> String { "127.0.0.1:\(ports["\(door.rawValue)Port"] ?? "")" }

    /// The URL of a file, whose path is percent-encoded already.
    package func url(_ path: String, through door: Door = .plain) -> String {
        "\(door.isSecure ? "https" : "http")://\(endpoint(door))/\(path)"
    }

    /// A certificate or key that was made with the server, PEM: `client.crt`, `client.key`, `foreign.crt`…
    package func pem(_ name: String) throws -> String {
        try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }

    /// A folder of a test's own, as the first part of paths.
    package func makeFolder() -> String { "test-\(UUID().uuidString.lowercased())" }

    /// The bytes of a file; nil where there is none.
    package func get(_ path: String) -> [UInt8]? {
        (try? Data(contentsOf: folder.appending(path: "data").appending(path: path))).map { [UInt8]($0) }
    }

    /// Stores a file.
    package func put(_ bytes: [UInt8], _ path: String) throws {
        let file = folder.appending(path: "data").appending(path: path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
    }

    /// Makes all tokens given so far invalid.
    package func revokeTokens() async throws {
        _ = try await AdminRequest.send("POST", URL(string: "http://\(helper)/revoke")!, body: Data())
    }
}
