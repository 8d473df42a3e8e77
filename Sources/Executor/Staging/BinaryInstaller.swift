import ExecutorCore
import FileTrees
import Glibc
import RunDirectory

/// Puts this program into the run directory, from where it wraps the user's command in any image (contract 02 §2).
struct BinaryInstaller {
    let directory: RunDirectory
    /// The search path for `argoexec`.
    let searchPath: String?

    /// Copies the program to `argoexec` in the run directory, mode 0555, in one step for whoever looks.
    func install() throws {
        if try isInstalled() { return }
        let aside = AtomicFile.temporaryName(for: directory.binary)
        do {
            try FileCopy.copy(try source(), to: aside, mode: 0o555)
            try AtomicFile.rename(aside, to: directory.binary)
        } catch {
            AtomicFile.remove(aside)
            throw ExecutorError.wrapping("copy the executor", error)
        }
    }

    /// Whether this very program is mounted there, as a run on one machine has it.
    private func isInstalled() throws -> Bool {
        guard let there = try? FileStatus.of(directory.binary, followingLinks: false) else { return false }
        let program = try FileStatus.of(try source(), followingLinks: true)
        return there.device == program.device && there.inode == program.inode
    }

    /// The `argoexec` that the search path names; where it names none, the running program itself.
    private func source() throws -> BytePath {
        for folder in (searchPath ?? "").split(separator: ":") where folder.hasPrefix("/") {
            let candidate = BytePath(String(folder)).appending("argoexec")
            if (try? Descriptor.open(candidate, O_RDONLY | O_NONBLOCK)) != nil { return candidate }
        }
        return "/proc/self/exe"
    }
}
