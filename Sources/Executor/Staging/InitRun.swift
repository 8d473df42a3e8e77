package import Archiving
import RunDirectory
package import SystemSupport
import Tracing

/// The `init` mode: everything that is done before the main container starts (contract 02 §2).
package struct InitRun: Sendable {
    package let step: StepContext
    /// The template's own text: handed on unchanged, so that fields which we do not know survive.
    package let templateText: [UInt8]
    package let environment: Environment

    package init(
        _ step: StepContext, templateText: [UInt8], environment: Environment
    ) {
        self.step = step
        self.templateText = templateText
        self.environment = environment
    }

    /// Puts the binary, the template, the script and the input artifacts in place.
    ///
    /// - Throws: the first error in the contract's order.
    package func run() throws {
        let directory = step.directory
        directory.sweep()
        try BinaryInstaller(directory: directory, searchPath: environment[.path]).install()
        try directory.writeTemplate(templateText)
        try SettingsFile.write(environment.own, in: directory)
        try Trace.span("stageFiles") { try ScriptStager(paths: step.settings.paths, log: step.log).stage(step.template) }
        try InputStager(step: step, unpacking: UnpackOptions(environment, log: step.log)).stage()
    }
}

extension UnpackOptions {
    /// What our own variables ask for; numbers that make no sense are left out with a warning.
    package init(_ environment: Environment, log: Log) {
        func number(_ variable: EnvironmentVariable) -> Int64? {
            guard let text = environment.nonEmpty(variable) else { return nil }
            if let value = Int64(text), value > 0 { return value }
            log.warn("ignoring a limit that is not a positive number", ["variable": .text(variable.rawValue)])
            return nil
        }
        self.init(
            limits: Limits(
                bytes: number(.extractMaxBytes), entries: number(.extractMaxEntries), ratio: number(.extractMaxRatio)),
            isFaithful: environment.isTrue(.faithfulTrees), log: log)
    }
}
