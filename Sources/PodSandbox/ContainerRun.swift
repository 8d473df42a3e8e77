import Documents
import FileTrees
import Glibc
import ProcessControl
import SystemSupport

/// One container that runs, seen from the loop of its pod. The thread that starts it must live as long: with it the container dies.
final class ContainerRun {
    let container: ContainerManifest
    let role: ContainerOutcome.Role
    let isExecutor: Bool
    /// How it ended; nil before and while it runs.
    private(set) var outcome: ContainerOutcome?

    private let folder: ContainerFolder
    private let runtime: ContainerRuntime
    private let log: Log
    private let onLine: (([UInt8]) -> Void)?
    private var output: OutputLog?
    private var outputPipe: ChildPipe?
    private var statusPipe: ChildPipe?
    private var status = SandboxStatus()
    private var child: ChildProcess?
    private var startedAt = Timestamp.zero
    /// The name by which an engine knows it.
    private var engineName = ""
    private var wish: Wish?
    /// Whether SIGKILL was sent.
    private var isKilled = false

    /// A signal that is still to be delivered.
    private struct Wish {
        let number: Int32
        let since: Int64
        var next: Int64
    }

    /// How often a signal that could not be delivered is tried again, in nanoseconds.
    private static let retryInterval: Int64 = 50_000_000
    /// How long a sandbox may take until its first process is known, in nanoseconds.
    private static let setUpLimit: Int64 = 5_000_000_000

    /// - Parameter onLine: is told each line of output; nil lets the container write to its log by itself.
    init(
        _ container: ContainerManifest, role: ContainerOutcome.Role, isExecutor: Bool, folder: ContainerFolder,
        runtime: ContainerRuntime, log: Log, onLine: (([UInt8]) -> Void)?
    ) {
        self.container = container
        self.role = role
        self.isExecutor = isExecutor
        self.folder = folder
        self.runtime = runtime
        self.log = log
        self.onLine = onLine
    }

    var name: String { container.name }
    var isRunning: Bool { child != nil }

    // MARK: Starting

    /// Starts it. What keeps it from starting becomes its outcome.
    ///
    /// - Parameter group: the process group that it joins; nil for one of its own.
    func start(_ planner: ContainerPlanner, group: Int32?) {
        startedAt = Timestamp.now
        (outcome, wish, status, isKilled) = (nil, nil, SandboxStatus(), false)
        do { try launch(try planner.plan(container), group) } catch {
            finish(ExitCode.notStarted, "StartError", errorText(error))
        }
    }

    private func launch(_ plan: SandboxPlan, _ group: Int32?) throws {
        let output = try OutputLog(folder.log, log: log, onLine: onLine ?? { _ in })
        let outputPipe = try onLine.map { _ in try ChildPipe() }
        let statusPipe = try ChildPipe()
        let input = try Descriptor.open("/dev/null", O_RDONLY)
        let options: OptionFile?
        var spawner: Spawner
        switch runtime {
        case .bubblewrap(let bubblewrap):
            let file = try OptionFile(
                bubblewrap.options(for: plan, statusDescriptor: statusPipe.childEnd), beside: folder.path.appending("options"))
            options = file
            spawner = Spawner(
                program: bubblewrap.program,
                arguments: [bubblewrap.program.base, "--args", BytePath(String(file.raw)), "--"]
                    + bubblewrap.command(for: plan),
                environment: ProcessEnvironment([]))
            spawner.inheritedDescriptors = [file.raw, statusPipe.childEnd]
        case .engine(let engine):
            options = nil
            engineName = "argoexec-" + hexadecimal((0..<8).map { _ in UInt8.random(in: 0...255) })
            spawner = Spawner(
                program: engine.program,
                arguments: engine.runCommand(
                    for: plan, image: isExecutor ? ContainerEngine.executorImage : container.image, name: engineName,
                    folder: folder.path.directory.directory),
                environment: engine.clientEnvironment(for: plan))
        }
        spawner.placement = group.map { .group($0) } ?? .newGroup
        spawner.deathSignal = SIGKILL
        spawner.closesOtherDescriptors = true
        spawner.resetsSignals = true
        spawner.standardInput = input.raw
        spawner.standardOutput = outputPipe?.childEnd ?? output.raw
        spawner.standardError = outputPipe?.childEnd ?? output.raw
        child = try withExtendedLifetime(options) { try spawner.start() }
        outputPipe?.childStarted()
        statusPipe.childStarted()
        (self.output, self.outputPipe, self.statusPipe) = (output, outputPipe, statusPipe)
    }

    /// Bubblewrap's options in a file without a name: there may be many, they may be long, and some are secrets.
    private final class OptionFile {
        private let file: Descriptor

        init(_ words: [BytePath], beside place: BytePath) throws(SystemError) {
            file = try Descriptor.open(place, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
            try DirectoryIO.unlink(AT_FDCWD, place, subject: place.text)
            var bytes: [UInt8] = []
            for word in words { bytes += word.bytes + [0] }
            try DescriptorIO.write(file.raw, bytes.span, at: 0, subject: place.text)
        }

        var raw: Int32 { file.raw }
    }

    // MARK: Watching

    /// Adds what wakes the loop.
    func addInterests(to set: inout PollSet) {
        guard let child else { return }
        if let descriptor = child.exitDescriptor { set.add(descriptor, .readable) }
        for pipe in [outputPipe, statusPipe] { if let pipe, pipe.isOpen { set.add(pipe.raw, .readable) } }
    }

    /// When `advance` is to be called at the latest; nil for no such time.
    var wakeTime: Int64? {
        guard let child else { return nil }
        let polling = child.exitDescriptor == nil ? monotonicNanoseconds() + Self.retryInterval : nil
        guard let next = wish?.next, let polling else { return wish?.next ?? polling }
        return min(next, polling)
    }

