import FileTrees
import Glibc
import ProcessControl
import SystemSupport

/// The root file system used where no image was given: this machine's programs, read-only, and otherwise empty and
/// writable. No home, no `/run`, no keys and no sockets of the machine's are in it.
package struct MachineRoot: Sendable {
    private enum Part: Sendable {
        case folder(BytePath)
        case link(BytePath, to: BytePath)
        case file(BytePath, [UInt8])
    }

    private let parts: [Part]

    /// Where programs and their libraries live.
    static let folders: [BytePath] = [
        "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix/store", "/gnu/store",
    ]

    /// What programs read in `/etc`: names, addresses, certificates, the loader's settings. Never what holds keys or passwords.
    private static let settings: [BytePath] = [
        "alternatives", "ca-certificates", "ca-certificates.conf", "crypto-policies", "debian_version", "fonts", "gai.conf",
        "group", "host.conf", "hosts", "inputrc", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ld-musl-x86_64.path",
        "ld-musl-aarch64.path", "locale.alias", "locale.conf", "localtime", "lsb-release", "magic", "mime.types", "networks",
        "nsswitch.conf", "os-release", "passwd", "perl", "pki/ca-trust", "pki/tls/cert.pem", "pki/tls/certs",
        "pki/tls/openssl.cnf", "protocols", "python3", "resolv.conf", "rpc", "services", "shells", "ssl/cert.pem", "ssl/certs",
        "ssl/openssl.cnf", "terminfo", "timezone",
    ]

    /// Programs that keep a folder of settings for each of their versions.
    private static let versioned = ["java-", "jvm", "python3."]

    /// Folders that programs expect, with their modes.
    private static let places: [(BytePath, UInt32)] = [
        ("etc", 0o755), ("dev", 0o755), ("home", 0o755), ("media", 0o755), ("mnt", 0o755), ("proc", 0o555), ("root", 0o700),
        ("run", 0o755), ("run/lock", 0o1777), ("srv", 0o755), ("tmp", 0o1777), ("var", 0o755), ("var/cache", 0o755),
        ("var/lib", 0o755), ("var/log", 0o755), ("var/tmp", 0o1777),
    ]

    /// Looks what of all that this machine has. Files, which are small, are kept in memory for all containers.
    init(of machine: BytePath = "/") {
        var parts: [Part] = []
        for folder in Self.folders {
            let path = machine.appending(BytePath(bytes: folder.bytes.dropFirst()))
            guard let status = try? FileStatus.of(path, followingLinks: false) else { continue }
            if status.kind == .symlink, let target = try? DirectoryIO.readLink(AT_FDCWD, path, subject: path.text) {
                parts.append(.link(folder, to: target))
            } else if status.kind == .directory {
                parts.append(.folder(folder))
            }
        }
        let etc = machine.appending("etc")
        for name in Self.settings + Self.versionedNames(in: etc) {
            let path = etc.appending(name)
            let place = BytePath("/etc").appending(name)
            guard let status = try? FileStatus.of(path, followingLinks: true) else { continue }
            if status.kind == .directory {
                parts.append(.folder(place))
            } else if status.kind == .file, let bytes = try? SmallFile.read(path, limit: 4 << 20) {
                parts.append(.file(place, bytes))
            }
        }
        self.parts = parts
    }

    private static func versionedNames(in etc: BytePath) -> [BytePath] {
        guard let directory = try? Descriptor.open(etc, O_RDONLY | O_DIRECTORY),
            let walk = try? TreeWalk(directory, path: etc)
        else { return [] }
        var names: [BytePath] = []
        while let entry = try? walk.next() {
            walk.skipDescendants()
            if versioned.contains(where: { entry.name.bytes.starts(with: Array($0.utf8)) }) { names.append(entry.name) }
        }
        return names
    }

    /// Makes the writable part in an empty folder.
    func lay(in root: BytePath) throws(SystemError) {
        try layFolders(in: root)
        for part in parts {
            switch part {
            case .folder: break
            case .link(let place, let target):
                let path = root.appending(BytePath(bytes: place.bytes.dropFirst()))
                try DirectoryIO.makeSymlink(AT_FDCWD, path, to: target, subject: path.text)
            case .file(let place, let bytes):
                let path = root.appending(BytePath(bytes: place.bytes.dropFirst()))
                try DirectoryIO.makeDirectories(path.directory, mode: 0o755)
                try SmallFile.write(path, bytes)
                try DirectoryIO.chmod(AT_FDCWD, path, mode: 0o644, subject: path.text)
            }
        }
    }

    /// Makes the empty folders of the writable part in an empty folder.
    func layFolders(in root: BytePath) throws(SystemError) {
        for (place, mode) in Self.places {
            let path = root.appending(place)
            try DirectoryIO.makeDirectory(AT_FDCWD, path, mode: mode, subject: path.text)
            try DirectoryIO.chmod(AT_FDCWD, path, mode: mode, subject: path.text)
        }
        try DirectoryIO.makeSymlink(AT_FDCWD, root.appending("var/run"), to: "../run", subject: root.text)
    }

    /// Files of the settings that our own program and what it starts (git, kubectl) read; engines make those with names and
    /// addresses themselves.
    private static let enginesFiles: [BytePath] = [
        "/etc/ld.so.cache", "/etc/mime.types", "/etc/nsswitch.conf", "/etc/pki/tls/cert.pem", "/etc/pki/tls/openssl.cnf",
        "/etc/ssl/cert.pem", "/etc/ssl/openssl.cnf",
    ]

    /// All of it as mounts for containers whose root an engine makes, read-only.
    var mounts: [HostMount] {
        parts.compactMap { part in
            let place: BytePath
            switch part {
            case .folder(let folder): place = folder
            case .link(let link, _): place = link
            case .file(let file, _):
                guard Self.enginesFiles.contains(file) else { return nil }
                place = file
            }
            guard let source = try? ProcessAttributes.realPath(of: place) else { return nil }
            return HostMount(source: source, path: place, isReadOnly: true)
        }
    }

    /// Mounts the read-only part.
    func mount(in table: inout MountTable) throws {
        for case .folder(let place) in parts { try table.add(place, at: place, isReadOnly: true, isMachine: true) }
    }

    /// The machine's own `/etc/hosts`.
    var hosts: [UInt8] {
        for case .file("/etc/hosts", let bytes) in parts { return bytes }
        return Array("127.0.0.1\tlocalhost\n".utf8)
    }

    var resolverSettings: [UInt8]? {
        for case .file("/etc/resolv.conf", let bytes) in parts { return bytes }
        return nil
    }
}
