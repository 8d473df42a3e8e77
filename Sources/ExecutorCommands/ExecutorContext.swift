import Artifacts
import Executor
import ExecutorCore
import Formats
import HTTPTransport
import ProcessControl
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
        proxy = ProxySettings(environment: { name in EnvironmentVariable(rawValue: name).flatMap { environment[$0] } })
        trust = .system(file: environment.nonEmpty(.sslCertFile), directories: environment.nonEmpty(.sslCertDirectory))
        var configuration = HTTPClientConfiguration(
            trust: trust,
            proxy: proxy, userAgent: UserAgent.text)
        configuration.decodingLimits = DecodingLimits(environment)
        let pattern = environment.nonEmpty(.transientErrorPattern).flatMap { TransientPattern($0) }
        var drivers = DriverContext(
            clients: HTTPClients(configuration), log: log, executorBackoff: settings.backoff,
            secretsDirectory: settings.paths.secrets, uploads: UploadSettings(environment: environment, log: log),
            localStore: environment.nonEmpty(.localStore).map { [template] in
                LocalStore(
                    folder: BytePath($0), original: template.archiveLocation ?? .empty,
                    cache: environment.nonEmpty(.localCache).map { BytePath($0) })
            },
            aws: AWSEnvironment(environment),
            isTransientText: { text in pattern?.matches(text) ?? false })
        if let interval = environment.nonEmpty(.transferReportInterval).flatMap({ GoDuration.nanoseconds($0) }), interval > 0 {
            drivers.progressInterval = interval
        }
        drivers.obeyVerification(environment)
        self.drivers = drivers
    }
}

extension DecodingLimits {
    /// What unpacks on the way is bounded as what is unpacked afterwards.
    init(_ environment: Environment) {
        func limit(_ variable: EnvironmentVariable) -> Int64? {
            environment.nonEmpty(variable).flatMap { Int64($0) }.flatMap { $0 > 0 ? $0 : nil }
        }
        self.init(bytes: limit(.extractMaxBytes), ratio: limit(.extractMaxRatio))
    }
}

/// How we name ourselves to servers.
enum UserAgent {
    static var text: String { "argo-workflows/\(BuildInformation.current.version) argo-executor" }
}
