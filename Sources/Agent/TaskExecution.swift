import Documents
import HTTPTransport
import SystemSupport
import WorkflowModel

/// Executes one task, whatever its kind.
struct TaskExecution: Sendable {
    /// What has come of a task.
    struct Outcome: Sendable {
        /// To be reported where it has a phase.
        var result: NodeResult
        /// When to work on it again, in nanoseconds; 0 for never.
        var requeue: Int64 = 0
    }

    let http: HTTPTask
    let plugins: [ExecutorPlugin]
    let pluginClient: HTTPClient
    let pluginAttempts: Backoff
    /// Of the workflow, as plugins are told of it.
    let workflow: JSONValue
    let stop: StopSwitch
    let log: Log

    /// - Parameter share: what answers may take up until the outcome is handed over.
    /// - Returns: nil where the agent was stopped meanwhile, so that nothing is known of the task.
    func run(_ task: AgentTask, _ share: AnswerShare) -> Outcome? {
        let template: Template
        do { template = try Template(document: task.template) } catch { return Self.unprocessed(errorText(error)) }
        do {
            if let document = template.http {
                return Outcome(result: try http.run(try HTTPTemplate(document: document), share))
            }
            if template.plugin != nil { return try ask(template, share) }
        } catch {
            if stop.isStopped { return nil }
            if let error = error as? OversizedAnswer {
                return Outcome(
                    result: NodeResult(
                        phase: .error,
                        message: "the request was answered, but with more than \(error.limit) bytes, which no task set can hold"
                    ))
            }
            return Outcome(result: NodeResult(phase: .failed, message: errorText(error)))
        }
        return Self.unprocessed("agent cannot execute: unknown task type: \(template.kind.rawValue)")
    }

    private static func unprocessed(_ cause: String) -> Outcome {
        Outcome(result: NodeResult(phase: .error, message: "error processing task: \(cause)"))
    }

    private func ask(_ template: Template, _ share: AnswerShare) throws -> Outcome {
        let body = JSONValue.object(["workflow": workflow, "template": template.document]).serialized()
        for plugin in plugins {
            let reply = try plugin.execute(body, pluginClient, attempts: pluginAttempts, share, stop: stop, log: log)
            guard let reply else { continue }
            return Outcome(result: reply.node, requeue: reply.node.phase == .succeeded ? 0 : reply.requeue)
        }
        throw ExecutorError.failed("no plugin executed the template")
    }
}
