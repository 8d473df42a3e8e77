package import Artifacts
package import ExecutorCore
import FileTrees
import RunDirectory
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
        try BinaryInstaller(runDirectory: directory, searchPath: environment[.path]).install()
        try directory.writeTemplate(templateText)
        try directory.writeSettings(environment.own)
        try ScriptStager(paths: settings.paths, log: log).stage(template)
        try InputStager(template: template, paths: settings.paths, drivers: drivers, limits: .init(environment), log: log)
            .stage()
    }
}
