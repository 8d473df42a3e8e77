package import CommandLineInterface
import Executor
import ProcessControl
package import SystemSupport

/// The program: its table of commands, and the one place where errors become exit codes.
package enum ExecutorProgram {
    package static let commands: CommandTable<GlobalSettings> = CommandTable(
        program: "argoexec", summary: "argoexec is the executor of workflow pods", global: { GlobalSettings() },
        globalFlags: GlobalSettings.flags,
        commands: [
            .initialize, .emissary, .wait, .supervisor, .data, .resource, .kill, .pluginInit, .pluginSidecar, .agentInit,
            .agentMain, .artifactDelete, .run, .stage, .collect, .check, .completion, .version,
            .reference,
        ])

    /// Runs the command that the words name.
    ///
    /// - Parameter words: the words after the program's name.
    /// - Returns: the process's exit code.
    package static func run(_ words: [BytePath]) -> Int32 {
        do { return try commands.run(words) { StandardStreams.print($0) } } catch {
            let text = errorText(error)
            StandardStreams.printError("Error: \(text)\n\(text)\n")
            return exitCode(for: error)
        }
    }

    /// Exit codes by contract 02 §10: 1 and 2 for what keeps a mode from starting, 64 for the rest.
    static func exitCode(for error: any Error) -> Int32 { (error as? StartFailure)?.exitCode ?? ExitCode.failure }
}

/// Runs a mode of the executor: a trap of ours ends it with one line, and an error's text is left as the container's termination
/// message (contract 02 §10). The log tells it too.
func leavingTerminationMessage(_ path: BytePath, _ log: Log, _ body: () throws -> Int32) throws -> Int32 {
    try leavingTerminationMessage(path, log) { _ in try body() }
}

/// The same for modes that tell some of their errors in the log themselves.
func leavingTerminationMessage(_ path: BytePath, _ log: Log, _ body: (inout ModeFailure) throws -> Int32) throws -> Int32 {
    try? TrapHandler.install(terminationLog: path)
    var failure = ModeFailure()
    do { return try body(&failure) } catch {
        if !failure.isTold { log.error("failed", ["error": .error(error)]) }
        TerminationMessage.write(errorText(error), to: path, log)
        throw error
    }
}

/// The error with which a mode ends.
struct ModeFailure {
    /// Whether the log has it already.
    private(set) var isTold = false

    /// Runs the part of a mode that tells its errors in the log as they occur.
    mutating func told(_ body: () throws -> Void) throws {
        do { try body() } catch {
            isTold = true
            throw error
        }
    }
}

/// Standard output for what a command prints, standard error for its errors. A closed stream is ignored.
enum StandardStreams {
    static func print(_ text: String) { try? DescriptorIO.write(1, Array(text.utf8).span, subject: "stdout") }
    static func printError(_ text: String) { try? DescriptorIO.write(2, Array(text.utf8).span, subject: "stderr") }
}
