import Archiving
import ProcessControl
import RunDirectory
import SystemSupport
import Tracing
import WorkflowModel

/// The wrapper around the user's command (contract 02 §4 and §5): starts it when its time has come, passes signals and output on,
/// and tells the rest of the pod how it ended.
///
/// One thread until the command has ended; packing of outputs may use more.
package struct EmissaryRun {
    private let settings: EmissarySettings
    private let directory: ContainerDirectory
    private let output = StreamForwarder(1)
    private let error = StreamForwarder(2)
    private let log: Log

    /// How long the last output may take to find room in our own streams once the exit code is written.
    private static let lastOutputLimit: Int64 = 30_000_000_000
    /// And how long without any progress.
    private static let lastOutputPatience: Int64 = 5_000_000_000

    package init(_ settings: EmissarySettings) {
        self.settings = settings
        directory = settings.runDirectory.container(settings.containerName)
        let error = error
        log = Log(level: settings.log.level, format: settings.log.format) { line in error.send(line.span) }
    }

    /// Runs the command and returns how this process is to end. The exit code file is written by then, whatever happened, unless
    /// the container's directory cannot be made.
    package func run() -> EmissaryOutcome {
        ProcessAttributes.clearUmask()
        ProcessAttributes.reserveStandardDescriptors()
        do { try directory.create() } catch { return .failed("failed to create \(directory.path): \(error.message)") }
        directory.sweep()
        let reservation = ExitCodeReservation(in: directory)
        let life = Liveness(directory, log: log)
        var outcome: EmissaryOutcome
        var recorded: Int32
        var loop: EventLoop?
        // Nil until it is decided whether there is one.
        var recording: EmissaryTrace.Recording??
        do {
            let opened = try EventLoop(streams: [output, error])
            loop = opened
            (outcome, recorded) = try session(opened, &recording)
        } catch {
            let stop = EmissaryStop.of(error)
            (outcome, recorded) = (stop.outcome, stop.recorded)
        }
        if let recording = recording ?? settings.trace.begin(settings.runDirectory, isAwaited: false) {
            finish(recording, &outcome)
        }
        do { try reservation.publish(recorded) } catch {
            log.error("cannot write the exit code", ["error": .error(error)])
        }
        StreamForwarder.finish(
            [output, error], until: monotonicNanoseconds() + Self.lastOutputLimit, patience: Self.lastOutputPatience)
        // Closing the loop's descriptors takes the kernel some time: the exit code is published first.
        return withExtendedLifetime((life, loop)) { outcome }
    }

    /// Hands the span over, or leaves it to be sent off when all else is done. Losing it does no harm.
    private func finish(_ recording: EmissaryTrace.Recording, _ outcome: inout EmissaryOutcome) {
        let span = settings.trace.span(recording, outcome)
        guard recording.goesToExecutor else { return outcome.span = span }
        do { try directory.writeSpan(span.line) } catch {
            log.warn("cannot hand over the span", ["error": .error(error)])
        }
    }

    // MARK: The steps, in the contract's order

    /// - Parameter recording: becomes the span of this run, where one is recorded.
    /// - Returns: how the process ends, and what the exit code file says.
    /// - Throws: `EmissaryStop`, or any error, which stands for 64.
    private func session(
        _ loop: EventLoop, _ recording: inout EmissaryTrace.Recording??
    ) throws -> (EmissaryOutcome, recorded: Int32) {
        if let refusal = settings.refusal {
            throw EmissaryStop.failed(refusal, exitCode: ExitCode.fatal, recorded: ExitCode.fatal)
        }
        loop.watcher.watch(directory)
        guard !settings.command.isEmpty else { throw EmissaryStop.failed("no command was given after --") }
        var words = settings.command
        if let file = settings.argumentsFile {
            words = try ArgumentList.complete(words, from: file, offloadingTo: settings.argumentsDirectory)
        }
        if settings.waitForReady { try waitForSupervisor(loop) }
        let template = try readTemplate(loop)
        let span = settings.trace.begin(
            settings.runDirectory,
            isAwaited: template.hasExecutorBesideMain && template.mainContainerNames.contains(directory.name))
        recording = .some(span)
        if settings.waitForReady, directory.name == "main" {
            do {
                try InputLinking(template, from: settings.inputArtifacts, settings.runDirectory).link()
            } catch {
                throw EmissaryStop.failed(
                    errorText(error), exitCode: ExitCode.preMainFailure, recorded: ExitCode.preMainFailure)
            }
        }
        try waitForDependencies(template, loop)
        let spawner = try settings.spawner(words, span: span?.context)
        try pauseBefore(loop)
        let attempts = template.containerSet?.retryStrategy?.attempts ?? 1
        let pause = try template.containerSet?.retryStrategy?.pause() ?? 0
        let end = try runCommand(spawner, template, loop, attempts: attempts, pause: pause)
        try pauseAfter(end, loop)
        if case .notStarted(let cause) = end { throw EmissaryStop.failed("failed to start command: \(cause.message)") }
        if case .lost(let cause) = end { throw EmissaryStop.failed("failed to wait for command: \(cause.message)") }
        return (saveOutputs(template) ?? .command(end.code), end.code)
    }

    /// Init-less pods: the supervisor says when its part is done.
    private func waitForSupervisor(_ loop: EventLoop) throws {
        loop.watcher.watch(settings.runDirectory.root, in: settings.runDirectory)
        var reader = StatusReader(settings.runDirectory)
        let failure = try loop.waitFor(atLeastEvery: StatusReader.pollInterval) { () -> String?? in
            switch reader.look() {
            case .wait: nil
            case .ready: .some(nil)
            case .failed(let text): text
            }
        }
        guard let failure else {
            throw EmissaryStop.failed(
                "received SIGTERM while waiting for the supervisor", exitCode: ExitCode.preMainFailure,
                recorded: ExitCode.preMainFailure)
        }
        if let failure {
            throw EmissaryStop.failed(failure, exitCode: ExitCode.preMainFailure, recorded: ExitCode.preMainFailure)
        }
    }

    private func readTemplate(_ loop: EventLoop) throws -> Template {
        let end = monotonicNanoseconds() + RunDirectory.templatePatience
        _ = try loop.waitFor(atLeastEvery: 100_000_000) {
            settings.runDirectory.isTemplateNoFile && monotonicNanoseconds() < end ? nil : true
        }
        return try settings.readTemplate()
    }

    /// Members of a container set wait for those that they depend on.
    private func waitForDependencies(_ template: Template, _ loop: EventLoop) throws {
        for name in template.containerSet?.member(named: directory.name)?.dependencies ?? [] {
            let dependency = settings.runDirectory.container(name)
            try dependency.create()
            loop.watcher.watch(dependency)
            log.info("waiting for dependency", ["dependency": .text(name)])
            let code = try loop.waitFor { () -> Int32? in
                // Its emissary may have been killed, together with its chance to write the file.
                dependency.readExitCode() ?? (dependency.standing() == .died ? ExitCode.signal(Signal.kill) : nil)
            }
            guard let code else {
                throw EmissaryStop(outcome: .command(ExitCode.terminated), recorded: ExitCode.failure)
            }
            if code != 0 {
                throw EmissaryStop.failed("dependency \"\(name)\" exited with non-zero code: \(code)", recorded: code)
            }
        }
    }

    // MARK: The command

    private func runCommand(
        _ spawner: Spawner, _ template: Template, _ loop: EventLoop, attempts: Int, pause: Int64
    ) throws -> CommandRun.End {
        var files: OutputCapture.Files?
        if settings.includeScriptOutput || template.archivesLogs {
            log.info("capturing logs")
            files = .init(
                result: settings.includeScriptOutput
                    ? captureFile(directory.standardOutput, endOnly: true) : nil,
                combined: template.archivesLogs ? captureFile(directory.combined, endOnly: false) : nil)
        }
        defer {
            files?.result?.finish()
            files?.combined?.finish()
        }
        var mains: [ContainerDirectory] = []
        if template.sidecarNames.contains(directory.name) {
            mains = template.mainContainerNames.map { settings.runDirectory.container($0) }
            for main in mains {
                try main.create()
                loop.watcher.watch(main)
            }
        }
        var attempt = 1
        while true {
            let early = try loop.look()
            if loop.isTerminating, attempt == 1 {
                throw EmissaryStop.failed("received SIGTERM before the command was started")
            }
            var run = CommandRun(
                spawner: spawner, loop: loop, directory: directory, mainContainers: mains,
                gracePeriod: settings.gracePeriod, captureFiles: files, output: output, error: error, log: log)
            if attempt == 1 { run.earlySignals = early }
            let end = run.run()
            log.info("sub-process exited", ["error": .text(Self.description(of: end))])
            if end.code == 0 || attempt >= attempts || run.wasTold || loop.isTerminating { return end }
            attempt += 1
            if try !sleep(pause, loop) { return end }
        }
    }

    private func captureFile(_ path: BytePath, endOnly: Bool) -> CaptureFile {
        let loss = CaptureFile.LossMark(
            make: { directory.markLoss(of: path) }, clear: { directory.clearLoss(of: path) })
        return CaptureFile(path, endOnly: endOnly, loss: loss, log: log) { () throws(SystemError) in
            try directory.openCapture(path)
        }
    }

    /// The pause between two attempts.
    ///
    /// - Returns: false when the end was asked for meanwhile.
    private func sleep(_ duration: Int64, _ loop: EventLoop) throws -> Bool {
        let end = monotonicNanoseconds(after: duration)
        while !loop.isTerminating {
            if let number = directory.takeSignal(), Signal.isFinal(number) { return false }
            if monotonicNanoseconds() >= end { return true }
            _ = try loop.wait(until: end)
        }
        return false
    }

    private static func description(of end: CommandRun.End) -> String {
        switch end {
        case .ended(let status): status.code == 0 ? "<nil>" : "exit status \(status.code)"
        case .notStarted(let error), .lost(let error): error.message
        }
    }

    // MARK: Debug pauses

    private func pauseBefore(_ loop: EventLoop) throws {
        guard settings.pauseBefore || directory.asksForPause else { return }
        log.info("paused before the command", ["release": .path(directory.before)])
        if try !waitForRelease(.before, loop) { throw EmissaryStop.failed("received SIGTERM while paused before the command") }
    }

    private func pauseAfter(_ end: CommandRun.End, _ loop: EventLoop) throws {
        // Our own additions never cost a step its outputs: they do not apply once its end was asked for.
        let added = !loop.isTerminating && (end.code != 0 && settings.pausesOnErrorByNow || directory.asksForPause)
        guard settings.pauseAfter || added else { return }
        log.info("paused after the command", ["release": .path(directory.after), "exitCode": .integer(Int64(end.code))])
        if try !waitForRelease(.after, loop) {
            throw EmissaryStop.failed("received SIGTERM while paused after the command")
        }
    }

    /// - Returns: false where SIGTERM came instead.
    private func waitForRelease(_ pause: ContainerDirectory.Pause, _ loop: EventLoop) throws -> Bool {
        // Only a local run reads it: a pause is a pause without it.
        do throws(SystemError) { try directory.announce(pause) } catch {
            log.warn("cannot tell others of the pause", ["error": .error(error)])
        }
        defer { try? directory.announce(nil) }
        let release = directory.release(of: pause)
        return try loop.waitFor { directory.exists(release) ? true : nil } != nil
    }

    // MARK: Outputs

    /// - Returns: the failure; nil where all is well.
    private func saveOutputs(_ template: Template) -> EmissaryOutcome? {
        guard directory.name == "main" else {
            log.info("not saving outputs - not main container")
            return nil
        }
        let options = PackOptions(log: log, isFaithful: settings.keepsTreesFaithful)
        let saver = OutputSaver(
            template: template, runDirectory: settings.runDirectory, isInitless: settings.waitForReady, options: options,
            log: log)
        do { try saver.save() } catch { return .failed(errorText(error)) }
        return nil
    }
}
