import CommandLineInterface
import Glibc
import LocalRunner
import ProcessControl
import Synchronization
import SystemSupport

/// Runs a verb for people: errors are told in one line each and end with exit code 1, where the pods' modes have their own.
func localVerb(_ body: () throws -> Int32) throws -> Int32 {
    do { return try body() } catch let error as UsageError { throw error } catch {
        for line in LocalRefusal.report(error) { StandardStreams.printError("\(line)\n") }
        return ExitCode.verbFailure
    }
}

/// The signals that end a verb for people.
func localSignals() throws -> SignalDescriptor { try SignalDescriptor([SIGINT, SIGTERM, SIGHUP]) }

/// Calls `stop` at the first signal, and ends the process at the second.
func stopping(by signals: SignalDescriptor, _ stop: @escaping @Sendable () -> Void) throws {
    let isStopped = Atomic(false)
    try SignalListener.start(signals) { _ in
        if isStopped.exchange(true, ordering: .relaxed) { _exit(ExitCode.interrupted) }
        stop()
        return true
    }
}
