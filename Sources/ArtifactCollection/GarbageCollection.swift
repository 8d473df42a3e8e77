package import Artifacts
package import KubernetesAPI
import RunDirectory
package import SystemSupport

/// Works through the tasks of one pod and tells the controller what was deleted (contract 02 §14).
package struct GarbageCollection: Sendable {
    package struct Settings: Sendable {
        /// Value of the label that the pod's tasks have; nil where there is nothing to do.
        package var podLabel: String?
        /// How often an artifact is tried, whatever the error.
        package var attempts: Backoff
        /// Containers of artifact plugins to end when all is done.
        package var pluginContainers: [String]
        /// Between their SIGTERM and SIGKILL, nanoseconds.
        package var gracePeriod: Int64
        package var runDirectory: BytePath
        /// How requests to the API server are repeated that may succeed later.
        package var requests = Backoff(
            duration: 1_000_000_000, factor: 2, jitter: 0.2, steps: .max, cap: 30_000_000_000, limit: 600_000_000_000)

        package init(
            podLabel: String?, attempts: Backoff, pluginContainers: [String], gracePeriod: Int64, runDirectory: BytePath
        ) {
            self.podLabel = podLabel
            self.attempts = attempts
            self.pluginContainers = pluginContainers
            self.gracePeriod = gracePeriod
            self.runDirectory = runDirectory
        }
    }

    private static let label = "workflows.argoproj.io/artifact-gc-pod"
    /// Seconds for what is reported after SIGTERM.
    private static let lastWords = 10

    private let settings: Settings
    private let client: KubernetesClient
    private let drivers: DriverContext
    private let log: Log

    package init(_ settings: Settings, client: KubernetesClient, drivers: DriverContext, log: Log) {
        self.settings = settings
        self.client = client
        self.drivers = drivers
        self.log = log
    }

    /// Ends what is under way; `run` then reports what has been deleted so far. May be called from any thread.
    package func stop() {
        drivers.cancel()
        client.cancel()
    }

    /// Runs to the end. An artifact that cannot be deleted is a result, not an error.
    ///
    /// - Throws: the first error of listing tasks or of reporting; an error when stopped.
    package func run() throws {
        var failure: (any Error)?
        do { try collect() } catch { failure = error }
        do { try endPlugins() } catch {
            log.error("cannot end the artifact plugins", ["error": .error(error)])
            failure = failure ?? error
        }
        if let failure { throw failure }
    }

    private func collect() throws {
        guard let podLabel = settings.podLabel, !podLabel.isEmpty else { return log.info("no artifacts to delete") }
        let selection = ResourceSelection(ResourcePath(.artifactGCTasks), labels: "\(Self.label) = \(podLabel)")
        var progress = Progress()
        var token: String?
        while true {
            do {
                // One at a time: each may be as large as objects can be.
                let page = try retrying("list tasks") { try client.list(selection, pageSize: 1, after: token) }
                for document in page.items { try take(GarbageTask(document), &progress) }
                token = page.next
                if token == nil { break }
            } catch let error as APIError where error.isExpired && progress.mayBeginAnew() {
                // The server has forgotten the list while we deleted.
                token = nil
            }
        }
        if let failure = progress.failure { throw failure }
        log.info("artifacts deleted", ["tasks": .count(progress.done.count)])
    }

    /// What has been done of a list.
    private struct Progress {
        var done: Set<String> = []
        /// The first error of a task.
        var failure: (any Error)?
        private var doneAtRestart = 0

        /// Whether more has been done since the list was last begun.
        mutating func mayBeginAnew() -> Bool {
            defer { doneAtRestart = done.count }
            return done.count > doneAtRestart
        }
    }

    private func take(_ task: GarbageTask, _ progress: inout Progress) throws {
        guard progress.done.insert(task.name).inserted else { return }
        do { try work(on: task) } catch {
            progress.failure = progress.failure ?? error
            log.error("executor error", ["error": .error(error)])
        }
        if drivers.cancellation.isCancelled { throw ExecutorError.failed("delete artifacts: context canceled") }
    }

    private func work(on task: GarbageTask) throws {
        let results = GarbageResults(count: task.items.count)
        try ArtifactRemoval(task, results, drivers: drivers, attempts: settings.attempts, log: log).run()
        log.info(
            "task done",
            ["task": .text(task.name), "deleted": .count(results.deleted), "failed": .count(results.failed)])
        let path = ResourcePath(.artifactGCTasks, name: task.name, subresource: "status")
        let patch = results.patch(task)
        if !drivers.cancellation.isCancelled {
            do {
                return try retrying("report what was deleted") { _ = try client.patch(path, .merge, patch) }
            } catch { if !drivers.cancellation.isCancelled { throw error } }
        }
        // What is gone is reported at least once; further attempts would delay the end.
        _ = try client.patch(path, .merge, patch, CallOptions(outlivesCancellation: true, timeLimit: Self.lastWords))
    }

    private func retrying<R>(_ operation: String, _ attempt: () throws -> R) throws -> R {
        try settings.requests.run(
            sleep: { drivers.cancellation.sleep($0) },
            onRetry: { error, pause in
                log.warn(
                    "\(operation): trying again",
                    ["error": .error(error), "inMilliseconds": .integer(pause / 1_000_000)])
            }, attempt)
    }

    private func endPlugins() throws {
        if settings.pluginContainers.isEmpty { return }
        let directory = RunDirectory(root: settings.runDirectory)
        let stopping = drivers.cancellation
        var kill = KillProcedure(settings.pluginContainers.map { directory.container($0) }, grace: settings.gracePeriod)
        try kill.run(watcher: FileWatcher(), cutShort: { stopping.isCancelled })
    }
}
