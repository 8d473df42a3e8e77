import Artifacts
import ExecutorCore
import HTTPTransport

/// What the requests of the local verbs need.
///
/// - Parameters:
///   - secrets: folder with `NAME/KEY` files.
///   - store: stands in for the store of its location.
///   - isOnce: whether each request is tried a single time, so that its first answer is told.
func localDrivers(_ log: Log, secrets: BytePath, store: LocalStore? = nil, isOnce: Bool = false) -> DriverContext {
    let environment = Environment.current()
    var configuration = HTTPClientConfiguration(
        trust: .system(file: environment.nonEmpty(.sslCertFile), directories: environment.nonEmpty(.sslCertDirectory)),
        proxy: ProxySettings(environment: { name in EnvironmentVariable(rawValue: name).flatMap { environment[$0] } }),
        userAgent: UserAgent.text)
    configuration.decodingLimits = DecodingLimits(environment)
    let once = Backoff(duration: 0, factor: 1, jitter: 0, steps: 1)
    var drivers = DriverContext(
        clients: HTTPClients(configuration), log: log, executorBackoff: isOnce ? once : .singleRequest,
        secretsDirectory: secrets, requestBackoff: isOnce ? nil : .singleRequest,
        uploads: UploadSettings(environment: environment, log: log), localStore: store, aws: AWSEnvironment(environment))
    drivers.obeyVerification(environment)
    return drivers
}
