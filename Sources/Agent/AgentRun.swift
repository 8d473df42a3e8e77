import Documents
package import KubernetesAPI
package import SystemSupport
import WorkflowModel

/// The agent of a workflow: executes the tasks of its task set and reports their results there (contract 02 §13, 04 §7).
package final class AgentRun: Sendable {
    private static let completedLabel = "workflows.argoproj.io/completed"
    /// How long workers that were called off may take to end, in nanoseconds.
    private static let farewell: Int64 = 5_000_000_000
    private static let finalPhases: Set<NodeResult.Phase> = [.succeeded, .failed, .error, .skipped, .omitted]

    private let settings: AgentSettings
    private let client: KubernetesClient
    private let clients: AgentClients
    private let plugins: [ExecutorPlugin]
    private let evaluate: ConditionEvaluator
    private let patience: ResourceWatch.Patience
    private let log: Log
    private let queue = TaskQueue()
    private let stopSwitch = StopSwitch()
    private let working = Monitor(0)
    private let answers: AnswerRoom

    /// - Parameters:
    ///   - plugins: asked in this order.
    ///   - evaluate: decides success conditions.
    package init(
        _ settings: AgentSettings, client: KubernetesClient, clients: AgentClients, plugins: [ExecutorPlugin],
        evaluate: @escaping ConditionEvaluator, patience: ResourceWatch.Patience = ResourceWatch.Patience(), log: Log
    ) {
        self.settings = settings
        self.client = client
        self.clients = clients
        self.plugins = plugins
        self.evaluate = evaluate
        self.patience = patience
        self.log = log
        answers = AnswerRoom(stop: stopSwitch)
    }

    /// Ends what is under way; `run` then reports what is known so far. May be called from any thread.
    package func stop() {
        stopSwitch.stop()
        queue.stop()
        client.cancel()
        clients.cancelAll()
    }

    /// Runs until the workflow is completed or its task set deleted.
    ///
    /// - Throws: the error of a watch that cannot be opened, of loading the client configuration, and one when stopped.
    package func run() throws {
        let namespace = try client.namespace()
        let reporter = ResultReporter(client, settings: settings, stop: stopSwitch, log: log)
        try start(namespace, reporter)
        log.info("the agent works", ["workflow": .text(settings.workflowName), "taskWorkers": .count(settings.workers)])
        let selection = ResourceSelection(
            ResourcePath(.taskSets), fields: "metadata.name=\(settings.workflowName)")
        let stopSwitch = stopSwitch
        let watch = ResourceWatch(
            client, selection, continuity: .whole, patience: patience, log: log, pause: { stopSwitch.sleep($0) })
        var isKnown = false
        var failure: (any Error)?
        do { try watch.run { try take($0, &isKnown) } } catch { failure = error }
        let wasStopped = stopSwitch.isStopped
        stop()
        if !wasStopped, failure == nil { return }
        _ = working.wait(atMost: Self.farewell) { $0 == 0 ? true : nil }
        reporter.reportLast()
        throw failure ?? ExecutorError.failed("watch the task set: context canceled")
    }

    private func start(_ namespace: String, _ reporter: ResultReporter) throws {
        let execution = TaskExecution(
            http: HTTPTask(
                clients: clients, secrets: SecretValues(client, attempts: settings.secretAttempts, stop: stopSwitch),
                evaluate: evaluate),
            plugins: plugins, pluginClient: clients.plugins, pluginAttempts: settings.pluginAttempts,
            workflow: [
                "metadata": [
                    "name": .string(settings.workflowName), "namespace": .string(namespace),
                    "uid": .string(settings.workflowUID),
                ]
            ], stop: stopSwitch, log: log)
        try WorkerThread { reporter.run() }.detach()
        for _ in 0..<max(1, settings.workers) {
            working.update { $0 += 1 }
            do {
                try WorkerThread { [self] in
                    work(execution, reporter)
                    working.update { $0 -= 1 }
                }.detach()
            } catch {
                working.update { $0 -= 1 }
                // Fewer do the same work.
                if working.current == 0 { throw error }
                return log.warn("cannot start all task workers", ["error": .error(error)])
            }
        }
    }

    private func work(_ execution: TaskExecution, _ reporter: ResultReporter) {
        while true {
            reporter.waitForRoom()
            guard let task = queue.take() else { return }
            let log = log.with(["nodeID": .text(task.nodeID)])
            log.info("processing task")
            let share = answers.share()
            defer { share.end() }
            guard let outcome = execution.run(task, share) else { return log.info("the task was called off") }
            log.info(
                "task processed",
                [
                    "phase": .text(outcome.result.phase?.rawValue ?? ""), "message": .text(outcome.result.message),
                    "requeueMilliseconds": .integer(outcome.requeue / 1_000_000),
                ])
            if outcome.result.phase != nil {
                reporter.add(task.nodeID, outcome.result)
                // While a large answer's place is still held: what waits to be reported counts too.
                reporter.waitForRoom()
            }
            if outcome.requeue > 0 { queue.requeue(task, after: outcome.requeue) }
        }
    }

    // MARK: The task set

    /// - Returns: false where there is nothing more to do.
    private func take(_ notice: ResourceWatch.Notice, _ isKnown: inout Bool) throws -> Bool {
        switch notice {
        case .nothingThere:
            if isKnown { log.info("the task set is gone") }
            return !isKnown
        case .listed(let objects):
            for object in objects { offer(object) }
            return true
        case .changed(let event):
            isKnown = true
            log.debug("event of the task set", ["type": .text(event.kind.rawValue)])
            if event.kind == .deleted {
                log.info("the task set was deleted")
                return false
            }
            if event.object["metadata"]?["labels"]?[Self.completedLabel]?.string == "true" {
                log.info("the workflow is completed")
                return false
            }
            offer(event.object)
            return true
        }
    }

    private func offer(_ taskSet: JSONValue) {
        let results = taskSet["status"]?["nodes"]
        var tasks: [AgentTask] = []
        for task in taskSet["spec"]?["tasks"]?.object?.members ?? [] {
            // An agent before this one has done it, or nearly so: a request must not be made twice (contract 05 C3).
            if let phase = results?[task.name]?["phase"]?.string, !phase.isEmpty {
                let isPlugin = !(task.value["plugin"]?.isNull ?? true)
                if !isPlugin || Self.finalPhases.contains(NodeResult.Phase(rawValue: phase)) { continue }
            }
            tasks.append(AgentTask(nodeID: task.name, template: task.value))
        }
        let count = queue.offer(tasks)
        if count > 0 { log.info("tasks received", ["count": .count(count)]) }
    }
}
