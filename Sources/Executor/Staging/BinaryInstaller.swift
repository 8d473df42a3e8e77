import Artifacts
import FileTrees
import Glibc
import RunDirectory
import SystemSupport

/// Puts this program into the run directory, from where it wraps the user's command in any image (contract 02 §2).
struct BinaryInstaller {
    let directory: RunDirectory
    /// The search path for `argoexec`.
    let searchPath: String?

    /// Copies the program to `argoexec` in the run directory, mode 0555, atomically.
    func install() throws {
        do {
            let program = try source()
            let place = try directory.placeMaking()
            let name = directory.relative(directory.binary)
            if try isInstalled(program, place, name) { return }
            try place.write(name, mode: 0o555) { raw in
                try FileCopy.copy(program.descriptor.raw, to: raw, subject: program.subject)
            }
        } catch { throw ExecutorError.wrapping("copy the executor", error) }
    }

    /// Whether this very program is mounted there, as a run on one machine has it.
    private func isInstalled(_ program: OpenFile, _ place: SharedPlace, _ name: BytePath) throws -> Bool {
        guard let there = try? place.status(name) else { return false }
        let ours = try FileStatus.of(program.descriptor.raw, subject: program.subject)
        return there.device == ours.device && there.inode == ours.inode
    }

    /// The `argoexec` that the search path of our own image names; where it names none, the running program itself.
    private func source() throws -> OpenFile {
        for folder in (searchPath ?? "").split(separator: ":") where folder.hasPrefix("/") {
            let candidate = BytePath(String(folder)).appending("argoexec")
            if let file = try? Descriptor.open(candidate, O_RDONLY | O_NONBLOCK) {
                return OpenFile(file, subject: candidate.text)
            }
        }
        let running: BytePath = "/proc/self/exe"
        return OpenFile(try Descriptor.open(running, O_RDONLY), subject: running.text)
    }
}
