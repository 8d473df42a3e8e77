import ProcessControl
import RunDirectory
import SystemSupport

/// One attempt at the user's command: started, served until it ends, and its output carried on meanwhile.
struct CommandRun {
    enum End {
        case ended(ExitStatus)
        case notStarted(SystemError)
        /// It ran, but how it ended cannot be known.
        case lost(SystemError)

        /// The code that stands for it (contract 02 §4, result table).
        var code: Int32 {
            switch self {
            case .ended(let status): status.code
            case .notStarted, .lost: ExitCode.failure
            }
        }
    }

    let spawner: Spawner
    let loop: EventLoop
    let directory: ContainerDirectory
    /// The containers whose end ends this one, where it is a sidecar; else none.
    let mainContainers: [ContainerDirectory]
    let gracePeriod: Int64
    /// Asked when our own SIGTERM comes: whether it is for the command, or for one that has to outlive it.
    var passesTermination: () -> Bool = { true }
    /// Nil: the process writes to our own streams directly.
    let captureFiles: OutputCapture.Files?
    let output: StreamForwarder
    let error: StreamForwarder
    let log: Log
    /// Signals that came before the command was started, but after our own start: it gets them first.
    var earlySignals: [Int32] = []

    /// How long after the command's end output of its helpers is waited for, in nanoseconds (contract 02 §4).
    private static let drainLimit: Int64 = 100_000_000

    /// Whether the end was asked for, so that the command is not to be started again.
    private(set) var wasTold = false
    private var isSidecarTold = false
    /// When SIGKILL is due.
    private var killAt: Int64?

    init(
        spawner: Spawner, loop: EventLoop, directory: ContainerDirectory, mainContainers: [ContainerDirectory],
        gracePeriod: Int64, captureFiles: OutputCapture.Files?, output: StreamForwarder, error: StreamForwarder, log: Log
    ) {
        self.spawner = spawner
        self.loop = loop
        self.directory = directory
        self.mainContainers = mainContainers
        self.gracePeriod = gracePeriod
        self.captureFiles = captureFiles
        self.output = output
        self.error = error
        self.log = log
    }

    /// Runs the command to its end.
    mutating func run() -> End {
        var spawner = spawner
        let child: ChildProcess
        var terminal: TerminalSession?
        var capture: OutputCapture?
        do throws(SystemError) {
            if TerminalSession.isTerminal(0) {
                let session = try TerminalSession(own: 0)
                spawner.placement = .newTerminalSession
                spawner.standardInput = session.childTerminal
                spawner.standardOutput = session.childTerminal
                spawner.standardError = session.childTerminal
                capture = try OutputCapture(
                    files: captureFiles ?? .init(result: nil, combined: nil), terminal: session, output: output)
                terminal = session
            } else if let captureFiles {
                let pipes = try OutputCapture(files: captureFiles, output: output, error: error)
                spawner.standardOutput = pipes.childOutput
                spawner.standardError = pipes.childError
                capture = pipes
            }
            child = try spawner.start()
        } catch { return .notStarted(error) }
        capture?.childStarted()
        terminal?.childStarted()
        loop.child = child
        for number in earlySignals { send(number, to: child) }
        let end = serve(child, capture, terminal)
        loop.child = nil
        drain(capture)
        terminal?.leaveRawMode()
        return end
    }

    private mutating func serve(_ child: ChildProcess, _ capture: OutputCapture?, _ terminal: TerminalSession?) -> End {
        var filesMayHaveChanged = true
        do throws(SystemError) {
            while true {
                if let status = try child.poll() { return .ended(status) }
                if filesMayHaveChanged {
                    obeySignalFile(child)
                    endSidecarIfDue(child)
                }
                let now = monotonicNanoseconds()
                if let due = killAt, now >= due {
                    log.warn("the command outlived its grace period, killing it")
                    send(Signal.kill, to: child)
                    killAt = nil
                }
                let deadline = [killAt, capture?.deadline].compactMap { $0 }.min()
                let wakeup = try loop.wait(until: deadline) { set in
                    capture?.addInterests(to: &set)
                    terminal?.addInterests(to: &set)
                }
                capture?.handle(wakeup.set)
                terminal?.handle(wakeup.set)
                for number in wakeup.signals {
                    if number == Signal.windowChanged, let terminal {
                        terminal.windowChanged()
                        continue
                    }
                    if number == Signal.terminate {
                        guard passesTermination() else { continue }
                        scheduleKill()
                    }
                    send(number, to: child)
                }
                filesMayHaveChanged = wakeup.filesMayHaveChanged
            }
        } catch { return .lost(error) }
    }

    /// Takes what helpers of the command still write, which it does not wait for itself (`exec > >(tee log)`): until none holds a
    /// pipe any more, which is at once as a rule, and not for long where one does.
    ///
    /// Where the command writes to our own streams and we are process 1, all that is left in the container goes with us: there
    /// its helpers get the same time.
    private func drain(_ capture: OutputCapture?) {
        let end = monotonicNanoseconds() + Self.drainLimit
        capture?.processEnded()
        while capture?.isOpen ?? Reaper.reap(keeping: nil), monotonicNanoseconds() < end {
            guard let wakeup = try? loop.wait(until: end, adding: { capture?.addInterests(to: &$0) }) else { break }
            capture?.handle(wakeup.set)
        }
        capture?.finish()
    }

    /// Sends the signal that a file asks for (contract 02 §4, §9): also after our own SIGTERM.
    private mutating func obeySignalFile(_ child: ChildProcess) {
        guard let number = directory.takeSignal() else { return }
        log.info("received signal", ["signalPath": .path(directory.signal), "signal": .integer(Int64(number))])
        if Signal.isFinal(number) { wasTold = true }
        send(number, to: child)
    }

    /// A sidecar ends itself once the main containers are done (contract 02 §4).
    private mutating func endSidecarIfDue(_ child: ChildProcess) {
        guard !mainContainers.isEmpty, !isSidecarTold else { return }
        let over = mainContainers.allSatisfy { [.done, .died].contains($0.standing()) }
        guard over else { return }
        isSidecarTold = true
        wasTold = true
        log.info("main container(s) exited, terminating container", ["containerName": .text(directory.name)])
        send(Signal.terminate, to: child)
        scheduleKill()
    }

    /// What is deaf to SIGTERM is killed after the grace period, in both layouts (contract 05 C39): nothing outside can, since a
    /// SIGKILL from inside the container does not reach process 1.
    private mutating func scheduleKill() {
        let due = monotonicNanoseconds().addingReportingOverflow(gracePeriod)
        killAt = min(killAt ?? .max, due.overflow ? .max : due.partialValue)
    }

    private func send(_ number: Int32, to child: ChildProcess) {
        do { try child.signal(number) } catch {
            log.warn("cannot signal the command", ["signal": .integer(Int64(number)), "error": .error(error)])
        }
    }
}
