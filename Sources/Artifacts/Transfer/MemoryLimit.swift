package import SystemSupport

/// The memory that the control group of this process may use.
package enum MemoryLimit {
    /// Bytes, or nil where there is no limit or none can be read.
    ///
    /// - Parameters:
    ///   - root: where the control group file systems are mounted.
    ///   - membership: the process's list of its groups (proc(5)).
    package static func current(
        root: BytePath = "/sys/fs/cgroup", membership: BytePath = "/proc/self/cgroup"
    ) -> Int64? {
        let lines = (try? SmallFile.read(membership, limit: 1 << 16)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        var candidates: [BytePath] = []
        for line in lines.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            // Inside a container the group's path is often the host's, which is not mounted here: then the root itself is ours.
            if fields[0] == "0", fields[1].isEmpty {
                candidates += ancestors(of: BytePath(String(fields[2])), below: root, file: "memory.max")
            } else if fields[1].split(separator: ",").contains("memory") {
                candidates += ancestors(
                    of: BytePath(String(fields[2])), below: root.appending("memory"), file: "memory.limit_in_bytes")
            }
        }
        candidates += [root.appending("memory.max"), root.appending("memory/memory.limit_in_bytes")]
        return candidates.compactMap(limit).min()
    }

    /// The file in the group and in all above it: the smallest limit counts.
    private static func ancestors(of group: BytePath, below root: BytePath, file: BytePath) -> [BytePath] {
        var files: [BytePath] = []
        var components = group.components
        while !components.isEmpty {
            files.append(components.reduce(root) { $0.appending($1) }.appending(file))
            components.removeLast()
        }
        return files
    }

    private static func limit(_ file: BytePath) -> Int64? {
        guard let bytes = try? SmallFile.read(file, limit: 64) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
        // Version 1 says "no limit" by a number near the largest of all.
        guard let limit = Int64(text), limit < 1 << 60 else { return nil }
        return limit
    }
}
