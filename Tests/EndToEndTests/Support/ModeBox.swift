import Foundation
import Glibc
import SystemSupport
import TestSupport
import Testing

extension Trait where Self == ConditionTrait {
    /// The test gives the program a `/tmp` of its own, which takes a mount.
    static var requiresMounts: Self { .enabled(if: geteuid() == 0, "needs root to mount") }

    /// The test runs where `scripts/test` has fetched kubectl.
    static var requiresKubectl: Self {
        .enabled("kubectl is not there: scripts/test fetches it on amd64") { Checkout.kubectlFolder != nil }
    }
}

/// The built program in a mode that has no pod of the testbed, at a real API server: the environment that the controller gives to its
/// container, and all that is seen of it.
struct ModeBox {
    let server: ClusterServer
    /// The program has it as `/mnt`, and its folder `tmp` as `/tmp`.
    let folder: TemporaryFolder
    var environment: [String: String]

    /// - Parameters:
    ///   - token: of a service account.
    ///   - url: of the API server, in place of its own.
    init(_ server: ClusterServer, token: String, url: String? = nil) throws {
        self.server = server
        folder = try TemporaryFolder()
        for name in ["run", "tmp"] {
            try FileManager.default.createDirectory(at: folder.url.appending(path: name), withIntermediateDirectories: true)
        }
        try folder.write(Data(), to: "argoexec")
        let authority = try Data(contentsOf: URL(filePath: server.authority)).base64EncodedString()
        let config: JSON = [
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [
                [
                    "name": "c",
                    "cluster": [
                        "server": .string(url ?? server.url.absoluteString), "certificate-authority-data": .string(authority),
                    ],
                ]
            ],
            "users": [["name": "c", "user": ["token": .string(token)]]],
            "contexts": [
                ["name": "c", "context": ["cluster": "c", "user": "c", "namespace": .string(server.namespace)]]
            ],
        ]
        try folder.write(config.data, to: "config")
        let name = "mode-\(UUID().uuidString.lowercased().prefix(8))"
        environment = [
            "PATH": "\(Checkout.kubectlFolder ?? ""):/usr/bin:/bin", "KUBECONFIG": "/mnt/config", "HOME": "/mnt",
            "ARGOEXEC_RUN_DIRECTORY": "/mnt/run", "ARGOEXEC_TERMINATION_LOG": "/mnt/termination-log",
            "ARGO_POD_NAME": name, "ARGO_WORKFLOW_NAME": name, "ARGO_WORKFLOW_UID": "uid", "ARGO_NODE_ID": name,
            "ARGO_DEADLINE": "0001-01-01T00:00:00Z", "RESOURCE_STATE_CHECK_INTERVAL": "100ms",
            "EXECUTOR_RETRY_BACKOFF_DURATION": "10ms",
            "TRACEPARENT": "00-\(Self.trace)-\(Self.parent)-01",
        ]
    }

    static let trace = "0af7651916cd43dd8448eb211c80319c"
    static let parent = "b7ad6b7169203331"

    /// Of the workflow, the node and the pod alike.
    var name: String { environment["ARGO_NODE_ID"] ?? "" }

    /// Starts the program.
    func start(_ words: [String]) throws -> ToolProcess {
        let script =
            #"mount --bind "$1" /mnt && mount --bind "$2" /mnt/argoexec && mount --bind /mnt/tmp /tmp && cd / && shift 2 && exec "$@""#
        return try ToolProcess(
            URL(filePath: "/usr/bin/unshare"),
            ["-m", "sh", "-c", script, "sh", folder.url.path, Checkout.executor.path, "/mnt/argoexec"] + words,
            environment: environment)
    }

    /// Waits for something that the program is to do; fails at once where it has ended, and ends it where it does not do so. Either way
    /// the error has the program's log.
    func happens(_ what: String, in process: ToolProcess, _ condition: () async throws -> Bool) async throws {
        do {
            try await TestSupport.happens(what) {
                let hasEnded = process.hasEnded
                if try await condition() { return true }
                if hasEnded { throw NeverHappened(description: "\(what): the program has ended") }
                return false
            }
        } catch {
            kill(process.identifier, SIGKILL)
            throw NeverHappened(description: "\(error): \(process.diagnostics)")
        }
    }

    /// Runs it to its end.
    func run(_ words: [String]) async throws -> Outcome { await outcome(of: try start(words)) }

    func outcome(of process: ToolProcess) async -> Outcome {
        let code = await process.exitStatus()
        let message = try? String(contentsOf: folder.url.appending(path: "termination-log"), encoding: .utf8)
        return Outcome(exitCode: code, message: message ?? "", log: process.diagnostics)
    }

    struct Outcome {
        let exitCode: Int32
        /// The termination message.
        let message: String
        /// Standard error.
        let log: String

        /// The records with a message.
        func lines(_ message: String) -> [Substring] {
            log.split(separator: "\n").filter { $0.contains(" msg=\(message) ") || $0.contains(" msg=\"\(message)\" ") }
        }
    }

    func taskResult() async throws -> JSON? { try await server.taskResult(name) }
}
