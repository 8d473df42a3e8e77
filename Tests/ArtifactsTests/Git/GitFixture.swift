import ArtifactRegistry
import Artifacts
import Documents
import FileTrees
import Foundation
import GitArtifacts
import HTTPTransport
import SystemSupport
import TestSupport
import WorkflowModel

/// The shared git servers, and a folder of a test's own.
struct GitFixture: Sendable {
    let folder: TemporaryFolder
    let log = LogRecorder()
    let cancellation = TransferCancellation()
    private let authority: String
    private let details: [String: String]

    init() async throws {
        let server = try await ServerPool.shared.server(.git)
        details = server.details ?? [:]
        authority = server.authority ?? ""
        folder = try TemporaryFolder()
        let keys = URL(filePath: detail("sshFolder"))
        for (key, value) in [
            ("user", detail("user") + "\n"), ("password", detail("password") + "\n"), ("wrong", "wr0ng-pw"), ("empty", ""),
            ("client", try String(contentsOf: keys.appending(path: "client"), encoding: .utf8)),
            ("stranger", try String(contentsOf: keys.appending(path: "stranger"), encoding: .utf8)),
        ] { try folder.write(Data(value.utf8), to: "secret/git/\(key)") }
        for name in ["target", "spool"] {
            try FileManager.default.createDirectory(at: folder.url.appending(path: name), withIntermediateDirectories: true)
        }
    }

    func detail(_ name: String) -> String { details[name] ?? "" }
    func path(_ name: String) -> BytePath { BytePath(folder.url.appending(path: name).path) }

    var open: String { "http://127.0.0.1:\(detail("openPort"))" }
    var closed: String { "https://127.0.0.1:\(detail("closedPort"))" }
    var ssh: String { "ssh://git@127.0.0.1:\(detail("sshPort"))\(detail("repositories"))" }
    var knownHosts: String { detail("sshFolder") + "/known_hosts" }

    static func selector(_ key: String) -> JSONValue { ["name": "git", "key": .string(key)] }
    static let basic: JSONValue = ["usernameSecret": selector("user"), "passwordSecret": selector("password")]
    static let key: JSONValue = ["sshPrivateKeySecret": selector("client")]

    var context: DriverContext {
        var context = DriverContext(
            registry: ArtifactDrivers(), clients: HTTPClients(HTTPClientConfiguration(trust: .insecure)), log: log.log,
            executorBackoff: Backoff(duration: 1_000_000, factor: 1, jitter: 0, steps: 5), secretsDirectory: path("secret"),
            spoolDirectory: path("spool"), cancellation: cancellation)
        let search = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        context.clouds[GitEnvironment.self] = GitEnvironment(
            Environment(["PATH": search, "SSH_KNOWN_HOSTS": knownHosts, "SSL_CERT_FILE": authority]))
        return context
    }

    func store(_ repository: String, _ more: [JSONValue], context: DriverContext? = nil) throws -> ArtifactStore {
        var git: JSONValue = ["repo": .string(repository)]
        for member in more.flatMap({ $0.object?.members ?? [] }) { git[member.name] = member.value }
        return try (context ?? self.context).store(for: ArtifactLocation(document: ["git": git]), artifactName: "data")
    }

    /// Loads a repository into `target/tree`, where nothing else is left.
    func load(_ repository: String, _ more: JSONValue..., context: DriverContext? = nil) throws {
        let store = try store(repository, more, context: context)
        guard case .tree(let tree) = try store.find() else { throw StoreFixture.NoObject() }
        try store.download.tree(tree, at: "tree", in: ContainedDirectory(path("target")))
    }

    /// The error of a load that fails, after which nothing is left.
    func failure(_ repository: String, _ more: JSONValue..., context: DriverContext? = nil) throws -> String {
        do {
            let store = try store(repository, more, context: context)
            guard case .tree(let tree) = try store.find() else { throw StoreFixture.NoObject() }
            try store.download.tree(tree, at: "tree", in: ContainedDirectory(path("target")))
            return "nothing failed"
        } catch let error as any ClassifiedError {
            if error.isNotFound || error.isTransient { return "a class of its own: \(error.message)" }
            return try names("target").isEmpty ? error.message : "something is left: \(try names("target"))"
        }
    }

    func names(_ name: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path(name).text).sorted()
    }

    func content(_ name: String) throws -> String {
        try String(contentsOf: folder.url.appending(path: "target/tree/\(name)"), encoding: .utf8)
    }

    /// What git says in the loaded tree.
    func git(_ words: String...) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["git", "-C", path("target/tree").text, "-c", "safe.directory=*"] + words
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// What is in the configuration and the notes of the clone.
    func notes() throws -> String {
        try ["config", "FETCH_HEAD", "packed-refs"].map { (try? content(".git/\($0)")) ?? "" }.joined()
    }
}
