package import Documents
import Synchronization
package import SystemSupport

/// Config maps that stand in no folder of the user's: those that are made for pods too large without them.
package final class MadeConfigMaps: Sendable {
    private let maps = Mutex<[String: JSONValue]>([:])

    /// Takes the place of what had the name before.
    package func add(_ configMap: JSONValue) {
        guard let name = configMap["metadata"]?["name"]?.string else { return }
        maps.withLock { $0[name] = configMap }
    }

    func keys(of name: String) -> [BytePath]? {
        map(name)?["data"]?.object?.members.map(\.name).sorted().map { BytePath($0) }
    }

    func value(of name: String, key: BytePath) -> [UInt8]? {
        (map(name)?["data"]?[key.text]?.string).map { Array($0.utf8) }
    }

    /// Writes a pod's own config map beside what is kept of the pod, so that it can be run again.
    func keep(_ name: String, in file: BytePath) throws(SystemError) {
        guard let map = map(name) else { return }
        try AtomicFile.write(file, map.serialized() + [0x0A], mode: 0o600)
    }

    /// Takes what `keep` wrote; nothing where it wrote nothing.
    package func restore(from file: BytePath) throws {
        if let bytes = try AtomicFile.readIfPresent(file, limit: 64 << 20) { add(try JSONValue(parsing: bytes)) }
    }

    private func map(_ name: String) -> JSONValue? { maps.withLock { $0[name] } }
}
