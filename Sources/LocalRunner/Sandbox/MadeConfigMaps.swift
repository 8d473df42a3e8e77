import Documents
import ExecutorCore
import FileTrees
import RunDirectory
import Synchronization

/// Config maps that stand in no folder of the user's: those that are made for pods too large without them.
final class MadeConfigMaps: Sendable {
    private let maps = Mutex<[String: [String: String]]>([:])

    /// Takes the place of what had the name before.
    func add(_ configMap: JSONValue) {
        guard let name = configMap["metadata"]?["name"]?.string else { return }
        let data = configMap["data"]?.object?.members ?? []
        maps.withLock { maps in
            maps[name] = Dictionary(data.map { ($0.name, $0.value.string ?? "") }) { $1 }
        }
    }

    func keys(of name: String) -> [BytePath]? { maps.withLock { $0[name]?.keys.sorted() }.map { $0.map { BytePath($0) } } }

    func value(of name: String, key: BytePath) -> [UInt8]? { maps.withLock { $0[name]?[key.text] }.map { Array($0.utf8) } }

    /// Writes a pod's own config map beside what is kept of the pod, so that it can be played again.
    func keep(_ name: String, in folder: BytePath) throws(SystemError) {
        guard let data = maps.withLock({ $0[name] }) else { return }
        try DirectoryIO.makeDirectories(folder, mode: 0o700)
        for (key, text) in data { try AtomicFile.write(folder.appending(BytePath(key)), Array(text.utf8), mode: 0o600) }
    }

    /// Takes what `keep` wrote; nothing where it wrote nothing.
    func restore(_ name: String, from folder: BytePath) throws {
        guard let directory = try ObjectFolders.open(folder) else { return }
        let walk = try TreeWalk(directory, path: folder)
        var data: [String: String] = [:]
        while let entry = try walk.next() {
            walk.skipDescendants()
            let bytes = try SmallFile.read(folder.appending(entry.name), limit: 64 << 20)
            data[entry.name.text] = String(decoding: bytes, as: UTF8.self)
        }
        maps.withLock { $0[name] = data }
    }
}
