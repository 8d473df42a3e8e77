import Documents
import FileTrees
import Glibc
import PodSandbox
import Synchronization
import SystemSupport
import WorkflowEngine
import WorkflowModel
import WorkflowPlanning

/// A pod that is to be run.
struct PodJob: Sendable {
    let nodeID: String
    let pod: JSONValue
    let mainNames: [String]
    let folder: PodFolder
    let attachment: ExecutorAttachment
}

/// Runs pods on threads of their own, as many at a time as are allowed, and tells the loop what becomes of them.
final class PodWorkers: Sendable {
    private struct State {
        var waiting: [PodJob] = []
        var running: [String: PodStop] = [:]
        /// Threads that have not ended: they may still tidy up.
        var threads = 0
    }

    private let podRuntime: PodRuntime
    private let mailbox: RunMailbox
    private let width: Int
    private let keepsFolders: Bool
    private let executorImage: String
    /// Whether pods have users of their own, who must be able to report.
    private let isShared: Bool
    private let log: Log
    private let state = Monitor(State())

    /// - Parameter width: most pods at a time.
    init(
        podRuntime: PodRuntime, mailbox: RunMailbox, width: Int, keepsFolders: Bool, isShared: Bool, executorImage: String,
        log: Log
    ) {
        self.podRuntime = podRuntime
        self.mailbox = mailbox
        self.width = width
        self.keepsFolders = keepsFolders
        self.isShared = isShared
        self.executorImage = executorImage
        self.log = log
    }

    /// Runs a pod as soon as there is room.
    func start(_ job: PodJob) {
        let needsThread = state.update { state in
            state.waiting.append(job)
            if state.threads >= width { return false }
            state.threads += 1
            return true
        }
        guard needsThread else { return }
        do {
            try WorkerThread { [self] in
                while let (job, stop) = next() { run(job, stop) }
            }.detach()
        } catch {
            state.update { state in
                state.threads -= 1
                state.waiting.removeAll { $0.nodeID == job.nodeID }
            }
            finish(job, failed: error)
        }
    }

    /// Ends a pod: gently when first asked, at once when asked again. One that waits for room is not begun.
    func stop(_ nodeID: String) {
        let (stop, job) = state.update { state -> (PodStop?, PodJob?) in
            guard let index = state.waiting.firstIndex(where: { $0.nodeID == nodeID }) else {
                return (state.running[nodeID], nil)
            }
            return (nil, state.waiting.remove(at: index))
        }
        stop?.request()
        if let job {
            let result = PodResult(phase: .failed, message: "workflow shutdown with strategy: Terminate")
            mailbox.post(.podFinished(nodeID: job.nodeID, PodEnd(result: result, folder: nil, failure: nil)))
        }
    }

    /// Waits until all threads have ended.
    func waitForEnd() { state.wait { $0.threads == 0 ? true : nil } }

    private func next() -> (PodJob, PodStop)? {
        while true {
            let found = state.update { state -> Result<(PodJob, PodStop), SystemError>? in
                guard !state.waiting.isEmpty else {
                    state.threads -= 1
                    return nil
                }
                let job = state.waiting.removeFirst()
                do throws(SystemError) {
                    let stop = try PodStop()
                    state.running[job.nodeID] = stop
                    return .success((job, stop))
                } catch {
                    finish(job, failed: error)
                    return .failure(error)
                }
            }
            switch found {
            case .success(let found): return found
            case .failure: continue
            case nil: return nil
            }
        }
    }

