import Agent
import Artifacts
import CommandLineInterface
import Documents
import Executor
import ExpressionValues
import Expressions
import Glibc
import HTTPTransport
import ProcessControl
import SystemSupport

extension Command<GlobalSettings> {
    /// `agent main`: executes the HTTP and plugin templates of a workflow (contract 02 §13).
    static let agentMain = Command("agent main", "Execute the HTTP and plugin templates of a workflow") { call in
        let log = try call.global.makeLog()
        let environment = Environment.current()
        let paths = ExecutorPaths(environment)
        return try leavingTerminationMessage(paths.terminationLog, log) {
            announceAgent("agent main", environment, log)
            // Before any thread is started, so that the signal is blocked in every thread.
            let signals = try SignalDescriptor([SIGTERM])
            let settings = try agentSettings(environment)
            let plugins = try executorPlugins(environment, paths)
            let services = try StoreServices(environment, log: log)
            let drivers = services.drivers(secrets: paths.secrets)
            let cluster = ClusterServices(
                call.global.client, environment, trust: services.trust, proxy: services.proxy,
                isTransientText: drivers.isTransientText, log: log)
            let agent = AgentRun(
                settings, client: cluster.client(userAgent: UserAgent.text + "/agent Executor"),
                clients: AgentClients(
                    HTTPClientConfiguration(trust: services.trust, proxy: services.proxy, userAgent: UserAgent.text)),
                plugins: plugins, evaluate: evaluateCondition, log: log)
            try stoppingOnce(by: signals) { agent.stop() }
            try agent.run()
            return ExitCode.success
        }
    }
}

/// - Throws: `StartFailure`: exit code 1 for a variable that is missing, 2 for one that cannot be understood.
private func agentSettings(_ environment: Environment) throws(StartFailure) -> AgentSettings {
    func required(_ variable: EnvironmentVariable) throws(StartFailure) -> String {
        guard let value = environment[variable] else {
            throw .fatal("read the environment: \(variable.rawValue) is not set")
        }
        return value
    }
    let name = try required(.workflowName)
    let uid = try required(.workflowUID)
    var workers = 16
    if let text = environment.nonEmpty(.agentTaskWorkers) {
        guard let number = Int(text) else {
            throw .panic("read \(EnvironmentVariable.agentTaskWorkers.rawValue): \"\(text)\" is not a number")
        }
        // Without any nothing would ever be done, and each has a thread.
        workers = min(max(1, number), 256)
    }
    var rate: Int64 = 10_000_000_000
    if let text = environment.nonEmpty(.agentPatchRate) {
        guard let duration = GoDuration.nanoseconds(text), duration > 0 else {
            throw .panic("read \(EnvironmentVariable.agentPatchRate.rawValue): \"\(text)\" is not a positive duration")
        }
        rate = duration
    }
    return AgentSettings(
        workflowName: name, workflowUID: uid, workers: workers, patchRate: rate,
        secretAttempts: try .defaultRetry(environment, orFail: StartFailure.panic))
}

/// - Throws: `StartFailure` with exit code 1.
private func executorPlugins(_ environment: Environment, _ paths: ExecutorPaths) throws(StartFailure) -> [ExecutorPlugin] {
    let addresses = try pluginList(.pluginAddresses, environment)
    let names = try pluginList(.pluginNames, environment)
    guard addresses.count <= names.count else {
        throw .fatal("read the environment: there are \(addresses.count) addresses of plugins, and \(names.count) names")
    }
    let tokens = PluginTokens(in: paths.runDirectory)
    var plugins: [ExecutorPlugin] = []
    for (address, name) in zip(addresses, names) {
        do { plugins.append(ExecutorPlugin(name: name, address: address, token: try tokens.token(of: name))) } catch {
            throw .fatal(errorText(error))
        }
    }
    return plugins
}

/// Decides a success condition, with the built-in functions alone (contract 02 §13).
private let evaluateCondition: ConditionEvaluator = { condition, variables in
    let variables = (variables.object?.members ?? []).map { ($0.name, ExpressionValue($0.value)) }
    return try Expression.holds(condition, in: ExpressionEnvironment(variables))
}
