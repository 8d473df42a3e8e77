import Archiving
import Artifacts
import RunDirectory
import SystemSupport
import Tracing
import WorkflowModel

/// All that a supervisor does before the main containers may start (contract 02 §3): template, script, input artifacts. May be broken
/// off from any thread.
final class Preparation: Sendable {
    private struct State: Sendable {
        /// Let go at the end: its connections and buffers are of no use for the hours that a step may take.
        var drivers: DriverContext?
        /// The first reason to fail; the errors that follow from it are of no interest.
        var failure: (any Error)?
    }

    private let state: Monitor<State>
    private let step: StepContext
    private let templateText: [UInt8]
    private let environment: Environment

    private static let loading = "failed to load non-plugin input artifacts"

    /// - Parameter drivers: for the loading alone, in the place of the step's; breaking off cancels them for good.
    init(_ step: StepContext, templateText: [UInt8], environment: Environment, drivers: DriverContext) {
        state = Monitor(State(drivers: drivers))
        self.step = step
        self.templateText = templateText
        self.environment = environment
    }

    /// Lets the preparation fail for this reason, at once where it loads something.
    ///
    /// - Returns: false where it fails for another one, or is over.
    @discardableResult
    func breakOff(_ reason: any Error) -> Bool {
        let drivers = state.update { state -> DriverContext? in
            guard let drivers = state.drivers, state.failure == nil else { return nil }
            state.failure = reason
            return drivers
        }
        drivers?.cancel()
        return drivers != nil
    }

    /// The same for a signal or the deadline, which break off what takes long.
    func breakOff(_ reason: String) {
        breakOff(ExecutorError.failed("\(Self.loading): \(reason)"))
    }

    /// Puts everything in place.
    ///
    /// - Throws: the first error in time, with the contract's words before it.
    func run() throws {
        let directory = step.directory
        try wrapping("failed to write template") {
            try directory.writeTemplate(templateText)
            try SettingsFile.write(environment.own, in: directory)
        }
        try Trace.span("stageFiles") {
            try wrapping("failed to stage files") {
                try ScriptStager(paths: step.settings.paths, log: step.log).stage(step.template)
            }
        }
        try load()
    }

    /// Ends the preparation: nothing breaks it off any more.
    ///
    /// - Throws: the reason for which it was broken off.
    func end() throws {
        let failure = state.update { state in
            state.drivers = nil
            return state.failure
        }
        if let failure { throw failure }
    }

    // MARK: Input artifacts

    /// Those of each plugin beside those of the stores; of the same kind in the template's order.
    private func load() throws {
        guard let drivers = state.current.drivers else { return }
        var loading = step
        loading.drivers = drivers
        let stager = InputStager(step: loading, unpacking: UnpackOptions(environment, log: step.log))
        let plans = try wrapping(Self.loading) { try stager.plans() }
        var groups: [(context: String, plans: [InputPlan])] = [(Self.loading, plans.filter { !$0.isPlugin })]
        var plugins = step.settings.inputArtifactPlugins
        for name in plans.compactMap(\.location.plugin?.name) where !plugins.contains(name) { plugins.append(name) }
        for name in plugins {
            groups.append(
                (
                    "failed to load input artifacts from plugin \"\(name)\"",
                    plans.filter { $0.isPlugin && $0.location.plugin?.name == name }
                ))
        }
        let loads = groups.filter { !$0.plans.isEmpty }
        do {
            try Parallel.forEach(count: loads.count, width: loads.count) { [self] index in
                do { try stager.load(loads[index].plans) } catch {
                    let failure = ExecutorError.wrapping(loads[index].context, error)
                    breakOff(failure)
                    throw failure
                }
            }
        } catch { throw state.current.failure ?? error }
        InputNesting(inputs: step.settings.paths.inputArtifacts, log: step.log).link(plans)
    }

    private func wrapping<R>(_ context: String, _ body: () throws -> R) throws -> R {
        do { return try body() } catch { throw ExecutorError.wrapping(context, error) }
    }
}
