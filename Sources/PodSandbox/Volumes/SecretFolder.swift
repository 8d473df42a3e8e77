import FileTrees
import Glibc
package import ProcessControl
package import SystemSupport

/// Where the secrets of one pod stand as files while it runs: in memory where this machine has a file system for that, else on the
/// disk. They go with this object; those of a process that was killed, with the next run.
package final class SecretFolder: Sendable {
    package let path: BytePath
    private let held: HeldFolder?

    private static let prefix = "argoexec-secrets-"

    /// - Parameters:
    ///   - places: folders in memory, the best first.
    ///   - fallback: made where none of them can be used; goes with this object too.
    /// - Throws: `SystemError` where the fallback cannot be made.
    package init(in places: [BytePath], fallback: BytePath) throws(SystemError) {
        for place in places {
            guard let held = try? HeldFolder(in: place, prefix: Self.prefix) else { continue }
            path = held.path
            self.held = consume held
            return
        }
        try DirectoryIO.makeDirectories(fallback, mode: 0o700)
        path = fallback
        held = nil
    }

    deinit { try? TreeRemoval.remove(path) }

    /// Removes what runs that were killed have left in memory.
    package static func sweep(_ places: [BytePath]) { for place in places { HeldFolder.sweep(place, prefix: prefix) } }
}

/// The file systems in memory that every Linux has somewhere.
package struct MemoryFolders: Sendable, Equatable {
    /// The best first: the user's own, then the one that all share.
    package var places: [BytePath]
    /// Those of them in which programs can be started.
    var executablePlaces: [BytePath]

    /// None: everything is kept on the disk.
    static let none = MemoryFolders(places: [], executablePlaces: [])

    private init(places: [BytePath], executablePlaces: [BytePath]) {
        (self.places, self.executablePlaces) = (places, executablePlaces)
    }

    /// - Parameters:
    ///   - runtimeDirectory: the value of XDG_RUNTIME_DIR.
    ///   - mounts: the content of `/proc/self/mounts`.
    init(runtimeDirectory: BytePath?, mounts: [UInt8]) {
        self = .none
        for place in [runtimeDirectory, "/dev/shm"] {
            guard let place, place.isAbsolute, let path = try? ProcessAttributes.realPath(of: place),
                let status = try? FileStatus.of(path, followingLinks: false), status.kind == .directory,
                // Of another user's folder the names alone are ours.
                status.userID == geteuid() || status.permissions & 0o1000 != 0,
                let mount = Self.mount(of: path, in: mounts), ["tmpfs", "ramfs"].contains(mount.type)
            else { continue }
            places.append(path)
            if !mount.options.contains("noexec") { executablePlaces.append(path) }
        }
    }

    /// Those of this machine.
    package init(environment: ProcessEnvironment) {
        self.init(
            runtimeDirectory: environment["XDG_RUNTIME_DIR"],
            mounts: (try? SmallFile.read("/proc/self/mounts", limit: 16 << 20)) ?? [])
    }

    /// The mount that a path is in: the last of those with the longest place.
    private static func mount(of path: BytePath, in mounts: [UInt8]) -> (type: String, options: [String])? {
        var found: (length: Int, type: String, options: [String])?
        for line in mounts.split(separator: 0x0A) {
            let fields = line.split(separator: 0x20)
            guard fields.count > 3 else { continue }
            // Blanks in it are written as \040; such a place is none of those that are looked for.
            let place = Array(fields[1])
            let isAbove =
                place == [0x2F]
                || path.bytes.starts(with: place) && [nil, 0x2F].contains(path.bytes.dropFirst(place.count).first)
            guard isAbove, place.count >= found?.length ?? 0 else { continue }
            let options = String(decoding: fields[3], as: UTF8.self).split(separator: ",").map(String.init)
            found = (place.count, String(decoding: fields[2], as: UTF8.self), options)
        }
        return found.map { ($0.type, $0.options) }
    }
}
