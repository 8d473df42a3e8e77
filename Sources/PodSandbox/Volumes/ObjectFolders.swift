import FileTrees
import Glibc
package import SystemSupport

/// The secrets and config maps of a local run: folders with one folder an object and one file a key.
package struct ObjectFolders: Sendable {
    /// What an object is.
    package enum Kind: String, Sendable {
        case secret
        case configMap = "config map"
    }

    /// The folder of `--secrets`; nil for none.
    package var secrets: BytePath?
    /// The folder of `--configmaps`; nil for none.
    package var configMaps: BytePath?

    /// Secrets that stand in no folder, by name and key.
    package var more: [String: [String: Secret]] = [:]
    /// Shared by all copies of this value.
    package let made = MadeConfigMaps()
    /// What the workflow's own files hold; the folders win over it. Shared by all copies of this value.
    package let written = WrittenObjects()

    package init(secrets: BytePath? = nil, configMaps: BytePath? = nil) {
        self.secrets = secrets
        self.configMaps = configMaps
    }

    /// Looks whether the folders are there at all, so that a mistyped one is named and not the keys that are missing then.
    ///
    /// - Throws: `ExecutorError` for one that is no folder.
    package func checkFolders() throws(ExecutorError) {
        for (flag, folder) in [("--secrets", secrets), ("--configmaps", configMaps)] {
            guard let folder else { continue }
            guard let status = try? FileStatus.of(folder, followingLinks: true) else {
                throw ExecutorError.notFound("\(flag) \(folder): no such folder")
            }
            if status.kind != .directory { throw ExecutorError.badRequest("\(flag) \(folder): not a folder") }
        }
    }

    /// The keys of an object in bytewise order; nil where there is no such object.
    package func keys(of kind: Kind, _ name: String) throws -> [BytePath]? {
        if kind == .configMap, let keys = made.keys(of: name) { return keys }
        let given = (kind == .secret ? more[name]?.keys.sorted().map { BytePath($0) } : nil) ?? written.keys(of: kind, name)
        guard let folder = folder(kind, name), let directory = try open(folder) else { return given }
        let walk = try TreeWalk(directory, path: folder)
        var keys: [BytePath] = []
        while let entry = try walk.next() {
            walk.skipDescendants()
            // Mounted objects hold their files behind links in `..data`.
            if entry.name.bytes.starts(with: Array("..".utf8)) { continue }
            let status = try? FileStatus.of(folder.appending(entry.name), followingLinks: true)
            if status?.kind == .file { keys.append(entry.name) }
        }
        for key in given ?? [] where !keys.contains(key) { keys.append(key) }
        return keys
    }

    /// The content of a key; nil where there is no such object or key.
    package func value(of kind: Kind, _ name: String, key: BytePath) throws -> [UInt8]? {
        if kind == .configMap, let value = made.value(of: name, key: key) { return value }
        if kind == .secret, let given = more[name]?[key.text] { return given.reveal() }
        guard let folder = folder(kind, name), Self.isFileName(key) else { return written.value(of: kind, name, key: key) }
        do { return try SmallFile.read(folder.appending(key), limit: 64 << 20) } catch
            where [ENOENT, ENOTDIR, EISDIR].contains(error.code)
        { return written.value(of: kind, name, key: key) }
    }

    /// Where an object would stand, for messages.
    package func place(of kind: Kind, _ name: String) -> String {
        let flag = kind == .secret ? "--secrets" : "--configmaps"
        guard let base = kind == .secret ? secrets : configMaps else { return "no \(flag) folder is given" }
        return "no \(base.appending(BytePath(name))) in the \(flag) folder"
    }

    private func folder(_ kind: Kind, _ name: String) -> BytePath? {
        let base = kind == .secret ? secrets : configMaps
        guard let base, Self.isFileName(BytePath(name)) else { return nil }
        return base.appending(BytePath(name))
    }

    private func open(_ folder: BytePath) throws(SystemError) -> Descriptor? {
        do { return try Descriptor.open(folder, O_RDONLY | O_DIRECTORY) } catch  where [ENOENT, ENOTDIR].contains(error.code) {
            return nil
        }
    }

    /// Whether a name can be that of one file.
    static func isFileName(_ name: BytePath) -> Bool {
        !["", ".", ".."].contains(name) && !name.bytes.contains(UInt8(ascii: "/")) && name.bytes.count <= 255
    }
}
