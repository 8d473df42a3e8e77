package import Artifacts
import Documents
import FileTrees
import Glibc
import HTTPTransport
import PodBuilding
import PodSandbox
import ProcessControl
import RunDirectory
package import SystemSupport
import WorkflowEngine
import WorkflowFiles
import WorkflowModel
import WorkflowPlanning

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
        do { return try attempt() } catch {
            for line in LocalRefusal.report(error) { say(line) }
            return ExitCode.verbFailure
        }
    }

    private func attempt() throws -> Int32 {
        let mailbox = RunMailbox()
        // Before any other thread: a signal must find no other.
        try SignalListener.start(try SignalDescriptor([SIGINT, SIGTERM, SIGHUP])) { signals in
            for _ in signals { mailbox.post(.interrupted) }
            return true
        }
        if let path = settings.replay { return try replay(path, mailbox) }
        let workflow = try RunPreparation(settings: settings).prepare()
        if settings.printsPods { return try printPods(of: workflow) }
        let factory = PodFactory(
            workflow, logLevel: settings.logLevel, emissaryLogLevel: "warn",
            objects: settings.objects, pauses: settings.pauses)
        let (runtime, memory) = try chooseRuntime()
        let work = try WorkFolder(in: settings.home)
        let store = workflow.isEmbedded ? EmbeddedStore(folder: work.artifacts, cache: work.unpacked) : nil
        let log = makeLog()
        var sandbox = sandboxSettings(runtime, memory, work, workflow.images, log)
        if !workflow.isEmbedded { giveAccess(to: workflow.repository.location, &sandbox) }
        let podRuntime = try PodRuntime(sandbox)
        let dryRun = PodDryRun(workflow, factory, isAbridged: true)
        let checked = Preflight(workflow: workflow, podRuntime: podRuntime, store: store).findings(dryRun)
        let unused = ImageUse(pods: dryRun.entries.map(\.pod), runtime: runtime).warnings(settings.images)
        try tell(workflow.warnings + checked.findings + unused, notes: checked.notes)

        try work.prepare(isShared: isShared(runtime))
        sweep(work, memory, runtime)
        try saveArguments(workflow, store, work, memory)
        let folder = try work.makeRun(named: workflow.identity.name, isUnique: workflow.isUnique)
        var claims: [String: BytePath] = [:]
        for claim in workflow.plan.spec["volumeClaimTemplates"]?.array ?? [] {
            guard let name = claim["metadata"]?["name"]?.string else { continue }
            claims["\(workflow.identity.name)-\(name)"] = folder.volumes.appending(BytePath(name))
        }
        let display = makeDisplay(log)
        let ended = LocalRun(
            workflow, factory, settings: settings, folder: folder, store: store,
            podRuntime: podRuntime.with(claimFolders: claims),
            mailbox: mailbox, display: display, width: settings.parallelism ?? max(4, CPULimit.cores * 2),
            isShared: isShared(runtime)
        ).runToEnd()
        let summary = RunSummary(
            run: ended.run, ends: ended.ends, store: store, repository: workflow.repository, folder: folder)
        return try finish(summary, isInterrupted: ended.isInterrupted)
    }

    private func replay(_ path: BytePath, _ mailbox: RunMailbox) throws -> Int32 {
        try settings.objects.checkFolders()
        let source = try ReplaySource(path, objects: settings.objects)
        let (runtime, memory) = try chooseRuntime()
        let work = try WorkFolder(in: settings.home)
        let log = makeLog()
        var sandbox = sandboxSettings(runtime, memory, work, ImageRoots(settings.images.map { ($0.name, $0.path) }), log)
        sandbox.executorImage = source.executorImage
        sandbox.claimFolders = source.claims
        if settings.usesOwnStore { giveAccess(to: source.template?.archiveLocation, &sandbox) }
        let podRuntime = try PodRuntime(sandbox)
        let problems = podRuntime.preflight([source.pod])
        try tell(
            problems.filter { $0.severity != .note }.map { problem in
                Finding(problem.severity, place: nil, "\(source.subject): \(problem.message)")
            } + ImageUse(pods: [source.pod], runtime: runtime).warnings(settings.images),
            notes: problems.filter { $0.severity == .note }.map(\.message))
        try work.prepare(isShared: isShared(runtime))
        sweep(work, memory, runtime)
        let run = source.folder == nil ? try work.makeRun(named: source.podName, isUnique: false) : nil
        defer { run?.removeIfEmpty() }
        guard let folder = source.folder ?? run?.node(source.annotation("node-id")) else { return ExitCode.verbFailure }
        let store = settings.usesOwnStore ? nil : EmbeddedStore(folder: work.artifacts, cache: work.unpacked)
        return try ReplaySession(source: source, settings: settings, output: output, say: say)
            .run(podRuntime, in: folder, store: store, mailbox: mailbox, isShared: isShared(runtime), log: log)
    }

    /// Lets the executor use what the environment has for a real store: its variables, and the keys that the location asks for.
    private func giveAccess(to location: ArtifactLocation?, _ sandbox: inout SandboxSettings) {
        let access = RepositoryAccess(environment: settings.environment)
        sandbox.executorAttachment = sandbox.executorAttachment.adding(access.attachment)
        if let location { sandbox.objects.more = access.secrets(for: location, besides: settings.objects) }
    }

    private func finish(_ summary: RunSummary, isInterrupted: Bool) throws -> Int32 {
        let document = summary.document
        if summary.keepsSomething || settings.keepsFolders {
            try AtomicFile.write(summary.folder.workflow, document.serialized() + [0x0A], mode: 0o644)
        } else {
            summary.folder.removeIfEmpty()
        }
        for line in summary.told { say(line) }
        switch settings.output {
        case .text: for line in summary.results { output(Array((line + "\n").utf8)) }
        case .json: output(document.serialized() + [0x0A])
        }
        if isInterrupted { return ExitCode.interrupted }
        return summary.run.phase == .succeeded ? ExitCode.success : ExitCode.verbFailure
    }

    /// - Throws: `WorkflowRefusal` where there are errors.
    private func tell(_ findings: [Finding], notes: [String]) throws(WorkflowRefusal) {
        let findings = settings.isStrict ? findings.map(\.hardened) : findings
        let errors = findings.filter { $0.severity == .error }
        if !errors.isEmpty { throw WorkflowRefusal(errors) }
        for finding in findings { say("warning: \(finding.message)") }
        for note in notes { say("note: \(note)") }
    }

    private func printPods(of workflow: PreparedWorkflow) throws -> Int32 {
        let dryRun = PodDryRun(
            workflow, PodFactory(workflow, logLevel: "info", emissaryLogLevel: "info", objects: settings.objects))
        try tell(
            workflow.warnings + dryRun.unresolvedVariables(workflow.plan)
                + dryRun.failures.map { node, cause in
                    workflow.plan.site(of: node)?.finding(.error, cause) ?? Finding(.error, place: nil, cause)
                }, notes: [])
        let objects = dryRun.entries.flatMap { ($0.configMap.map { [$0] } ?? []) + [$0.pod] }
        switch settings.output {
        case .text: output(JSONValue.yaml(documents: objects))
        case .json:
            let list: JSONValue = ["apiVersion": "v1", "kind": "List", "items": .array(objects)]
            output(list.serialized() + [0x0A])
        }
        return ExitCode.success
    }

    private func makeLog() -> Log {
        let errors = errors
        return Log(level: .warn, format: .text) { errors($0) }
    }

    private var isTerminal: Bool {
        let name = settings.environment["TERM"]
        return TerminalSession.isTerminal(STDERR_FILENO) && name != nil && name != "dumb"
    }

    private func makeDisplay(_ log: Log) -> any RunDisplay {
        let errors = errors
        guard isTerminal else { return PlainDisplay(log: log) { errors($0) } }
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { settings.environment[$0] }.first { !$0.isEmpty }?.text ?? ""
        let style = TreeStyle(
            isUnicode: locale.uppercased().contains("UTF"), isColored: settings.environment["NO_COLOR"] == nil)
        return TreeDisplay(log: log, style: style, size: { TerminalSession.size(of: STDERR_FILENO) ?? (24, 80) }) { errors($0) }
    }

    private func sandboxSettings(
        _ runtime: ContainerRuntime, _ memory: MemoryFolders, _ work: WorkFolder, _ images: ImageRoots, _ log: Log
    ) -> SandboxSettings {
        var sandbox = SandboxSettings(
            runtime: runtime, executorImage: PodSettings.defaultExecutorImage, executor: settings.executor,
            claims: work.volumes, imageCache: work.images)
        sandbox.images = images
        sandbox.objects = settings.objects
        sandbox.memory = memory
        sandbox.keepsRoots = settings.keepsFolders
        sandbox.log = log
        sandbox.executorAttachment = ExecutorAttachment(
            environment: [(EnvironmentVariable.taskResultFile.rawValue, PodFolder.taskResultInSandbox)])
        let chosen = RepositoryAccess(environment: settings.environment).executorSettings
        sandbox.executorAttachment.environment += chosen
        let interval = EnvironmentVariable.transferReportInterval.rawValue
        if isTerminal, !chosen.contains(where: { $0.name == interval }) {
            sandbox.executorAttachment.environment.append((EnvironmentVariable.transferReportInterval.rawValue, "250ms"))
        }
        return sandbox
    }

    /// Whether pods may have users of their own.
    private func isShared(_ runtime: ContainerRuntime) -> Bool {
        if case .bubblewrap(let bubblewrap) = runtime { bubblewrap.mode == .privileged } else { geteuid() == 0 }
    }

    private func say(_ text: String) { errors(Array((text + "\n").utf8)) }

    /// What runs the containers, seen to work, and where their secrets can be in memory.
    private func chooseRuntime() throws -> (ContainerRuntime, MemoryFolders) {
        let memory = MemoryFolders(environment: settings.environment)
        if let name = settings.engine {
            let engine = try ContainerEngine(name, environment: settings.environment)
            return (.engine(engine), try EngineProbe(engine, executor: settings.executor).run(memory: memory))
        }
        return (.bubblewrap(try BubblewrapProbe(searchPath: settings.environment["PATH"]).run()), memory)
    }

    private func sweep(_ work: WorkFolder, _ memory: MemoryFolders, _ runtime: ContainerRuntime) {
        for folder in Leftovers(work: work, memory: memory, runtime: runtime).sweep() {
            say("note: a killed run has left \(folder); its secrets and copies of images are removed, what it printed is kept")
        }
    }

    private func saveArguments(
        _ workflow: PreparedWorkflow, _ store: EmbeddedStore?, _ work: WorkFolder, _ memory: MemoryFolders
    ) throws {
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
        // Drivers read secrets from files; where there is a folder of them, keys of the environment must stand in one too.
        var secrets = settings.objects.secrets ?? SecretFiles.noFolder
        var temporary: SecretFolder?
        defer { withExtendedLifetime(temporary) {} }
        let more = RepositoryAccess(environment: settings.environment).secrets(for: home, besides: settings.objects)
        if !more.isEmpty, settings.objects.secrets != nil {
            let made = try SecretFolder(
                in: memory.places + [work.cache], fallback: work.cache.appending(BytePath("secrets-\(RandomName.suffix())")))
            temporary = made
            for (name, values) in more {
                let folder = made.path.appending(BytePath(name))
                try DirectoryIO.makeDirectories(folder, mode: 0o700)
                for (key, value) in values { try SmallFile.write(folder.appending(BytePath(key)), value.reveal(), mode: 0o600) }
            }
            secrets = made.path
        }
        let context = drivers(LocalStoreChoice(store: local, secrets: secrets))
        for (name, path) in settings.artifacts {
            let artifact = try ArgumentArtifact(name, path)
            try artifact.save(
                to: try home.settingKey(artifact.key(workflow: workflow.identity.name)), for: workflow.plan, drivers: context)
        }
    }
}
