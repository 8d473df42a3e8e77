import Documents
import SystemSupport
import WorkflowFiles
import WorkflowModel
import WorkflowPlanning

/// The attempts of a node that may be tried again, by their ids in order.
struct Attempts: Sendable {
    var attempts: [String] = []
}

/// Trying again.
extension WorkflowRun {
    /// Goes on with the attempts of a node: looks at the last, and begins the next where one is due.
    mutating func runAttempts(_ execution: Execution) throws(StepError) {
        do throws(StepError) { try goOnTrying(execution) } catch {
            mark(id(of: execution.name), .error, error.message)
            throw error
        }
    }

    private mutating func goOnTrying(_ execution: Execution) throws(StepError) {
        let id = id(of: execution.name)
        guard let strategy = execution.retry else { return }
        while store[id]?.phase.isFulfilled == false {
            if let last = retries[id]?.attempts.last {
                // What keeps it from running has been marked.
                try leavingErrors { (run) throws(StepError) in try run.visit(last) }
                guard let node = store[last] else { return }
                if node.isDaemoned {
                    store.edit(id) { $0.isDaemoned = true }
                    if !daemons.contains(id) { daemons.append(id) }
                    mark(id, node.phase)
                    return
                }
                guard node.phase.isFulfilled else { return }
                store.edit(id) { $0.isDaemoned = false }
                switch try next(after: node, of: execution, strategy) {
                case .end(let phase, let message):
                    store.edit(id) { $0.outputs = node.outputs }
                    return mark(id, phase, message)
                case .wait(let time, let message):
                    alarms[id] = time
                    actions.append(.wake(at: time))
                    return mark(id, .running, message)
                case .again(let limit): try begin(execution, after: node, limit)
                }
            } else {
                try begin(execution, after: nil, nil)
            }
        }
    }

    private enum Next {
        case end(NodePhase, String)
        case wait(until: Timestamp, String)
        /// At once; the next attempt must have ended at a time.
        case again(Timestamp?)
    }

    /// What follows an attempt that has ended.
    private func next(after last: Node, of execution: Execution, _ strategy: JSONValue) throws(StepError) -> Next {
        if !last.phase.isFailure { return .end(.succeeded, "") }
        if isShuttingDown { return .end(last.phase, Self.stopMessage) }
        if isPastDeadline, !execution.isOnExit {
            return .end(last.phase, "retry exceeded workflow deadline \(deadline?.rfc3339() ?? "")")
        }
        let attempts = retries[id(of: execution.name)]?.attempts ?? []
        let backoff = strategy["backoff"].flatMap { $0.isNull ? nil : $0 }
        var wait: (time: Timestamp, duration: Int64)?
        var limit: Timestamp?
        if let backoff {
            if let most = try duration(backoff, "maxDuration"), let first = attempts.first.flatMap({ store[$0] }) {
                limit = first.startedAt.adding(most)
                if let limit, now > limit { return .end(last.phase, "Max duration limit exceeded") }
            }
            guard let pause = try pause(backoff, attempts.count) else {
                throw .text("no base duration specified for retryStrategy")
            }
            let time = (last.finishedAt ?? now).adding(pause)
            if let limit, time > limit { return .end(last.phase, "Backoff would exceed max duration limit") }
            wait = (time, pause)
        }
        if let end = try verdict(last, attempts.count, execution, strategy) { return end }
        if let wait, now < wait.time { return .wait(until: wait.time, "Backoff for \(Durations.shown(wait.duration))") }
        return .again(limit)
    }

    /// Why there is no next attempt; nil where there is one.
    private func verdict(
        _ last: Node, _ count: Int, _ execution: Execution, _ strategy: JSONValue
    ) throws(StepError) -> Next? {
        let expression = strategy["expression"]?.string ?? ""
        let policy = strategy["retryPolicy"]?.string ?? ""
        let isRepeated: Bool
        switch policy {
        case "Always": isRepeated = true
        case "OnError": isRepeated = last.phase == .error
        case "OnFailure": isRepeated = last.phase == .failed
        case "OnTransientError": isRepeated = TransientMessage.matches(last.message)
        case "": isRepeated = !expression.isEmpty || last.phase == .failed
        default: throw .text("\(policy) is not a valid RetryPolicy")
        }
        if !isRepeated { return .end(last.phase, last.message) }
        if let limit = strategy["limit"], !limit.isNull {
            guard let most = IntOrString(limit)?.int else {
                throw .text("retryStrategy.limit: '\(limit.string ?? limit.serializedText())' is no integer")
            }
            if count > most { return .end(last.phase, "No more retries left") }
        }
        if !expression.isEmpty {
            var scope = ExpressionScope()
            for (name, text) in lastRetry(last, count - 1, missingExitCode: "-1") { scope.add(name, .text(text)) }
            if try scope.holds(expression) == false { return .end(last.phase, "retryStrategy.expression evaluated to false") }
        }
        return nil
    }

