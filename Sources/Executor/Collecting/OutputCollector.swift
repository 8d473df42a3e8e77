import Artifacts
import RunDirectory
import SystemSupport
import Tracing
import WorkflowModel

/// Everything that is done between the end of the main containers and the report: result, parameters, artifacts, logs
/// (contract 02 §6). Each failure is recorded, and the next step still runs.
struct OutputCollector: Sendable {
    private let step: StepContext
    private var template: Template { step.template }

    init(_ step: StepContext) { self.step = step }

    /// Artifacts saved side by side at most; their connections and memory come from one budget.
    static let width = 4

    /// The template's outputs with what was found.
    ///
    /// - Parameter logsOnly: for main containers that were not let start: all that they leave is what their logs say.
    func collect(_ failures: Failures, logsOnly: Bool = false) -> Outputs {
        let saver = ArtifactSaver(step)
        if template.kind == .resource {  // its own process reports the parameters
            return Outputs(artifacts: save([], logNames, saver, failures))
        }
        var outputs = template.outputs
        if logsOnly {
            outputs.artifacts = save([], logNames, saver, failures)
            return outputs
        }
        failures.record {
            try Trace.span("captureScriptResult") {
                if step.settings.includesScriptOutput, template.capturesResult { outputs.result = try result() }
            }
        }
        let parameters = ParameterCollector(step: step)
        failures.record {
            let (values, error) = parameters.collect()
            outputs.parameters = values
            if let error { throw error }
        }
        outputs.artifacts = save(template.outputs.artifacts, logNames, saver, failures)
        return outputs
    }

    private var logNames: [String] { template.archivesLogs ? template.mainContainerNames : [] }

    /// The captured standard output; only its end is ever read.
    private func result() throws -> String {
        do {
            let main = step.directory.container("main")
            try main.requireWhole(main.standardOutput)
            return ResultText.result(tail: try main.tail(of: main.standardOutput, count: ResultText.tailLength))
        } catch { throw ExecutorError.wrapping("capture the result", error) }
    }

    /// Saves artifacts and logs side by side.
    ///
    /// - Returns: what was saved, in the template's order, logs last.
    private func save(
        _ artifacts: [Artifact], _ logNames: [String], _ saver: ArtifactSaver, _ failures: Failures
    ) -> [Artifact] {
        let (artifactSpan, logSpan) = (Trace.begin("saveArtifacts"), Trace.begin("saveLogs"))
        defer {
            artifactSpan?.end()
            logSpan?.end()
        }
        let jobs: [@Sendable () throws -> Artifact?] =
            artifacts.map { artifact in
                { @Sendable in
                    artifactSpan?.note("upload artifact", [.text("file", artifact.name)])
                    return try Trace.within(artifactSpan) { try saver.save(artifact) }
                }
            }
            + logNames.map { name in { @Sendable in try Trace.within(logSpan) { try saver.saveLog(of: name) } } }
        let outcomes = Monitor([Result<Artifact?, any Error>?](repeating: nil, count: jobs.count))
        failures.record {
            try Parallel.forEach(count: jobs.count, width: Self.width) { index in
                let outcome = Result { try jobs[index]() }
                outcomes.update { $0[index] = outcome }
            }
        }
        let all = outcomes.current
        // Several errors are one to the controller, in the template's order (contract 03 §3).
        let errors = all.prefix(artifacts.count).compactMap(\.?.failure)
        if errors.count == 1 {
            failures.record { throw errors[0] }
        } else if errors.count > 1 {
            failures.record { throw ExecutorError.failed(errors.map { errorText($0) + "; " }.joined()) }
        }
        for error in all.dropFirst(artifacts.count).compactMap(\.?.failure) { failures.record { throw error } }
        return all.compactMap { try? $0?.get() }
    }
}

extension ContainerDirectory {
    /// What the emissary could not keep of a container's output, for want of room as a rule, must not go on as if whole.
    func requireWhole(_ capture: BytePath) throws {
        guard exists(lossMarker(of: capture)) else { return }
        throw ExecutorError.failed("read \(capture): output was lost: the emissary could not write all of it")
    }
}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}
