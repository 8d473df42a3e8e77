package import Artifacts
import Documents
package import ExecutorCore
import FileTrees
import Glibc
import HTTPTransport
import ProcessControl
import RunDirectory
import WorkflowEngine
import WorkflowModel

/// A local run from its flags to its exit code: checks, sandbox, folders, the run itself, and what is told at the end.
package struct RunSession {
    private let settings: LocalRunSettings
    private let output: ([UInt8]) -> Void
    private let errors: @Sendable ([UInt8]) -> Void
    private let drivers: (LocalStoreChoice) -> DriverContext

    /// Where uploads of our own go.
    package struct LocalStoreChoice: Sendable {
        package let store: LocalStore?
        package let secrets: BytePath
    }

    /// - Parameters:
    ///   - output: takes results and JSON.
    ///   - errors: takes everything else.
    ///   - drivers: what uploads of our own need.
    package init(
        _ settings: LocalRunSettings, output: @escaping ([UInt8]) -> Void, errors: @escaping @Sendable ([UInt8]) -> Void,
        drivers: @escaping (LocalStoreChoice) -> DriverContext
    ) {
        self.settings = settings
        self.output = output
        self.errors = errors
        self.drivers = drivers
    }

    /// Runs everything.
    ///
    /// - Returns: 0: succeeded; 1: failed, or refused before it began; 130: interrupted.
    package func run() -> Int32 {
        do { return try attempt() } catch let refusal as WorkflowRefusal {
            for finding in refusal.findings { say("error: \(finding.message)") }
            return 1
        } catch {
            say("error: \(errorText(error))")
            return 1
        }
    }

    private func attempt() throws -> Int32 {
        let mailbox = RunMailbox()
        // Before any other thread: a signal must find nobody else.
        try Typist.hearSignals(mailbox)
        let workflow = try RunPreparation(settings: settings).prepare()
        for warning in workflow.warnings { say("warning: \(warning)") }
        let runtime = try chooseRuntime()
        let isShared = if case .bubblewrap(let bubblewrap) = runtime { bubblewrap.mode == .privileged } else { geteuid() == 0 }
        let work = try WorkFolder(in: settings.home, isShared: isShared)
        let store = workflow.isEmbedded ? EmbeddedStore(folder: work.artifacts) : nil
        try saveArguments(workflow, store)
        let folder = try work.makeRun(named: workflow.identity.name, isUnique: workflow.isUnique)

        var sandbox = SandboxSettings(
            runtime: runtime, executorImage: PodSettings.defaultExecutorImage, executor: settings.executor,
            claims: work.volumes, imageCache: work.images)
        sandbox.images = workflow.images
        sandbox.objects = settings.objects
        sandbox.keepsRoots = settings.keepsFolders
        for claim in workflow.plan.spec["volumeClaimTemplates"]?.array ?? [] {
            guard let name = claim["metadata"]?["name"]?.string else { continue }
            sandbox.claimFolders["\(workflow.identity.name)-\(name)"] = folder.volumes.appending(BytePath(name))
        }
        let errors = errors
        let log = Log(level: .warn, format: .text) { line in errors(line) }
        sandbox.log = log
        sandbox.executorAttachment = ExecutorAttachment(
            environment: [(EnvironmentVariable.taskResultFile.rawValue, PodFolder.taskResultInSandbox)])
        let player = try PodPlayer(sandbox)
        let display: any RunDisplay = PlainDisplay(log: log) { errors($0) }
        let (run, ends, isInterrupted) = LocalRun(
            workflow, settings: settings, folder: folder, store: store, player: player, mailbox: mailbox, display: display,
            typist: Typist(mailbox), width: settings.parallelism ?? max(4, CPULimit.cores * 2)
        ).play()
        let summary = RunSummary(run: run, ends: ends, store: store, repository: workflow.repository, folder: folder)
        let document = summary.document
        if ends.values.contains(where: { $0.folder != nil }) || settings.keepsFolders {
            try AtomicFile.write(folder.workflow, document.serialized() + [0x0A], mode: 0o644)
        } else {
            folder.removeIfEmpty()
        }
        for line in summary.told { say(line) }
        switch settings.output {
        case .text: for line in summary.results { output(Array((line + "\n").utf8)) }
        case .json: output(document.serialized() + [0x0A])
        }
        if isInterrupted { return 130 }
        return run.phase == .succeeded ? 0 : 1
    }

    private func say(_ text: String) { errors(Array((text + "\n").utf8)) }

    private func chooseRuntime() throws -> ContainerRuntime {
        if let engine = settings.engine { return .engine(try ContainerEngine(engine, environment: settings.environment)) }
        return .bubblewrap(try BubblewrapProbe(searchPath: settings.environment["PATH"]).run())
    }

    private func saveArguments(_ workflow: PreparedWorkflow, _ store: EmbeddedStore?) throws {
        if settings.artifacts.isEmpty { return }
        var local: LocalStore?
        let home = workflow.repository.location
        if let store, let place = LocalStore.place(of: home) {
            // The store's folder is that of the bucket.
            local = LocalStore(folder: store.folder.directory, original: home)
            guard place.bucket == store.folder.base.text else {
                throw ExecutorError.failed("store the workflow's artifacts: the local store has another name")
            }
        }
        let context = drivers(LocalStoreChoice(store: local, secrets: settings.objects.secrets ?? "/nonexistent"))
        for (name, path) in settings.artifacts {
            let artifact = try ArgumentArtifact(name, path)
            try artifact.save(to: try home.settingKey(artifact.key(workflow: workflow.identity.name)), drivers: context)
        }
    }
}
