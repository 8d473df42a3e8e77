import Artifacts
import Executor
import HTTPTransport
import ProcessControl
import SystemSupport
import WorkflowModel

/// What `init` and `wait` are made of: environment, settings, template and drivers.
struct ExecutorContext {
    let environment: Environment
    let settings: ExecutorSettings
    let template: Template
    let templateText: [UInt8]
    let drivers: DriverContext
    let proxy: ProxySettings
    let trust: TrustAnchors

    /// Reads everything in the contract's order (02 §1).
    ///
    /// - Throws: `StartFailure`.
    init(_ environment: Environment, log: Log) throws {
        self.environment = environment
        let settings = try ExecutorSettings(environment)
        templateText = try TemplateSource.text(environment, settings.paths)
        template = try TemplateSource.parse(templateText)
        self.settings = settings
        let services = try StoreServices(environment, log: log)
        proxy = services.proxy
        trust = services.trust
        drivers = services.drivers(
            secrets: settings.paths.secrets,
            localStore: environment.nonEmpty(.localStore).map { [template] in
                LocalStore(
                    folder: BytePath($0), original: template.archiveLocation ?? .empty,
                    cache: environment.nonEmpty(.localCache).map { BytePath($0) })
            })
    }
}
