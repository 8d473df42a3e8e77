import Artifacts
import Documents
import LocalStoreArtifacts
import PodBuilding
import PodSandbox
import RunDirectory
import SystemSupport
import WorkflowModel

/// The store of local runs, a folder with objects by their keys; for the pods it is a bucket like any other, whose place the
/// folder takes (`ARGOEXEC_LOCAL_STORE`).
struct EmbeddedStore: Sendable {
    let folder: BytePath
    /// Where unpacked artifacts are kept; nil for nowhere.
    let cache: BytePath?

    init(folder: BytePath, cache: BytePath? = nil) {
        self.folder = folder
        self.cache = cache
    }

    /// Where the executor's containers see it.
    private static let mountPoint: BytePath = "/.argoexec/store"
    private static let cachePoint: BytePath = "/.argoexec/cache"

    /// The location of artifacts that name no place of their own.
    static let repository: ArtifactRepository? = {
        let location = try? ArtifactLocation(document: [
            "s3": [
                "endpoint": "local.invalid", "bucket": "artifacts", "insecure": true,
                "key": .string(ArtifactRepository.defaultKeyFormat),
            ]
        ])
        return location.map { ArtifactRepository(location: $0, archiveLogs: nil, source: "the local store") }
    }()

    /// What a pod's executor gets, so that this store stands in for that of the pod's archive location.
    ///
    /// - Returns: nil where that is no store of buckets.
    func attachment(for location: ArtifactLocation) -> ExecutorAttachment? {
        guard let place = LocalStore.place(of: location) else { return nil }
        let bucket = LocalStore.path(ofKey: Array(place.bucket.utf8))
        var attachment = ExecutorAttachment(
            mounts: [HostMount(source: folder, path: Self.mountPoint.appending(bucket))],
            environment: [(EnvironmentVariable.localStore.rawValue, Self.mountPoint)])
        if let cache {
            attachment.mounts.append(HostMount(source: cache, path: Self.cachePoint))
            attachment.environment.append((EnvironmentVariable.localCache.rawValue, Self.cachePoint))
        }
        return attachment
    }

    /// Where the object of a key is kept.
    func path(ofKey key: String) -> BytePath { folder.appending(LocalStore.path(ofKey: Array(key.utf8))) }
}

extension PodFolder {
    /// The volume through which the pod's containers speak.
    var runDirectory: RunDirectory { RunDirectory(root: volume("var-run-argo")) }

    /// What the executor's containers get so that they can report.
    var attachment: ExecutorAttachment {
        ExecutorAttachment(mounts: [HostMount(source: path, path: Self.taskResultInSandbox.directory)])
    }
}
