package import SystemSupport

/// A folder or file of this machine that a container is to see.
package struct HostMount: Sendable, Equatable {
    package var source: BytePath
    /// The place in the container, absolute.
    package var path: BytePath
    package var isReadOnly: Bool

    package init(source: BytePath, path: BytePath, isReadOnly: Bool = false) {
        self.source = source
        self.path = path
        self.isReadOnly = isReadOnly
    }
}

/// What containers of the executor's own image get beside what the pod says, e.g. the local store.
package struct ExecutorAttachment: Sendable {
    package var mounts: [HostMount]
    /// Variables that win over the pod's.
    package var environment: [(name: String, value: BytePath)]

    package init(mounts: [HostMount] = [], environment: [(name: String, value: BytePath)] = []) {
        self.mounts = mounts
        self.environment = environment
    }

    /// Both together.
    package func adding(_ other: ExecutorAttachment) -> ExecutorAttachment {
        ExecutorAttachment(mounts: mounts + other.mounts, environment: environment + other.environment)
    }
}

/// What runs the containers.
package enum ContainerRuntime: Sendable {
    case bubblewrap(Bubblewrap)
    case engine(ContainerEngine)
}

/// What all pods of a run share.
package struct SandboxSettings: Sendable {
    package var runtime: ContainerRuntime
    /// The image whose containers are the executor's own.
    package var executorImage: String
    /// The program that such containers find as `argoexec` first on their PATH.
    package var executor: BytePath
    package var executorAttachment = ExecutorAttachment()
    package var images = ImageRoots()
    package var objects = ObjectFolders()
    /// Where persistent volume claims are kept, `./.argoexec/volumes`: a folder each, made when it is first used.
    package var claims: BytePath
    /// Claims that are kept elsewhere, such as those of a workflow's `volumeClaimTemplates`.
    package var claimFolders: [String: BytePath] = [:]
    /// Where unpacked images are kept, `./.argoexec/cache/images`.
    package var imageCache: BytePath
    /// Where secrets are kept while pods run.
    package var memory = MemoryFolders.none
    /// Keeps the containers' root file systems of pods that succeeded too.
    package var keepsRoots = false
    package var log = Log.silent

    package init(
        runtime: ContainerRuntime, executorImage: String, executor: BytePath, claims: BytePath, imageCache: BytePath
    ) {
        self.runtime = runtime
        self.executorImage = executorImage
        self.executor = executor
        self.claims = claims
        self.imageCache = imageCache
    }
}
