import FileTrees
import Glibc
import SystemSupport

/// Shows that a pod is being run in a folder: a locked file, which goes when the pod has ended. Found unlocked, it tells that the
/// runner was killed.
package final class PodLock: Sendable {
    private let file: Descriptor
    private let path: BytePath

    /// - Throws: `ExecutorError` where another process runs a pod there, `SystemError`.
    init(_ folder: PodFolder) throws {
        let path = folder.lock
        let file = try Descriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
        let raw = file.raw
        // A file system without locks tells neither of others nor later of us.
        if flock(raw, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
            throw ExecutorError.badRequest("run the pod in \(folder.path): another argoexec is running it there")
        }
        self.path = path
        self.file = file
    }

    deinit { try? DirectoryIO.unlink(AT_FDCWD, path, subject: path.text) }

    /// Calls `body` where a pod's runner was killed, while no other process can run one or tidy up there; then it no longer counts as such.
    package static func withAbandoned(_ folder: PodFolder, _ body: () -> Void) {
        let path = folder.lock
        guard let file = try? Descriptor.open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK),
            flock(file.raw, LOCK_EX | LOCK_NB) == 0
        else { return }
        body()
        try? DirectoryIO.unlink(AT_FDCWD, path, subject: path.text)
    }
}

extension PodFolder {
    /// Removes what a runner that was killed has left: secrets, copies of images and of our own program. What its containers have
    /// printed and written to volumes stays, to be looked into.
    package func tidyUpAfterKill() {
        try? TreeRemoval.remove(secrets)
        for name in FolderNames.of(containers) {
            try? TreeRemoval.remove(ContainerFolder(path: containers.appending(name)).root)
        }
        try? TreeRemoval.remove(volume("var-run-argo").appending("argoexec"))
    }
}