    private func run(_ job: PodJob, _ stop: PodStop) {
        defer { state.update { $0.running[job.nodeID] = nil } }
        let images = job.pod["spec"]?["containers"]?.array ?? []
        let executors = Set(
            (images + (job.pod["spec"]?["initContainers"]?.array ?? [])).filter { $0["image"]?.string == executorImage }
                .compactMap { $0["name"]?.string })
        var isAnnounced = false
        var emissaries = EmissaryLines()
        func post(_ meanings: [EmissaryLines.Meaning], _ container: String) {
            for meaning in meanings {
                switch meaning {
                case .output(let bytes):
                    mailbox.post(.line(nodeID: job.nodeID, container: container, isExecutor: false, bytes: bytes))
                case .log(let bytes):
                    mailbox.post(.line(nodeID: job.nodeID, container: container, isExecutor: true, bytes: bytes))
                }
            }
        }
        do {
            try DirectoryIO.makeDirectories(job.folder.path, mode: 0o755)
            if isShared { try DirectoryIO.chmod(AT_FDCWD, job.folder.path, mode: 0o777, subject: job.folder.path.text) }
            let outcome = try podRuntime.run(job.pod, in: job.folder, attachment: job.attachment, stops: [stop]) {
                [mailbox] event in
                switch event {
                case .started(let container):
                    if !isAnnounced, !executors.contains(container) {
                        isAnnounced = true
                        mailbox.post(.podStarted(nodeID: job.nodeID))
                    }
                case .line(let container, let bytes):
                    if executors.contains(container) {
                        mailbox.post(.line(nodeID: job.nodeID, container: container, isExecutor: true, bytes: bytes))
                    } else {
                        post(emissaries.take(bytes, of: container), container)
                    }
                case .ended(let outcome): post(emissaries.end(of: outcome.name, exitCode: outcome.exitCode), outcome.name)
                }
            }
            // Each run has a copy of our own program made anew.
            try? TreeRemoval.remove(job.folder.volume("var-run-argo").appending("argoexec"))
            let report = try PodReport.read(job.folder.taskResult)
            let result = outcome.result(mainNames: job.mainNames, report: report)
            let isKept = keepsFolders || result.phase != .succeeded
            mailbox.post(
                .podFinished(
                    nodeID: job.nodeID,
                    PodEnd(
                        result: result, progress: report?.result.progress ?? "", folder: isKept ? job.folder.path : nil,
                        failure: result.phase == .succeeded
                            ? nil : outcome.failure(mainNames: job.mainNames, executors: executors))))
            if !isKept { tidyUp(job) }
        } catch { finish(job, failed: error) }
    }

    private func finish(_ job: PodJob, failed error: any Error) {
        let result = PodResult(phase: .error, message: errorText(error))
        let isKept = (try? FileStatus.of(job.folder.path, followingLinks: true)) != nil
        mailbox.post(
            .podFinished(nodeID: job.nodeID, PodEnd(result: result, folder: isKept ? job.folder.path : nil, failure: nil)))
    }

    private func tidyUp(_ job: PodJob) {
        do { try job.folder.remove() } catch { log.warn("cannot remove a pod's folder", ["error": .error(error)]) }
    }
}

extension PodOutcome {
    /// How many of a container's last lines are shown.
    private static let shownLines = 10

    /// The container that is to blame for the pod's failure; main containers first.
    ///
    /// - Parameter executors: the names of the executor's own containers.
    func failure(mainNames: [String], executors: Set<String>) -> PodFailure? {
        let failed = containers.filter { !$0.isSuccess }
        guard let blamed = failed.first(where: { mainNames.contains($0.name) }) ?? failed.first else { return nil }
        let text = (try? FileTail.read(blamed.log, count: 16 << 10)) ?? []
        let lines = text.split(separator: 0x0A).map { Array($0) }
        guard executors.contains(blamed.name) else {
            let own = EmissaryLines.own(lines, exitCode: blamed.exitCode).suffix(Self.shownLines)
            return PodFailure(
                container: blamed.name, exitCode: blamed.exitCode, lines: own.map { String(decoding: $0, as: UTF8.self) })
        }
        var causes: [String] = []
        for line in lines.compactMap({ LogLine($0) }) where line.level == "ERROR" {
            let cause = line["error"] ?? line.text
            if !causes.contains(cause) { causes.append(cause) }
        }
        if causes.isEmpty, !blamed.message.isEmpty { causes = [blamed.message] }
        if causes.isEmpty { causes = lines.suffix(Self.shownLines).map { String(decoding: $0, as: UTF8.self) } }
        let main = containers.first { mainNames.contains($0.name) }
        return PodFailure(
            container: blamed.name, exitCode: blamed.exitCode, lines: causes, isExecutor: true, commandExitCode: main?.exitCode)
    }
}
