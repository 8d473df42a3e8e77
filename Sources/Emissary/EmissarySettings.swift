package import ProcessControl
package import RunDirectory
package import SystemSupport
import Tracing
import WorkflowModel

/// What the emissary is told by its command line and environment (contract 01 §5, 02 §4). It needs none of the variables.
package struct EmissarySettings: Sendable {
    /// `ARGO_CONTAINER_NAME`; empty for a container that the controller did not build.
    package var containerName = ""
    /// The words after `--`: the program and its arguments, as bytes.
    package var command: [BytePath]
    /// What the user's process is given; PATH is looked up here too.
    package var environment: ProcessEnvironment
    package var runDirectory = RunDirectory()
    /// `ARGO_TEMPLATE`, looked at where the run directory has no template; nil where it is unset.
    package var templateVariable: [UInt8]?
    /// Where a template too large for a variable is mounted.
    package var offloadedTemplate: BytePath = "/argo/config/ARGO_TEMPLATE"
    /// `ARGO_CONTAINER_ARGS_FILE`: a JSON array with further arguments.
    package var argumentsFile: BytePath?
    /// Where arguments go that are too large for the kernel.
    package var argumentsDirectory: BytePath = "/tmp"
    /// Where the supervisor of an init-less pod leaves input artifacts.
    package var inputArtifacts: BytePath = "/argo/inputs/artifacts"
    /// `ARGO_INCLUDE_SCRIPT_OUTPUT`: keep standard output for the result.
    package var includeScriptOutput = false
    /// `ARGO_WAIT_FOR_READY`: the pod is init-less and a supervisor prepares it.
    package var waitForReady = false
    /// `ARGO_DEBUG_PAUSE_BEFORE`: wait for the file `before`.
    package var pauseBefore = false
    /// `ARGO_DEBUG_PAUSE_AFTER`: wait for the file `after`.
    package var pauseAfter = false
    /// Wait for the file `after` where the command failed: our own addition.
    package var pauseOnError = false
    /// Nanoseconds between SIGTERM and SIGKILL.
    package var gracePeriod = KillProcedure.defaultGrace
    /// Archives keep what the reference drops (`ARGOEXEC_FAITHFUL_TREES`).
    package var faithfulTrees = false
    /// Only its level and format are used: records go to standard error, without ever blocking on it.
    package var log = Log()
    package var trace = EmissaryTrace()
    /// What keeps the command from being started at all; nil for nothing.
    package var refusal: String?

    package init(command: [BytePath], environment: ProcessEnvironment) {
        self.command = command
        self.environment = environment
    }
}

extension EmissarySettings {
    /// Whether one of our own variables is true, which the supervisor may have handed on only after this process had started.
    private func isTrueByNow(_ variable: EnvironmentVariable) -> Bool {
        guard waitForReady, environment[variable.rawValue] == nil else { return false }
        return SettingsFile.read(in: runDirectory)[variable.rawValue] == "true"
    }

    var pausesOnErrorByNow: Bool { pauseOnError || isTrueByNow(.pauseOnError) }
    var keepsTreesFaithful: Bool { faithfulTrees || isTrueByNow(.faithfulTrees) }

    /// The template: of the run directory, else of the variable (contract 01 §4).
    func readTemplate() throws -> Template {
        do {
            if let bytes = try runDirectory.readTemplate() { return try Template.load(from: bytes) }
            guard let variable = templateVariable else {
                throw ExecutorError.notFound(
                    "open \(runDirectory.template): no such file or directory, and ARGO_TEMPLATE is not set")
            }
            if variable == Array("offloaded".utf8) {
                return try Template.load(from: try SmallFile.read(offloadedTemplate, limit: RunDirectory.templateLimit))
            }
            return try Template.load(from: variable)
        } catch { throw ExecutorError.wrapping("failed to read template", error) }
    }

    /// The command with its program found.
    ///
    /// - Parameter span: the command's parent in the trace; nil where nothing of this run is recorded, and what came goes on.
    func spawner(_ words: [BytePath], span: SpanContext?) throws -> Spawner {
        var environment = environment
        if let span {
            environment.set("TRACEPARENT", to: BytePath(span.traceParent))
            if !span.state.isEmpty { environment.set("TRACESTATE", to: BytePath(span.state)) }
        } else if environment["TRACEPARENT"] == nil {
            // The reference always hands this one on, empty where there is no trace.
            environment.set("TRACEPARENT", to: "")
        }
        do throws(ProgramSearch.Failure) {
            let program = try ProgramSearch.find(words[0], searchPath: environment["PATH"])
            return Spawner(program: program, arguments: [program] + words.dropFirst(), environment: environment)
        } catch { throw ExecutorError.wrapping("failed to find name in PATH", error) }
    }
}
