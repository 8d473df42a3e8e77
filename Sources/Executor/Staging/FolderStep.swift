package import Archiving
package import Artifacts
import FileTrees
import RunDirectory
package import SystemSupport
package import WorkflowModel

/// A step without a pod: a folder stands in the place of the user's container, and the code that stages and collects in a pod runs
/// on it.
package struct FolderStep: Sendable {
    /// An input artifact that was staged.
    package struct Input: Sendable {
        package let name: String
        /// In the user's container.
        package let path: String
        /// On this machine.
        package let file: BytePath
    }

    /// The root of the user's container, in the folder.
    package static let root: BytePath = "root"

    private let step: StepContext

    /// - Parameters:
    ///   - folder: `root` in it is the root of the user's container; `ctr/NAME` holds what its containers have printed, as in the
    ///     run directory.
    ///   - settings: of the pod that the step would have; its paths do not count.
    package init(
        template: Template, settings: ExecutorSettings, folder: BytePath, drivers: DriverContext, log: Log
    ) {
        let root = folder.appending(Self.root)
        let runDirectory = RunDirectory(root: folder)
        var settings = settings
        settings.paths.mirror = root
        settings.paths.mirrorsEverything = true
        settings.paths.runDirectory = folder
        // Only what was kept can be the result.
        settings.includesScriptOutput = runDirectory.exists(runDirectory.container("main").standardOutput)
        step = StepContext(template: template, settings: settings, drivers: drivers, log: log)
    }

    /// What `init` does: the script, the manifest and the input artifacts.
    ///
    /// The caller has made `root`.
    ///
    /// - Returns: the inputs that are there; optional ones may be missing.
    /// - Throws: the first error in the template's order.
    package func stage(unpacking: UnpackOptions) throws -> [Input] {
        let (template, paths) = (step.template, step.settings.paths)
        try ScriptStager(paths: paths, log: step.log).stage(template)
        try InputStager(step: step, unpacking: unpacking).stage()
        let place = try paths.mirrorPlace()
        return try template.inputArtifacts.enumerated().compactMap { index, artifact in
            guard let plan = try InputPlan(artifact, index: index, template: template, paths: paths),
                place.exists(plan.destination.path)
            else { return nil }
            return Input(name: artifact.name, path: artifact.path, file: plan.target)
        }
    }

    /// What `wait` does once the main containers have ended: result, parameters, artifacts and logs.
    ///
    /// - Returns: the outputs as they would be reported, and every error on the way.
    package func collect() -> (outputs: Outputs, errors: [any Error]) {
        let failures = Failures(log: .silent)
        let outputs = OutputCollector(step).collect(failures)
        return (outputs, failures.all)
    }
}
