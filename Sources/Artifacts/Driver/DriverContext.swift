package import HTTPTransport
import Synchronization
package import SystemSupport

/// What all drivers and transfers of a process share: made once, passed on as a value.
package struct DriverContext: Sendable {
    /// Holds `NAME/KEY` for each secret that the locations name (contract 03 §6).
    package var secretsDirectory: BytePath
    package var clients: HTTPClients
    package var log: Log
    /// The executor's own retry policy, `EXECUTOR_RETRY_BACKOFF_*`.
    package var executorBackoff: Backoff
    /// Quick attempts of a single request inside each of the slow ones; nil for none.
    package var requestBackoff: Backoff?
    /// Is told of each attempt that is to follow a failed one, on the thread that makes it; nil: the log is.
    package var onRetry: (@Sendable (RetryNotice) -> Void)?
    /// Whether a text makes an error transient: `TRANSIENT_ERROR_PATTERN`.
    package var isTransientText: @Sendable (String) -> Bool
    package var budget: TransferBudget
    package var uploads: UploadSettings
    /// Folder for parts that do not fit the memory.
    package var spoolDirectory: BytePath
    /// Stands in for a store: `ARGOEXEC_LOCAL_STORE`.
    package var localStore: LocalStore?
    package var cancellation: TransferCancellation
    /// Seconds without a byte before a request counts as failed and is tried again.
    package var stallTimeout = 60
    /// Whether loads are compared with an MD5 that the store tells at any size, and a mismatch is never explained away:
    /// `ARGOEXEC_VERIFY_DOWNLOADS=always`.
    package var verifiesAlways = false
    /// Nanoseconds between the lines that tell how far a long transfer is.
    package var progressInterval: Int64 = 10_000_000_000
    /// Tells somebody who waits that a store is silent; nil: the log says how far a transfer is.
    package var idleNotice: IdleNotice?
    /// What the environment says of credentials for AWS.
    package var aws: AWSEnvironment
    package let memory: StoreMemory
    package var contentTypes: ContentTypes

    package init(
        clients: HTTPClients, log: Log, executorBackoff: Backoff, secretsDirectory: BytePath = "/argo/secret",
        requestBackoff: Backoff? = .singleRequest, budget: TransferBudget = TransferBudget(),
        uploads: UploadSettings = UploadSettings(), spoolDirectory: BytePath = "/tmp", localStore: LocalStore? = nil,
        cancellation: TransferCancellation = TransferCancellation(), aws: AWSEnvironment = AWSEnvironment(),
        isTransientText: @escaping @Sendable (String) -> Bool = { _ in false }
    ) {
        self.secretsDirectory = secretsDirectory
        self.clients = clients
        self.log = log
        self.executorBackoff = executorBackoff
        self.requestBackoff = requestBackoff
        self.isTransientText = isTransientText
        self.budget = budget
        self.uploads = uploads
        self.spoolDirectory = spoolDirectory
        self.localStore = localStore
        self.cancellation = cancellation
        self.aws = aws
        memory = StoreMemory()
        contentTypes = ContentTypes()
    }

    /// Obeys `ARGOEXEC_VERIFY_DOWNLOADS`; a word that is not `always` is ignored with a warning.
    package mutating func obeyVerification(_ environment: Environment) {
        guard let text = environment.nonEmpty(.verifyDownloads) else { return }
        if text == "always" {
            verifiesAlways = true
        } else {
            log.warn("ignoring invalid verification of downloads, want always", ["value": .text(text)])
        }
    }

    /// Ends all running transfers and refuses later ones. May be called from any thread.
    package func cancel() {
        cancellation.cancel()
        clients.cancelAll()
    }
}

extension Backoff {
    /// As the reference's S3 library repeats each request: 200 ms doubling to 1 s, up to 10 times (contract 03 §6.1).
    package static let singleRequest = Backoff(
        duration: 200_000_000, factor: 2, jitter: 0.5, steps: 10, cap: 1_000_000_000)
}

/// The HTTP clients of a process: one for each way of trusting servers and of showing who we are, so that connections are shared
/// by all artifacts, but never between those that a server would tell apart.
package final class HTTPClients: Sendable {
    package typealias ClientCertificate = HTTPClientConfiguration.ClientCertificate

    private struct Known {
        let trust: TrustAnchors
        let certificate: ClientCertificate?
        let client: HTTPClient
    }

    private let base: HTTPClientConfiguration
    private let clients = Mutex<[Known]>([])
    /// The client for services of this machine itself, e.g. instance metadata: never by a proxy.
    package let direct: HTTPClient

    /// - Parameter base: what all clients have in common; its trust is the one for locations that name no authority.
    package init(_ base: HTTPClientConfiguration) {
        self.base = base
        var near = base
        near.proxy = .none
        direct = HTTPClient(configuration: near)
    }

    /// The client with this trust and client certificate; nil for the common trust and for no certificate.
    package func client(
        trusting trust: TrustAnchors? = nil, presenting certificate: ClientCertificate? = nil
    ) -> HTTPClient {
        let trust = trust ?? base.trust
        return clients.withLock { clients in
            if let known = clients.first(where: { $0.trust == trust && $0.certificate == certificate }) { return known.client }
            var configuration = base
            configuration.trust = trust
            configuration.clientCertificate = certificate
            let client = HTTPClient(configuration: configuration)
            clients.append(Known(trust: trust, certificate: certificate, client: client))
            return client
        }
    }

    package func cancelAll() {
        direct.cancelAll()
        for known in clients.withLock({ $0 }) { known.client.cancelAll() }
    }
}

/// What drivers learn of stores, e.g. a bucket's region, kept for the artifacts that follow.
package final class StoreMemory: Sendable {
    private let values = Mutex<[String: any Sendable]>([:])

    package init() {}

    /// The value kept under a key; made when it is first asked for.
    package func value<Value: Sendable>(for key: String, _ make: () -> Value) -> Value {
        values.withLock { values in
            if let known = values[key] as? Value { return known }
            let value = make()
            values[key] = value
            return value
        }
    }
}

/// A switch that ends transfers, and wakes those that wait between attempts.
package final class TransferCancellation: Sendable {
    private let state = Monitor(false)

    package init() {}

    package func cancel() { state.update { $0 = true } }

    package var isCancelled: Bool { state.current }

    /// Waits that many nanoseconds; false at once when cancelled.
    package func sleep(_ nanoseconds: Int64) -> Bool {
        state.wait(atMost: nanoseconds) { $0 ? true : nil } == nil
    }
}
