import Artifacts
import FileTrees
import Glibc
import LocalStoreArtifacts
import PodSandbox
import ProcessControl
import RunDirectory
import SystemSupport

/// All that local runs leave behind: `./.argoexec` and nothing else.
struct WorkFolder: Sendable {
    /// Absolute.
    let path: BytePath

    private static let version = "1\n"

    /// - Parameter home: where it is, or will be.
    init(in home: BytePath) throws(SystemError) { path = try ProcessAttributes.realPath(of: home).appending(".argoexec") }

    /// Makes the folder where it is missing.
    ///
    /// - Parameter isShared: whether pods have users of their own who write there too; then only we can get at it from outside.
    /// - Throws: `ExecutorError` for one of another layout, `SystemError`.
    func prepare(isShared: Bool) throws {
        try DirectoryIO.makeDirectories(path, mode: isShared ? 0o700 : 0o755)
        if isShared { try DirectoryIO.chmod(AT_FDCWD, path, mode: 0o700, subject: path.text) }
        let file = path.appending("layout-version")
        let found = try AtomicFile.readIfPresent(file, limit: 64)
        if found == nil { try AtomicFile.write(file, Array(Self.version.utf8), mode: 0o644) }
        if let found, found != Array(Self.version.utf8) {
            let text = String(decoding: found.prefix { $0 != 0x0A }, as: UTF8.self)
            throw ExecutorError.badRequest("use \(path): its layout is '\(text)', of another version of argoexec; move it away")
        }
        for part in [runs, artifacts, cache, unpacked, volumes] {
            try DirectoryIO.makeDirectories(part, mode: 0o755)
            if isShared { try DirectoryIO.chmod(AT_FDCWD, part, mode: 0o777, subject: part.text) }
        }
        LocalStore(folder: artifacts).sweep()
    }

    var runs: BytePath { path.appending("runs") }
    /// The embedded store: objects by their keys.
    var artifacts: BytePath { path.appending("artifacts") }
    var cache: BytePath { path.appending("cache") }
    /// Unpacked archives of the embedded store.
    var unpacked: BytePath { cache.appending("unpacked") }
    var images: BytePath { cache.appending("images") }
    /// Persistent volume claims, a folder each.
    var volumes: BytePath { path.appending("volumes") }

    /// Makes the folder of a run.
    ///
    /// - Parameter name: the workflow's; where another run has it, and to tell runs apart, a suffix follows.
    func makeRun(named name: String, isUnique: Bool) throws -> RunFolder {
        for attempt in 0..<100 {
            let suffixed = isUnique && attempt == 0 ? name : "\(name)-\(RandomName.suffix())"
            let path = runs.appending(BytePath(suffixed))
            if AtomicFile.exists(path) { continue }
            try DirectoryIO.makeDirectory(AT_FDCWD, path, mode: 0o755, subject: path.text)
            return RunFolder(path: path)
        }
        throw ExecutorError.failed("make a folder for the run below \(runs): every name is taken")
    }
}

/// What one run leaves: a folder for each of its pods, and the volumes that it alone has.
struct RunFolder: Sendable {
    let path: BytePath

    func node(_ id: String) -> PodFolder { PodFolder(path.appending(BytePath(id))) }
    /// Claims made for this run by `volumeClaimTemplates`.
    var volumes: BytePath { path.appending("volumes") }
    /// The finished workflow.
    var workflow: BytePath { path.appending("workflow.json") }

    /// Removes the folder where nothing in it was kept.
    func removeIfEmpty() {
        try? TreeRemoval.remove(volumes)
        try? DirectoryIO.removeDirectory(AT_FDCWD, path, subject: path.text)
    }
}
