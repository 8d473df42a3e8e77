package import Foundation
import Glibc
import Synchronization

/// How a container ended.
package struct ContainerOutcome: Sendable {
    /// The exit code; 128 + n after signal n, 128 where it could not be started.
    package let exitCode: Int
    /// The termination message.
    package let message: String
    package let standardOutput: String
    package let standardError: String
    /// Seconds from start to end.
    package let seconds: Double
    /// Largest resident size of the first process, KiB.
    package let residentKiB: Int
    /// Most memory charged to the container's control group, KiB; nil without a limit.
    package let groupPeakKiB: Int?
}

/// How a pod ended: the containers by name. One that never started is missing.
package struct PodOutcome: Sendable {
    package let containers: [String: ContainerOutcome]
    /// Whether the player gave up waiting and ended the pod.
    package let timedOut: Bool

    package subscript(_ container: String) -> ContainerOutcome? { containers[container] }
}

/// A pod that plays: init containers in order, then the others side by side, each in a sandbox of its own.
package final class PodPlayer: Sendable {
    /// The folder with the pod's volumes (`volumes/NAME`) and the containers' streams.
    package var work: URL { folder.url.appending(path: "work") }

    private struct Event: Decodable, Sendable {
        let event: String
        let container: String?
        let exitCode: Int?
        let message: String?
        let seconds: Double?
        let output: String?
        let residentKiB: Int?
        let groupPeakKiB: Int?
    }

    private struct State {
        var started: Set<String> = []
        var ended: [String: Event] = [:]
        var executed: [Event] = []
        var timedOut = false
        var isOver = false
        var changed: [CheckedContinuation<Void, Never>] = []
    }

    private let folder: TemporaryFolder
    private let process: ToolProcess
    private let state = Mutex(State())

    /// Starts a pod, once few enough others play.
    ///
    /// - Parameter timeout: seconds after which the player ends the pod.
    package static func start(_ request: PodRequest, in surroundings: PodSurroundings, timeout: Double = 120) async throws
        -> PodPlayer
    {
        await PodSlots.shared.take()
        do { return try PodPlayer(request, in: surroundings, timeout: timeout) } catch {
            await PodSlots.shared.giveBack()
            throw error
        }
    }

    private init(_ request: PodRequest, in surroundings: PodSurroundings, timeout: Double) throws {
        folder = try TemporaryFolder()
        try folder.write(request.json.data, to: "request.json")
        for (name, keys) in request.secrets {
            for (key, value) in keys { try folder.write(Data(value.utf8), to: "objects/secrets/\(name)/\(key)") }
        }
        let path = folder.url.path
        var arguments = [
            "\(path)/request.json", "--executor", Checkout.executor.path, "--work", "\(path)/work", "--objects",
            "\(path)/objects",
            "--timeout", "\(timeout)", "--control",
        ]
        switch surroundings {
        case .local(let local): arguments += ["--local", local.url.path]
        case .cluster(let cluster):
            let access = ["url": cluster.url.absoluteString, "token": cluster.token, "authority": cluster.authority]
            try folder.write(try JSONEncoder().encode(access), to: "api.json")
            arguments += ["--api", "\(path)/api.json"]
        }
        if request.executorMemory != nil { arguments.append("--limit-memory") }
        process = try ToolProcess(Checkout.testbed("play"), arguments)
        let lines = process.lines
        Task { [weak self] in
            for await line in lines {
                guard let event = try? JSONDecoder().decode(Event.self, from: Data(line.utf8)) else { continue }
                self?.take(event)
            }
            self?.finish()
            await PodSlots.shared.giveBack()
        }
    }

    /// Plays a pod to its end.
    package static func play(_ request: PodRequest, in surroundings: PodSurroundings, timeout: Double = 120) async throws
        -> PodOutcome
    {
        let player = try await start(request, in: surroundings, timeout: timeout)
        return try await player.outcome()
    }

    /// Waits until a container has started.
    package func started(_ container: String) async { await wait { $0.started.contains(container) } }

    /// Waits until a container has ended.
    package func ended(_ container: String) async throws -> ContainerOutcome? {
        await wait { $0.ended[container] != nil }
        return try state.withLock { $0.ended[container] }.map { try self.outcome(of: container, $0) }
    }

    /// Waits until a file of a volume exists, e.g. one by which the user's program tells that it runs.
    ///
    /// - Returns: false where the pod ended first.
    package func appeared(_ path: String, inVolume volume: String) async throws -> Bool {
        let file = work.appending(path: "volumes/\(volume)/\(path)").path
        while !FileManager.default.fileExists(atPath: file) {
            if state.withLock({ $0.isOver }) { return false }
            try await Task.sleep(for: .milliseconds(10))
        }
        return true
    }

    /// Sends a signal to a container's first process from outside, as the kubelet does.
    package func signal(_ container: String, _ number: Int32) {
        process.send(#"{"container":"\#(container)","signal":\#(number)}"#)
    }

    /// Runs a command in a container, as the controller does to stop it, and waits for the command's end.
    package func execute(_ words: [String], in container: String) async throws -> (exitCode: Int, output: String) {
        let before = state.withLock { $0.executed.count }
        let words = String(decoding: try JSONEncoder().encode(words), as: UTF8.self)
        process.send(#"{"container":"\#(container)","execute":\#(words)}"#)
        await wait { $0.executed.count > before }
        let event = state.withLock { $0.executed.count > before ? $0.executed[before] : nil }
        return (event?.exitCode ?? -1, event?.output ?? "")
    }

    /// Waits for the pod's end.
    package func outcome() async throws -> PodOutcome {
        await wait { _ in false }
        let (ended, timedOut) = state.withLock { ($0.ended, $0.timedOut) }
        if ended.isEmpty { throw PodFailure(description: "the pod did not start: \(process.diagnostics)") }
        var containers: [String: ContainerOutcome] = [:]
        for (name, event) in ended { containers[name] = try outcome(of: name, event) }
        return PodOutcome(containers: containers, timedOut: timedOut)
    }

    private func outcome(of container: String, _ event: Event) throws -> ContainerOutcome {
        func stream(_ name: String) -> String {
            let file = work.appending(path: "containers/\(container)/\(name)")
            return (try? Data(contentsOf: file)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        }
        return ContainerOutcome(
            exitCode: event.exitCode ?? -1, message: event.message ?? "", standardOutput: stream("stdout"),
            standardError: stream("stderr"), seconds: event.seconds ?? 0, residentKiB: event.residentKiB ?? 0,
            groupPeakKiB: event.groupPeakKiB)
    }

    private func take(_ event: Event) {
        change { state in
            switch event.event {
            case "started": state.started.insert(event.container ?? "")
            case "terminated": state.ended[event.container ?? ""] = event
            case "executed": state.executed.append(event)
            case "timeout": state.timedOut = true
            default: break
            }
        }
    }

    private func finish() { change { $0.isOver = true } }

    private func change(_ body: (inout State) -> Void) {
        let waiting = state.withLock { state in
            body(&state)
            defer { state.changed = [] }
            return state.changed
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Waits until the condition holds or the pod is over.
    private func wait(until condition: @Sendable (borrowing State) -> Bool) async {
        while !state.withLock({ $0.isOver || condition($0) }) {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let isDone = state.withLock { state in
                    if state.isOver || condition(state) { return true }
                    state.changed.append(continuation)
                    return false
                }
                if isDone { continuation.resume() }
            }
        }
    }
}

/// Limits how many pods play at a time: tests start all at once, and a pod that hardly gets a processor proves nothing.
private actor PodSlots {
    static let shared = PodSlots()
    private var free = max(2, ProcessInfo.processInfo.activeProcessorCount)
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func take() async {
        if free > 0 { free -= 1 } else { await withCheckedContinuation { waiting.append($0) } }
    }

    func giveBack() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}

/// A pod that could not be played at all.
struct PodFailure: Error, CustomStringConvertible {
    let description: String
}

/// The machine's control groups, by which memory limits are enforced.
package enum ControlGroups {
    /// Whether the player can make one, of version 1 or 2.
    package static var canBeMade: Bool {
        let roots = ["/sys/fs/cgroup/memory", "/sys/fs/cgroup"]
        guard let root = roots.first(where: { FileManager.default.fileExists(atPath: "\($0)/cgroup.procs") }) else {
            return false
        }
        return geteuid() == 0 && FileManager.default.isWritableFile(atPath: root)
    }
}
