import Documents
import KubernetesAPI
import SystemSupport
import WorkflowModel

/// Carries results to the task set's status: at a fixed rate, many by one request, and nothing is dropped before the API server has
/// it (contract 02 §13, 05 C2).
final class ResultReporter: Sendable {
    /// Bytes of results in one request; objects have at most 1.5 MiB.
    private static let requestBudget = 384 << 10
    /// Bytes of results that wait, above which no further task is begun.
    private static let waitingBudget = 6 << 20
    /// Attempts, one a tick, for a result that only does not fit because of what the controller has yet to take away.
    private static let mostRefusals = 30
    /// Bytes above which no room that the controller makes would help.
    private static let largestResult = 1 << 20
    /// Seconds for what is reported after SIGTERM, for each request and for all.
    private static let lastWords = 10

    private struct Entry: Sendable {
        let nodeID: String
        let document: JSONValue
        let size: Int
        /// Which of several results of a node it is.
        let generation: Int
        /// How often it has been refused for its size.
        var refusals = 0
    }

    private struct State: Sendable {
        var waiting: [String: Entry] = [:]
        var bytes = 0
        var generation = 0

        mutating func put(_ nodeID: String, _ document: JSONValue) {
            remove(nodeID)
            generation += 1
            let size = document.serialized().count + nodeID.utf8.count
            waiting[nodeID] = Entry(nodeID: nodeID, document: document, size: size, generation: generation)
            bytes += size
        }

        mutating func remove(_ nodeID: String) { bytes -= waiting.removeValue(forKey: nodeID)?.size ?? 0 }
    }

    private let path: ResourcePath
    private let client: KubernetesClient
    private let settings: AgentSettings
    private let stop: StopSwitch
    private let log: Log
    private let state = Monitor(State())

    init(_ client: KubernetesClient, settings: AgentSettings, stop: StopSwitch, log: Log) {
        path = ResourcePath(.taskSets, name: settings.workflowName, subresource: "status")
        self.client = client
        self.settings = settings
        self.stop = stop
        self.log = log
    }

    /// Takes a result, in place of an earlier one of the node that still waits.
    func add(_ nodeID: String, _ result: NodeResult) { state.update { $0.put(nodeID, .object(result.document)) } }

    /// Waits until there is room for another result.
    func waitForRoom() {
        while !stop.isStopped {
            if state.wait(atMost: 1_000_000_000, { $0.bytes < Self.waitingBudget ? true : nil }) != nil { return }
        }
    }

    /// Reports at the settings' rate until stopped.
    func run() {
        while stop.sleep(settings.patchRate) { report() }
    }

    /// Reports what waits.
    func report() {
        for portion in portions() {
            guard !stop.isStopped, send(portion) else { return }
        }
    }

    /// Reports what waits once more, though the client has been cancelled.
    func reportLast() {
        let end = monotonicNanoseconds(after: Int64(Self.lastWords) * 1_000_000_000)
        for portion in portions() where monotonicNanoseconds() < end {
            do {
                try patch(portion, CallOptions(outlivesCancellation: true, timeLimit: Self.lastWords))
                forget(portion)
            } catch { log.error("results are lost", ["count": .count(portion.count), "error": .error(error)]) }
        }
    }

    /// What waits, in the order in which it came, cut into pieces that fit a request.
    private func portions() -> [[Entry]] {
        let entries = state.current.waiting.values.sorted { $0.generation < $1.generation }
        var portions: [[Entry]] = []
        var size = 0
        for entry in entries {
            if portions.isEmpty || size + entry.size > Self.requestBudget {
                portions.append([])
                size = 0
            }
            portions[portions.count - 1].append(entry)
            size += entry.size
        }
        return portions
    }

    /// - Returns: false where more requests would fail likewise for now.
    private func send(_ entries: [Entry]) -> Bool {
        do {
            try settings.reportAttempts.run(
                sleep: { stop.sleep($0) },
                onRetry: { error, _ in log.warn("report results: trying again", ["error": .error(error)]) }
            ) { try patch(entries, CallOptions()) }
            forget(entries)
            log.info("results reported", ["count": .count(entries.count)])
            return true
        } catch {
            let refusal = error as? APIError
            if refusal?.isCancelled == true { return false }
            log.error("cannot report results", ["count": .count(entries.count), "error": .error(error)])
            guard let refusal, !refusal.isTransient else { return false }
            if entries.count > 1, Self.isAboutContent(refusal) {
                // One of them is to blame; the others need not suffer.
                let middle = entries.count / 2
                return send(Array(entries[..<middle])) && send(Array(entries[middle...]))
            }
            for entry in entries { replace(entry, refusal) }
            return true
        }
    }

    private func patch(_ entries: [Entry], _ options: CallOptions) throws {
        let nodes = JSONObject(entries.map { ($0.nodeID, $0.document) })
        _ = try client.patch(path, .merge, ["status": ["nodes": .object(nodes)]], options)
    }

    private func forget(_ entries: [Entry]) {
        state.update { state in
            for entry in entries where state.waiting[entry.nodeID]?.generation == entry.generation {
                state.remove(entry.nodeID)
            }
        }
    }

    /// Has an error reported in place of a result that the API server will not take.
    private func replace(_ entry: Entry, _ refusal: APIError) {
        state.update { state in
            guard var current = state.waiting[entry.nodeID], current.generation == entry.generation else { return }
            if Self.isAboutSize(refusal), entry.size < Self.largestResult, current.refusals < Self.mostRefusals {
                current.refusals += 1
                state.waiting[entry.nodeID] = current
                return
            }
            let message =
                "HTTP request completed successfully but an error occurred when patching its result: "
                + String(decoding: refusal.message.utf8.prefix(4096), as: UTF8.self)
            state.put(entry.nodeID, .object(NodeResult(phase: .error, message: message).document))
        }
    }

    private static func isAboutContent(_ refusal: APIError) -> Bool {
        [400, 413, 422].contains(refusal.status) || isAboutSize(refusal)
    }

    private static func isAboutSize(_ refusal: APIError) -> Bool {
        refusal.status == 413 || refusal.message.contains("too large")
            || refusal.message.contains("trying to send message larger")
    }
}
