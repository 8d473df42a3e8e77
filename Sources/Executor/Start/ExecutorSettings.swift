import FileTrees
package import SystemSupport

/// What the modes of the executor take from the environment (contract 01 §5, 02 §1).
package struct ExecutorSettings: Sendable {
    /// The pod's name; for logs.
    package var podName: String
    package var workflowName: String
    package var workflowUID: String
    /// Empty for none.
    package var instanceID: String
    /// Name of the task result.
    package var nodeID: String
    /// Whether standard output is wanted as the result.
    package var includesScriptOutput: Bool
    /// Nil for none.
    package var deadline: Timestamp?
    /// Between SIGTERM and SIGKILL, nanoseconds.
    package var gracePeriod: Int64
    package var progress: ProgressSettings?
    /// Container names of artifact plugins to end when all is done.
    package var artifactPluginContainers: [String]
    /// Names of the artifact plugins that inputs come from.
    package var inputArtifactPlugins: [String]
    /// Whether output paths at or below an input's path are the base image's (init-less pods).
    package var isInitless: Bool
    /// The executor's own backoff (contract 02 §11, R3 and R4).
    package var backoff: Backoff
    /// How often a resource template's conditions are checked, nanoseconds.
    package var resourceStateCheckInterval: Int64
    package var paths: ExecutorPaths

    /// Reads the environment in the reference's order, so that of several faults the same one is told.
    ///
    /// - Throws: `StartFailure`.
    package init(_ environment: Environment) throws(StartFailure) {
        guard let podName = environment[.podName] else {
            throw .fatal("read the environment: \(EnvironmentVariable.podName.rawValue) is not set")
        }
        self.podName = podName
        workflowName = environment[.workflowName] ?? ""
        workflowUID = environment[.workflowUID] ?? ""
        instanceID = environment[.instanceID] ?? ""
        nodeID = environment[.nodeID] ?? ""
        includesScriptOutput = environment.isTrue(.includeScriptOutput)
        let deadlineText = environment[.deadline] ?? ""
        guard let deadline = Timestamp(rfc3339: deadlineText) else {
            throw .panic("read \(EnvironmentVariable.deadline.rawValue): \"\(deadlineText)\" is not a time in RFC 3339")
        }
        self.deadline = deadline == .zero ? nil : deadline
        gracePeriod = Self.gracePeriod(environment)
        progress = ProgressSettings(environment)
        artifactPluginContainers = Self.list(environment[.artifactPluginNames] ?? "")
        inputArtifactPlugins = Self.list(environment[.inputArtifactPluginNames] ?? "")
        isInitless = environment.isTrue(.initlessPod)
        backoff = try Self.backoff(environment)
        resourceStateCheckInterval = try Self.duration(environment, .resourceStateCheckInterval, default: 5_000_000_000)
        paths = ExecutorPaths(environment)
    }

    /// Seconds in the variable; 30 where it is unset, not a number or not positive.
    package static func gracePeriod(_ environment: Environment) -> Int64 {
        let seconds = environment[.gracePeriod].flatMap { Int64($0) } ?? 0
        return (seconds > 0 && seconds < 1 << 31 ? seconds : 30) * 1_000_000_000
    }

    private static func list(_ text: String) -> [String] {
        text.split(separator: ",").map { $0.trimmed }.filter { !$0.isEmpty }
    }

    /// How failing transfers are repeated: `EXECUTOR_RETRY_BACKOFF_*` (contract 02 §11, R3 and R4).
    package static func backoff(_ environment: Environment) throws(StartFailure) -> Backoff {
        func number<N>(
            _ variable: EnvironmentVariable, _ fallback: N, _ kind: String = "number", _ parse: (String) -> N?
        ) throws(StartFailure) -> N {
            guard let text = environment.nonEmpty(variable) else { return fallback }
            guard let value = parse(text) else { throw .panic("read \(variable.rawValue): \"\(text)\" is not a \(kind)") }
            return value
        }
        // "nan" and "inf" are read as numbers, but there is no waiting by them.
        func finite(_ text: String) -> Double? { Double(text).flatMap { $0.isFinite ? $0 : nil } }
        return Backoff(
            duration: try duration(environment, .retryDuration, default: 1_000_000_000),
            factor: try number(.retryFactor, 1.6, "finite number", finite),
            jitter: try number(.retryJitter, 0.5, "finite number", finite),
            steps: try number(.retrySteps, 5) { Int($0) })
    }

    private static func duration(
        _ environment: Environment, _ variable: EnvironmentVariable, default fallback: Int64
    ) throws(StartFailure) -> Int64 {
        guard let text = environment.nonEmpty(variable) else { return fallback }
        guard let value = GoDuration.nanoseconds(text) else {
            throw .panic("read \(variable.rawValue): \"\(text)\" is not a duration")
        }
        return value
    }
}

/// How progress is read and reported; only there when it is on (contract 02 §6.5).
package struct ProgressSettings: Sendable, Equatable {
    package var file: BytePath
    /// Between two reports, nanoseconds.
    package var patchTick: Int64

    init?(_ environment: Environment) {
        func tick(_ variable: EnvironmentVariable) -> Int64 { environment[variable].flatMap(GoDuration.nanoseconds) ?? 0 }
        guard let file = environment.nonEmpty(.progressFile), tick(.progressPatchTick) > 0, tick(.progressFileTick) != 0
        else { return nil }
        self.file = BytePath(file)
        patchTick = tick(.progressPatchTick)
    }
}

/// The places of the contract (01 §6, §7); a test or a local run may put them elsewhere.
package struct ExecutorPaths: Sendable, Equatable {
    package var runDirectory: BytePath = "/var/run/argo"
    package var terminationLog: BytePath = "/dev/termination-log"
    package var inputArtifacts: BytePath = "/argo/inputs/artifacts"
    package var script: BytePath = "/argo/staging/script"
    package var manifest: BytePath = "/tmp/manifest.yaml"
    /// The user's volumes as the executor sees them.
    package var mirror: BytePath = "/mainctrfs"
    /// Whether the whole root of the user's container is there too: in a step's folder, never in a pod.
    package var mirrorsEverything = false
    package var secrets: BytePath = "/argo/secret"
    package var configuration: BytePath = "/argo/config"

    package init() {}

    package init(_ environment: Environment) {
        if let path = environment.nonEmpty(.runDirectory) { runDirectory = BytePath(path) }
        if let path = environment.nonEmpty(.terminationLog) { terminationLog = BytePath(path) }
    }

    /// A path of the user's container for messages: in a step's folder the file that is meant, else as the step knows it.
    func shown(_ path: BytePath) -> BytePath { mirrorsEverything ? mirror.appending(path.belowRoot) : path }

    /// The user's volumes: absolute links in them lead to where they lead in the user's container (contract 05 C15, C16).
    func mirrorPlace() throws(SystemError) -> SharedPlace {
        // The root of a step's folder is in the folder, and no link out of it.
        if mirrorsEverything { return try SharedPlace(mirror.directory).place(mirror.base, resolution: .inRoot) }
        return try SharedPlace(mirror, resolution: .inRoot)
    }
}
