import FileTrees
import SystemSupport

/// Looks for a container's program as the container runtime will, so that a missing one is named as a cluster's node names it.
struct ProgramCheck {
    let table: MountTable
    let workingDirectory: BytePath

    /// - Throws: `ExecutorError` where there is no such program.
    func check(_ name: BytePath, searchPath: [UInt8]) throws {
        let isPath = name.bytes.contains(UInt8(ascii: "/"))
        let candidates: [BytePath] =
            isPath
            ? [name]
            : searchPath.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map {
                BytePath(bytes: $0).appending(name)
            }
        var isForbidden = false
        for candidate in candidates {
            let path = candidate.isAbsolute ? candidate : workingDirectory.appending(candidate)
            guard let place = try? table.resolve(path) else { continue }
            guard let host = place.host else {
                // Something of /proc or /dev: only the start itself can tell.
                if isPath { return }
                continue
            }
            guard place.kind == .file, let status = try? FileStatus.of(host, followingLinks: true) else {
                isForbidden = isForbidden || place.kind != nil
                continue
            }
            if status.permissions & 0o111 != 0 { return }
            isForbidden = true
        }
        let reason =
            isForbidden
            ? "permission denied" : isPath ? "stat \(name): no such file or directory" : "executable file not found in $PATH"
        throw ExecutorError.notFound("exec: \"\(name)\": \(reason)")
    }
}
