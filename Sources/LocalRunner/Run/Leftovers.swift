import FileTrees
import PodSandbox
import ProcessControl
import SystemSupport

/// What runs that were killed have left, on the disk, in memory and with a container engine.
struct Leftovers {
    let work: WorkFolder
    let memory: MemoryFolders
    let runtime: ContainerRuntime

    /// Removes it; what is in use by other runs stays. Nothing that fails here keeps a run from starting.
    ///
    /// - Returns: the folders of the pods whose runners were killed.
    func sweep() -> [BytePath] {
        SecretFolder.sweep(memory.places + [work.cache])
        ImageStore.sweep(work.images)
        var killed: [BytePath] = []
        for run in FolderNames.of(work.runs) {
            let run = work.runs.appending(run)
            for node in FolderNames.of(run) {
                let folder = PodFolder(run.appending(node))
                PodLock.withAbandoned(folder) {
                    if case .engine(let engine) = runtime { engine.removeContainers(ofPodIn: folder.path) }
                    folder.tidyUpAfterKill()
                    killed.append(folder.path)
                }
            }
        }
        return killed
    }
}
