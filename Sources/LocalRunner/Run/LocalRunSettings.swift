package import PodSandbox
package import ProcessControl
package import SystemSupport

/// What a local run is asked for, as its flags say it.
package struct LocalRunSettings: Sendable {
    package enum Output: Sendable {
        case text, json
    }

    /// Where a step pauses until the user lets it go on.
    package enum Pause: String, Sendable, CaseIterable {
        case before, after, error

        /// The variable by which the emissary is told.
        var variable: EnvironmentVariable {
            switch self {
            case .before: .pauseBefore
            case .after: .pauseAfter
            case .error: .pauseOnError
            }
        }
    }

    /// The file with the workflow, then those with what it refers to.
    package var files: [BytePath] = []
    /// How many of the files, from the first on, are there to be run; nil: all. The others hold what those refer to.
    package var mainFileCount: Int?
    /// Which of several workflows is run, by its name.
    package var workflow: String?
    /// The most nodes that the run may have; nil for the usual limit.
    package var maximumNodes: Int?
    package var entrypoint: String?
    /// The flag that gave it.
    package var entrypointFlag = "--entrypoint"
    package var parameters: [(name: String, value: String)] = []
    /// Files and folders of this machine for the workflow's artifacts, by name.
    package var artifacts: [(name: String, path: BytePath)] = []
    package var objects = ObjectFolders()
    /// Names of images and where they are unpacked.
    package var images: [(name: String, path: BytePath)] = []
    /// `docker` or `podman` in the place of bubblewrap.
    package var engine: String?
    /// The file of a cluster's artifact repository; nil for the local store.
    package var repository: BytePath?
    package var output = Output.text
    /// Keeps what pods that succeeded leave too.
    package var keepsFolders = false
    package var isStrict = false
    package var pauses: Set<Pause> = []
    /// Prints the pods and runs nothing.
    package var printsPods = false
    /// Most pods at a time; nil for as many as fit this machine.
    package var parallelism: Int?
    /// `debug`, `info`, `warn` or `error`, for the executor's own containers.
    package var logLevel = "info"
    /// What is run again in the place of a workflow: a kept folder, or a pod's JSON.
    package var replay: BytePath?
    /// Whether the artifacts of a pod that is run again come from and go to where it says, not the local store.
    package var usesOwnStore = false
    /// The folder of a step: what `stage` fills and `collect` reads.
    package var folder: BytePath?
    /// Where the folder of all local runs, `.argoexec`, is.
    package var home: BytePath = "."
    /// The executor's program.
    package var executor: BytePath = "/proc/self/exe"
    package var environment = ProcessEnvironment.original()

    package init() {}
}
