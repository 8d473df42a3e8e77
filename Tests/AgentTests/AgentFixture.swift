import Documents
import Foundation
import HTTPTransport
import KubernetesAPI
import SystemSupport
import TestSupport
import Testing

@testable import Agent

/// An agent of a workflow of its own, at a real API server.
final class AgentFixture: Sendable {
    static let rules: [JSON] = [
        ClusterServer.rule("argoproj.io", "workflowtasksets", ["list", "watch"]),
        ClusterServer.rule("argoproj.io", "workflowtasksets/status", ["patch"]),
        ClusterServer.rule("", "secrets", ["get"]),
    ]

    let server: ClusterServer
    let workflow: String
    /// Nil until the agent has ended; then its error, or none.
    private let ending = Monitor(Result<Void, any Error>?.none)
    private let agent = Monitor(AgentRun?.none)

    init(_ workflow: String) async throws {
        server = try await ClusterServer.shared(.kubernetes)
        self.workflow = workflow + "-" + UUID().uuidString.prefix(8).lowercased()
    }

    func makeTaskSet(_ tasks: JSON, status: JSON? = nil) async throws {
        let object = ClusterServer.object("argoproj.io/v1alpha1", "WorkflowTaskSet", workflow, ["spec": ["tasks": tasks]])
        try await server.make(server.argo("workflowtasksets"), object)
        if let status {
            try await server.merge("\(server.argo("workflowtasksets"))/\(workflow)/status", ["status": ["nodes": status]])
        }
    }

    func change(_ patch: JSON) async throws { try await server.merge("\(server.argo("workflowtasksets"))/\(workflow)", patch) }

    func complete() async throws {
        try await change(["metadata": ["labels": ["workflows.argoproj.io/completed": "true"]]])
    }

    /// The nodes as the API server holds them.
    func nodes() async throws -> JSON? {
        try await server.read("\(server.argo("workflowtasksets"))/\(workflow)")?["status"]?["nodes"]
    }

    /// Waits for nodes that satisfy a condition.
    func nodes(_ what: String, _ condition: (JSON) -> Bool) async throws -> JSON {
        var found: JSON?
        try await happens(what) {
            if let nodes = try await nodes(), condition(nodes) { found = nodes }
            if found == nil, let ended = ending.current {
                throw NeverHappened(description: "\(what): the agent has ended: \(ended)")
            }
            return found != nil
        }
        return try #require(found)
    }

    func client(token: String? = nil, port: Int? = nil) async throws -> KubernetesClient {
        let given: String
        if let token { given = token } else { given = try await server.account("agent", rules: Self.rules) }
        let access = ClusterAccess(
            server: port.map { "https://127.0.0.1:\($0)" } ?? server.url.absoluteString,
            trust: .certificates(try SmallFile.read(BytePath(server.authority))),
            credentials: GivenCredentials(token: .fixed(Secret(given))), namespace: server.namespace)
        return KubernetesClient(access: { access }, settings: .init(userAgent: "argoexec-test"))
    }

    /// Starts an agent on a thread of its own.
    func start(
        _ client: KubernetesClient, plugins: [ExecutorPlugin] = [], workers: Int = 4, rate: Int64 = 50_000_000,
        refusals: Int64 = 30_000_000_000, log: Log = .silent,
        evaluate: @escaping ConditionEvaluator = { text, _ in throw ExecutorError.failed("no expressions: \(text)") }
    ) throws {
        let quick = Backoff(duration: 20_000_000, factor: 1.5, jitter: 0, steps: 5, cap: 200_000_000)
        var settings = AgentSettings(
            workflowName: workflow, workflowUID: "uid", workers: workers, patchRate: rate, secretAttempts: quick)
        settings.reportAttempts = quick
        settings.pluginAttempts = quick
        var endless = quick
        endless.steps = .max
        let run = AgentRun(
            settings, client: client, clients: AgentClients(HTTPClientConfiguration(userAgent: "test")), plugins: plugins,
            evaluate: evaluate, patience: .init(backoff: endless, refusals: refusals, shortStream: 100_000_000), log: log)
        agent.update { $0 = run }
        ending.update { $0 = nil }
        let ending = ending
        try WorkerThread {
            let result = Result { try run.run() }
            ending.update { $0 = result }
        }.detach()
    }

    func stop() { agent.current?.stop() }

    /// Waits for the agent's end.
    func end() async throws {
        try await happens("the agent ends") { ending.current != nil }
        try #require(ending.current).get()
    }
}

/// Requests of an HTTP template's server, and its answers by path.
func webServer(_ answer: @escaping @Sendable (ScriptedServer.Conversation, ScriptedServer.SeenRequest) -> Void) throws
    -> ScriptedServer
{
    try ScriptedServer(answering: answer)
}
