import ArtifactRegistry
import Artifacts
import Executor
import HTTPTransport
import ProcessControl
import RegularExpressions
import SystemSupport
import WorkflowModel

/// What the environment says of transfers, alike for the modes of a pod and the commands for people: proxies, certificates,
/// retries, parts of uploads, credentials.
struct StoreServices {
    let proxy: ProxySettings
    let trust: TrustAnchors
    private let environment: Environment
    private let backoff: Backoff
    private let log: Log

    /// - Throws: `StartFailure` for a variable that cannot be understood.
    init(_ environment: Environment, log: Log) throws(StartFailure) {
        self.environment = environment
        self.log = log
        backoff = try ExecutorSettings.backoff(environment)
        proxy = ProxySettings(environment: { name in EnvironmentVariable(rawValue: name).flatMap { environment[$0] } })
        trust = .system(file: environment.nonEmpty(.sslCertFile), directories: environment.nonEmpty(.sslCertDirectory))
    }

    /// What the requests of one process need.
    ///
    /// - Parameters:
    ///   - secrets: folder with `NAME/KEY` files.
    ///   - localStore: stands in for the store of its location.
    func drivers(secrets: BytePath, localStore: LocalStore? = nil) -> DriverContext {
        var configuration = HTTPClientConfiguration(trust: trust, proxy: proxy, userAgent: UserAgent.text)
        configuration.decodingLimits = DecodingLimits(environment)
        // A pattern that is not valid matches nothing (contract 01 §5.2).
        let pattern = environment.nonEmpty(.transientErrorPattern).flatMap { try? RegularExpression($0) }
        var drivers = DriverContext(
            registry: ArtifactDrivers(), clients: HTTPClients(configuration), log: log,
            executorBackoff: backoff, secretsDirectory: secrets,
            uploads: UploadSettings(environment: environment, log: log), localStore: localStore,
            clouds: CloudEnvironment(environment), isTransientText: { text in pattern?.matches(text) ?? false })
        if let interval = environment.nonEmpty(.transferReportInterval).flatMap({ GoDuration.nanoseconds($0) }), interval > 0 {
            drivers.progressInterval = interval
        }
        drivers.obeyVerification(environment)
        return drivers
    }

    /// The same for a user at a terminal: no quick attempts inside the slow ones, and each retry is told at once.
    func attendedDrivers(secrets: BytePath, localStore: LocalStore? = nil) -> DriverContext {
        var drivers = drivers(secrets: secrets, localStore: localStore)
        drivers.requestBackoff = nil
        drivers.isAttended = true
        drivers.onRetry = { retry in StandardStreams.printError("\(retry.text)\n") }
        drivers.idleNotice = IdleNotice { StandardStreams.printError("\($0)\n") }
        return drivers
    }

    /// The same for a check, which tells what a store answers first: each request is made once, whatever the environment says.
    func singleTryDrivers(secrets: BytePath) -> DriverContext {
        var drivers = drivers(secrets: secrets)
        drivers.requestBackoff = nil
        drivers.isAttended = true
        drivers.executorBackoff = Backoff(duration: 0, factor: 1, jitter: 0, steps: 1)
        return drivers
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
