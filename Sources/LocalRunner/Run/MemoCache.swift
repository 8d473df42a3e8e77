import Documents
import FileTrees
import SystemSupport

/// What templates with `memoize` have put out in earlier runs, a file each: `.argoexec/cache/memoized/CACHE/KEY.json`.
struct MemoCache: Sendable {
    private let folder: BytePath

    init(in home: BytePath) throws(SystemError) {
        folder = try WorkFolder(in: home).cache.appending("memoized")
    }

    /// Nil for a key that the controller would refuse, which might lead out of the folder.
    private func file(_ cache: String, _ key: String) -> BytePath? {
        func isAllowed(_ name: String) -> Bool {
            guard let first = name.utf8.first, name.utf8.count <= 128 else { return false }
            let isAlphanumeric = { (byte: UInt8) in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            }
            return isAlphanumeric(first) && name.utf8.allSatisfy { isAlphanumeric($0) || Array("-_.".utf8).contains($0) }
        }
        guard isAllowed(cache), isAllowed(key) else { return nil }
        return folder.appending(BytePath(cache)).appending(BytePath(key + ".json"))
    }

    /// What is kept, and since when.
    func find(_ cache: String, _ key: String) -> (outputs: JSONObject, time: Timestamp)? {
        guard let file = file(cache, key), let bytes = try? AtomicFile.readIfPresent(file, limit: 16 << 20),
            let entry = try? JSONValue(parsing: bytes), let outputs = entry["outputs"]?.object,
            let time = entry["creationTimestamp"]?.string.flatMap({ Timestamp(rfc3339: $0) })
        else { return nil }
        return (outputs, time)
    }

    func keep(_ outputs: JSONObject, _ cache: String, _ key: String, at time: Timestamp) throws {
        guard let file = file(cache, key) else {
            throw ExecutorError.badRequest("a key consists of letters, digits, '-', '_' and '.'")
        }
        try DirectoryIO.makeDirectories(file.directory, mode: 0o755)
        let entry: JSONValue = ["outputs": .object(outputs), "creationTimestamp": .string(time.rfc3339())]
        try AtomicFile.write(file, entry.serialized() + [0x0A], mode: 0o644)
    }
}