    /// Takes what has come, delivers a signal that waits, and sees whether the container has ended.
    func advance() {
        guard let child else { return }
        // Asked before reading: after the end nothing more is written.
        let ended = (try? child.poll()) ?? nil
        outputPipe?.drain { output?.append($0) }
        statusPipe?.drain { status.add($0) }
        if let ended { end(ended) } else { deliver() }
    }

    private func end(_ ended: ExitStatus) {
        output?.finish()
        (child, outputPipe, statusPipe, wish) = (nil, nil, nil, nil)
        switch (runtime, ended) {
        case (.bubblewrap, _) where status.exitCode == nil && isKilled: finish(ExitCode.signal(SIGKILL), "Error", "")
        case (.bubblewrap, .exited) where status.exitCode == nil, (.engine, .exited(125)):
            finish(ExitCode.notStarted, "StartError", lastLine)
        default:
            let code = status.exitCode ?? ended.code
            finish(code, code == 0 ? "Completed" : "Error", terminationMessage(code))
        }
        output = nil
    }

    private func finish(_ code: Int32, _ reason: String, _ message: String) {
        outcome = ContainerOutcome(
            name: name, image: container.image, role: role, exitCode: code, reason: reason, message: message, log: folder.log,
            startedAt: startedAt, finishedAt: Timestamp.now)
        let status = outcome?.status.serialized() ?? []
        do { try SmallFile.write(folder.status, status + [0x0A]) } catch {
            log.warn("cannot keep a container's status", ["container": .text(name), "error": .error(error)])
        }
    }

    // MARK: Messages

    private static let longestMessage = 4096

    private func terminationMessage(_ code: Int32) -> String {
        let message = (try? FileTail.read(folder.terminationLog, count: Self.longestMessage)) ?? []
        if !message.isEmpty || code == 0 || !container.fallsBackToLog { return String(decoding: message, as: UTF8.self) }
        let lines = ((try? FileTail.read(folder.log, count: 2048)) ?? []).split(
            separator: 0x0A, omittingEmptySubsequences: false
        ).suffix(81)
        return String(decoding: Array(lines.joined(separator: [0x0A])), as: UTF8.self)
    }

    /// What bubblewrap or an engine said last.
    private var lastLine: String {
        let lines = ((try? FileTail.read(folder.log, count: Self.longestMessage)) ?? []).split(separator: 0x0A)
        return lines.last.map { String(decoding: $0, as: UTF8.self) } ?? "the sandbox ended before the command started"
    }

    // MARK: Signals

    /// Sends a signal to the container's first process, as soon as that is ready for it.
    func signal(_ number: Int32) {
        guard isRunning, wish?.number != SIGKILL else { return }
        let now = monotonicNanoseconds()
        wish = Wish(number: number, since: now, next: now)
        deliver()
    }

    private func deliver() {
        guard let wish, let child, monotonicNanoseconds() >= wish.next else { return }
        self.wish?.next = monotonicNanoseconds() + Self.retryInterval
        if case .engine(let engine) = runtime { return deliver(wish, by: engine, child) }
        guard let process = status.process else {
            // Bubblewrap without its child could leave that behind; only one that hangs is ended itself.
            if wish.number == SIGKILL, monotonicNanoseconds() - wish.since > Self.setUpLimit { try? child.signal(SIGKILL) }
            return
        }
        // The kernel drops what the first process of a namespace does not expect, e.g. before it has set up its handler.
        if wish.number == SIGKILL || Self.expects(process, wish.number) {
            _ = Glibc.kill(process, wish.number)
            self.wish = nil
            isKilled = isKilled || wish.number == SIGKILL
        }
    }

    /// Has the engine send a signal to its container. Only the client is our child; it is left alone, to report how the container
    /// ended: signalled near the end, it would report its own end.
    private func deliver(_ wish: Wish, by engine: ContainerEngine, _ child: ChildProcess) {
        // One that cannot be killed by its name goes without its client.
        if isKilled { return giveUp(wish, child) }
        isKilled = wish.number == SIGKILL
        var command = Subprocess(
            Spawner(
                program: engine.program, arguments: engine.killCommand(name: engineName, signal: wish.number),
                environment: engine.environment))
        command.deadline = monotonicNanoseconds() + Self.setUpLimit
        let isSent = (try? command.run())?.status == .exited(0)
        switch (isSent, wish.number) {
        case (true, SIGKILL): self.wish?.next = monotonicNanoseconds() + Self.setUpLimit
        case (true, _): self.wish = nil
        case (false, SIGKILL): self.wish?.next = 0
        // It has not been started yet, or has just ended.
        case (false, _): if monotonicNanoseconds() - wish.since > Self.setUpLimit { giveUp(wish, child) }
        }
    }

    private func giveUp(_ wish: Wish, _ child: ChildProcess) {
        self.wish = nil
        try? child.signal(wish.number)
    }

    /// Whether a process handles a signal or has blocked it for later.
    private static func expects(_ process: Int32, _ number: Int32) -> Bool {
        guard let text = try? SmallFile.read(BytePath("/proc/\(process)/status"), limit: 1 << 16) else { return false }
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n")
        where line.hasPrefix("SigCgt:") || line.hasPrefix("SigBlk:") {
            let digits = line.split(separator: "\t").last ?? ""
            if let mask = UInt64(digits, radix: 16), mask & (1 << UInt64(number - 1)) != 0 { return true }
        }
        return false
    }
}

extension ExitCode {
    /// What a node reports of a container whose program could not be started.
    fileprivate static let notStarted: Int32 = 128
}