    /// The variables that speak of the attempt before.
    private func lastRetry(_ last: Node?, _ number: Int, missingExitCode: String) -> [String: String] {
        let seconds = last.map { node in
            // Whole seconds, as the times of a cluster's nodes are.
            WorkflowVariables.seconds(from: node.startedAt, to: node.finishedAt ?? now).split(separator: ".")[0]
        }
        return [
            "retries": String(number),
            "lastRetry.exitCode": last?.outputs?["exitCode"]?.string ?? missingExitCode,
            "lastRetry.status": last?.phase.rawValue ?? "",
            "lastRetry.duration": String(seconds ?? "0"),
            "lastRetry.message": last?.message ?? "",
        ]
    }

    private mutating func begin(_ parent: Execution, after last: Node?, _ limit: Timestamp?) throws(StepError) {
        let id = id(of: parent.name)
        let number = retries[id]?.attempts.count ?? 0
        let name = "\(parent.name)(\(number))"
        let own = self.id(of: name)
        try requireRoom()
        mark(id, .running, "")
        var variables = lastRetry(last, number, missingExitCode: "0")
        let templateName = parent.template["name"]?.string ?? ""
        if parent.kind.isPod {
            variables["pod.name"] = NodeNames.podName(workflow: identity.name, nodeName: name, template: templateName)
        }
        let arguments = TemplateArguments(variables: globals.with(variables), settings: plan.settings)
        var entry = parent.entry
        entry.owner = id
        entry.flag = NodeFlag(isHooked: parent.entry.flag?.isHooked ?? false, isRetried: true)
        let template = try arguments.substituted(parent.template)
        let execution = Execution(
            name: name, call: parent.call, callSpace: parent.callSpace, entry: entry, template: template, kind: parent.kind,
            space: parent.space, usedResults: parent.usedResults, site: parent.site, retry: nil, limit: limit)
        retries[id]?.attempts.append(own)
        executions[own] = execution
        addChild(own, to: id)
        // An error of an attempt is its own: the strategy says what becomes of it.
        try leavingErrors { (run) throws(StepError) in try run.runBody(execution) }
    }

    /// Leaves an attempt's error to the strategy; but templates that call each other too deep would only do so again.
    private mutating func leavingErrors(
        _ body: (inout WorkflowRun) throws(StepError) -> Void
    ) throws(StepError) {
        do throws(StepError) { try body(&self) } catch { if error.kind == .depth { throw error } }
    }

    private func duration(_ backoff: JSONValue, _ field: String) throws(StepError) -> Int64? {
        guard let text = backoff[field]?.string, !text.isEmpty else { return nil }
        guard let nanoseconds = Durations.nanoseconds(text) else {
            throw .text("retryStrategy.backoff.\(field): unable to parse \(text) as a duration")
        }
        return nanoseconds
    }

    /// How long it is waited before the next attempt.
    private func pause(_ backoff: JSONValue, _ count: Int) throws(StepError) -> Int64? {
        guard var pause = try duration(backoff, "duration") else { return nil }
        if let factor = backoff["factor"].flatMap({ IntOrString($0)?.int }), factor > 0 {
            for _ in 1..<max(count, 1) {
                let (product, overflow) = pause.multipliedReportingOverflow(by: factor)
                pause = overflow ? Int64.max : product
                if overflow { break }
            }
        }
        if let cap = try duration(backoff, "cap") { pause = min(pause, cap) }
        return pause
    }
}

/// Messages of failures that time may mend, as the controller tells them.
enum TransientMessage {
    private static let parts = [
        "i/o timeout", "connection timed out", "connection reset by peer", "connection refused", "TLS handshake timeout",
        "transport connection broken", "net/http: request canceled", "exceeded quota", "the object has been modified",
        "too many requests", "Too Many Requests", "etcdserver: leader changed", "etcdserver: request timed out",
        "http2: client connection lost", "http2: server sent GOAWAY and closed the connection",
    ]

    static func matches(_ message: String) -> Bool { parts.contains { message.contains($0) } }
}
