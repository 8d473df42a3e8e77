package import SystemSupport
package import WorkflowModel

/// What all drivers and transfers of a process share: made once, passed on as a value.
package struct DriverContext: Sendable {
    /// Knows which driver serves a location.
    package let registry: any DriverRegistry
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
    /// Tells a waiting user that a store is silent; nil: the log says how far a transfer is.
    package var idleNotice: IdleNotice?
    /// Whether somebody waits at a terminal: what is not there at once is not waited for.
    package var isAttended = false
    /// The artifact that a driver is wanted for, for those that tell another program of it.
    package var artifact = Artifact(name: "")
    /// What the environment says of clouds, e.g. of credentials for them.
    package var clouds: CloudEnvironment
    package let memory: StoreMemory
    package var contentTypes: ContentTypes

    package init(
        registry: any DriverRegistry, clients: HTTPClients, log: Log, executorBackoff: Backoff,
        secretsDirectory: BytePath = "/argo/secret",
        requestBackoff: Backoff? = .singleRequest, budget: TransferBudget = TransferBudget(),
        uploads: UploadSettings = UploadSettings(), spoolDirectory: BytePath = "/tmp", localStore: LocalStore? = nil,
        cancellation: TransferCancellation = TransferCancellation(), clouds: CloudEnvironment = CloudEnvironment(),
        isTransientText: @escaping @Sendable (String) -> Bool = { _ in false }
    ) {
        self.registry = registry
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
        self.clouds = clouds
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
