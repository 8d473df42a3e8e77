package import Archiving
package import Artifacts
import RunDirectory
package import SystemSupport
import Tracing
package import WorkflowModel

/// The `init` mode: everything that is done before the main container starts (contract 02 §2).
package struct InitRun: Sendable {
    package let settings: ExecutorSettings
    package let template: Template
    /// The template's own text: handed on unchanged, so that fields which we do not know survive.
    package let templateText: [UInt8]
    package let environment: Environment
    package let drivers: DriverContext
    package let log: Log

    package init(
        settings: ExecutorSettings, template: Template, templateText: [UInt8], environment: Environment,
        drivers: DriverContext, log: Log
    ) {
        self.settings = settings
        self.template = template
        self.templateText = templateText
        self.environment = environment
        self.drivers = drivers
        self.log = log
    }

    /// Puts the binary, the template, the script and the input artifacts in place.
    ///
    /// - Throws: the first error in the contract's order.
    package func run() throws {
        let directory = RunDirectory(root: settings.paths.runDirectory)
        directory.sweep()
        try BinaryInstaller(directory: directory, searchPath: environment[.path]).install()
        try directory.writeTemplate(templateText)
        try SettingsFile.write(environment.own, in: directory)
        try Trace.span("stageFiles") { try ScriptStager(paths: settings.paths, log: log).stage(template) }
        try InputStager(
            template: template, paths: settings.paths, drivers: drivers, unpacking: UnpackOptions(environment, log: log),
            log: log
        )
        .stage()
    }
}

extension UnpackOptions {
    /// What our own variables ask for; numbers that make no sense are left out with a warning.
    package init(_ environment: Environment, log: Log) {
        func number(_ variable: EnvironmentVariable) -> Int64? {
            guard let text = environment.nonEmpty(variable) else { return nil }
            if let value = Int64(text), value > 0 { return value }
            log.warn("ignoring a limit that is no positive number", ["variable": .text(variable.rawValue)])
            return nil
        }
        self.init(
            limits: Limits(
                bytes: number(.extractMaxBytes), entries: number(.extractMaxEntries), ratio: number(.extractMaxRatio)),
            isFaithful: environment.isTrue(.faithfulTrees), log: log)
    }
}
