import Artifacts
import Executor
import HTTPTransport
import ProcessControl
import SystemSupport
import WorkflowModel

/// What `init`, `wait` and `supervisor` are made of: environment, settings, template and drivers.
struct ExecutorContext {
    let environment: Environment
    let settings: ExecutorSettings
    let template: Template
    let templateText: [UInt8]
    let drivers: DriverContext
    let proxy: ProxySettings
    let trust: TrustAnchors
    private let services: StoreServices

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
        self.services = services
        proxy = services.proxy
        trust = services.trust
        drivers = Self.drivers(services, environment, settings, template)
    }

    /// The step, logged to `log`.
    func step(_ log: Log) -> StepContext {
        StepContext(template: template, settings: settings, drivers: drivers, log: log)
    }

    /// Drivers that share nothing with `drivers`: one may be cancelled without the other.
    func makeDrivers() -> DriverContext { Self.drivers(services, environment, settings, template) }

    private static func drivers(
        _ services: StoreServices, _ environment: Environment, _ settings: ExecutorSettings, _ template: Template
    ) -> DriverContext {
        services.drivers(
            secrets: settings.paths.secrets,
            localStore: environment.nonEmpty(.localStore).map {
                LocalStore(
                    folder: BytePath($0), original: template.archiveLocation ?? .empty,
                    cache: environment.nonEmpty(.localCache).map { BytePath($0) })
            })
    }

    /// Tells the log who begins with what.
    ///
    /// - Parameter mode: the command's name.
    func announce(_ mode: String, _ log: Log) {
        log.info(
            "starting \(mode)",
            [
                "version": .text(BuildInformation.current.version), "pod": .text(settings.podName),
                "node": .text(settings.nodeID), "template": .text(template.name), "type": .text(template.kind.rawValue),
            ])
    }
}
