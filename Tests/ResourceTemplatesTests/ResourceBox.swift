import Documents
import Executor
import Foundation
import HTTPTransport
import KubernetesAPI
import ProcessControl
import Synchronization
import SystemSupport
import TestSupport
import Testing
import WorkflowModel

@testable import ResourceTemplates

extension Trait where Self == ConditionTrait {
    /// The test runs where `scripts/test` has fetched kubectl.
    static var requiresKubectl: Self {
        .enabled("kubectl is not there: scripts/test fetches it on amd64") { Checkout.kubectlFolder != nil }
    }
}

/// Keeps what is reported, and may refuse it.
final class RecordingSink: TaskResultSink {
    private let state: Mutex<(calls: [String], document: JSONValue)> = Mutex(([], [:]))
    private let refusal: (any Error)?

    init(refusing refusal: (any Error)? = nil) { self.refusal = refusal }

    var calls: [String] { state.withLock { $0.calls } }
    var parameters: [String: String] {
        let items = state.withLock { $0.document["outputs"]?["parameters"]?.array ?? [] }
        return Dictionary(
            items.map { ($0["name"]?.string ?? "", $0["value"]?.string ?? "none") }, uniquingKeysWith: { first, _ in first })
    }
    var outputs: JSONValue? { state.withLock { $0.document["outputs"] } }

    func initialize() throws { try take("initialize", NodeResult()) }
    func report(_ result: NodeResult) throws { try take("report", result) }
    func finalize(_ result: NodeResult) throws { try take("finalize", result) }

    private func take(_ call: String, _ result: NodeResult) throws {
        state.withLock {
            $0.calls.append(call)
            $0.document = $0.document.merged(with: .object(result.document))
        }
        if let refusal { throw refusal }
    }
}

/// A place to run resource templates in: a kubeconfig, a folder for the manifest, and all that can be seen afterwards.
struct ResourceBox {
    let server: ClusterServer
    let folder: TemporaryFolder
    let sink: RecordingSink
    /// Stands for SIGTERM.
    let termination: EventDescriptor
    /// What kubectl writes on its standard error.
    let standardError: URL
    private let url: String
    private let token: String

    /// - Parameters:
    ///   - url: in place of the server's own.
    ///   - token: in place of that of the account which may act on resources.
    init(
        _ server: ClusterServer, url: String? = nil, token: String? = nil, sink: RecordingSink = RecordingSink()
    ) throws {
        self.server = server
        self.sink = sink
        self.url = url ?? server.url.absoluteString
        self.token = try token ?? #require(server.resourceToken)
        folder = try TemporaryFolder()
        termination = try EventDescriptor()
        standardError = folder.url.appending(path: "stderr")
        try folder.write(Data(), to: "stderr")
        let config: JSON = [
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [
                ["name": "c", "cluster": ["server": .string(self.url), "certificate-authority": .string(server.authority)]]
            ],
            "users": [["name": "c", "user": ["token": .string(self.token)]]],
            "contexts": [
                ["name": "c", "context": ["cluster": "c", "user": "c", "namespace": .string(server.namespace)]]
            ],
        ]
        try folder.write(config.data, to: "config")
    }

    /// Runs a template to its end.
    ///
    /// - Returns: the error that changes no exit code.
    @discardableResult
    func run(_ template: Template, interval: String = "50ms") async throws -> (any Error)? {
        // On a thread of its own: tests' tasks share few threads, and one that blocks would keep others from what it waits for.
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try runBlocking(template, interval: interval) })
            }
        }
    }

    private func runBlocking(_ template: Template, interval: String) throws -> (any Error)? {
        var settings = try ExecutorSettings(
            Environment([
                "ARGO_POD_NAME": "pod", "ARGO_DEADLINE": "0001-01-01T00:00:00Z", "RESOURCE_STATE_CHECK_INTERVAL": interval,
            ]))
        settings.paths.manifest = BytePath(folder.url.appending(path: "manifest.yaml").path)
        let access = ClusterAccess(
            server: url, trust: .certificates(try SmallFile.read(BytePath(server.authority))),
            credentials: GivenCredentials(token: .fixed(Secret(token))), namespace: server.namespace)
        let client = KubernetesClient(access: { access }, settings: .init(userAgent: "argoexec-test"))
        let path = "\(Checkout.kubectlFolder ?? ""):/usr/bin:/bin"
        let log = Log(sink: { [lines] line in lines.update { $0 += String(decoding: line, as: UTF8.self) } })
        let errors = try FileHandle(forUpdating: standardError)
        try errors.seekToEnd()
        defer { try? errors.close() }
        let tools = ToolBox(
            environment: ProcessEnvironment([
                BytePath("PATH=\(path)"), BytePath("KUBECONFIG=\(folder.url.path)/config"),
            ]),
            interruption: Interruption(termination), log: log, standardError: errors.fileDescriptor)
        return try ResourceRun(
            action: try #require(template.resource).action, settings: settings, template: template, sink: sink,
            reader: ClusterObjectReader(client, log: log), tools: tools
        ).run()
    }

    private let lines = Monitor("")
    /// What was logged.
    var log: String { lines.current }

    /// What kubectl and jq said.
    var said: String { (try? String(contentsOf: standardError, encoding: .utf8)) ?? "" }

    var configMaps: String { "api/v1/namespaces/\(server.namespace)/configmaps" }
}

/// A name that no other test has.
func freshName(_ prefix: String) -> String { "\(prefix)-\(UUID().uuidString.lowercased().prefix(8))" }
