package import Artifacts
import RunDirectory
package import SystemSupport
package import WorkflowModel

/// A step as its executor works on it: what it is, where its files are, what reaches its stores, and where it is logged.
package struct StepContext: Sendable {
    package let template: Template
    package let settings: ExecutorSettings
    package var drivers: DriverContext
    package let log: Log

    package init(template: Template, settings: ExecutorSettings, drivers: DriverContext, log: Log) {
        self.template = template
        self.settings = settings
        self.drivers = drivers
        self.log = log
    }

    var directory: RunDirectory { RunDirectory(root: settings.paths.runDirectory) }
}
