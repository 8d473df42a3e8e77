import Agent
import CommandLineInterface
import Documents
import Executor
import ProcessControl
import SystemSupport

extension Command<GlobalSettings> {
    /// `agent init`: makes the tokens of the agent's plugins (contract 02 §13).
    static let agentInit = Command("agent init", "Make the tokens of a workflow agent's plugins") { call in
        let log = try call.global.makeLog()
        let environment = Environment.current()
        let paths = ExecutorPaths(environment)
        return try leavingTerminationMessage(paths.terminationLog, log) {
            announceAgent("agent init", environment, log)
            try PluginTokens(in: paths.runDirectory).make(for: pluginList(.pluginNames, environment), log: log)
            return ExitCode.success
        }
    }
}

/// Tells the log who begins with what. The agent's pod has neither a name of its own nor a template.
func announceAgent(_ mode: String, _ environment: Environment, _ log: Log) {
    log.info(
        "starting \(mode)",
        [
            "version": .text(BuildInformation.current.version), "workflow": .text(environment[.workflowName] ?? ""),
            "plugins": .text(environment[.pluginNames] ?? ""),
        ])
}

/// The texts of a variable that is a JSON array of them, or `null`.
///
/// - Throws: `StartFailure` with exit code 1.
func pluginList(_ variable: EnvironmentVariable, _ environment: Environment) throws(StartFailure) -> [String] {
    func refuse(_ reason: String) -> StartFailure { .fatal("read \(variable.rawValue): \(reason)") }
    guard let text = environment.nonEmpty(variable) else { throw refuse("it is not set") }
    let value: JSONValue
    do { value = try JSONValue(parsing: Array(text.utf8)) } catch { throw refuse(errorText(error)) }
    if value.isNull { return [] }
    guard let elements = value.array else { throw refuse("expected an array of strings, found \(value.kindName)") }
    var texts: [String] = []
    for element in elements {
        guard let text = element.string else { throw refuse("expected an array of strings, found \(element.kindName)") }
        texts.append(text)
    }
    return texts
}
