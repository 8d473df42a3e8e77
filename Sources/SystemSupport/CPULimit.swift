import Glibc

/// How many processors this process may use.
package enum CPULimit {
    /// Whole processors, rounded up, at least 1: the least of the control group's quota (v1 `cpu.cfs_quota_us`, v2 `cpu.max`, at
    /// every level that is visible) and the processors that the process may run on.
    package static let cores = cores(root: "/")

    /// As `cores`, read from `proc` and `sys` below another root.
    package static func cores(root: BytePath) -> Int {
        var cores = allowedProcessors(root: root) ?? sysconf(Int32(_SC_NPROCESSORS_ONLN))
        for folder in groupFolders(root: root) {
            if let quota = quota(in: folder) { cores = min(cores, Int(quota.rounded(.up))) }
        }
        return max(1, cores)
    }

    /// The folders of the process's own group and all above it, in either version's tree.
    private static func groupFolders(root: BytePath) -> [BytePath] {
        var folders: [BytePath] = []
        for line in lines(root.appending("proc/self/cgroup")) {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let mounts: [BytePath]
            if fields[0] == "0", fields[1].isEmpty {
                mounts = ["sys/fs/cgroup", "sys/fs/cgroup/unified"]
            } else if fields[1].split(separator: ",").contains("cpu") {
                mounts = ["sys/fs/cgroup/cpu", "sys/fs/cgroup/cpu,cpuacct"]
            } else {
                continue
            }
            // Inside a container the path may be the host's, of which only the mount's own top is visible.
            for mount in mounts {
                var group = BytePath(String(fields[2])).cleaned
                while true {
                    folders.append(root.appending(mount).appending(BytePath(bytes: group.bytes.drop { $0 == 0x2F })))
                    if group == "/" || group == "." { break }
                    group = group.directory
                }
            }
        }
        return folders
    }

    private static func quota(in folder: BytePath) -> Double? {
        if let fields = lines(folder.appending("cpu.max")).first?.split(separator: " "), fields.count == 2 {
            return ratio(Int(fields[0]), Int(fields[1]))
        }
        return ratio(
            lines(folder.appending("cpu.cfs_quota_us")).first.flatMap { Int($0) },
            lines(folder.appending("cpu.cfs_period_us")).first.flatMap { Int($0) })
    }

    private static func ratio(_ quota: Int?, _ period: Int?) -> Double? {
        guard let quota, let period, quota > 0, period > 0 else { return nil }
        return min(Double(quota) / Double(period), 1_048_576)
    }

    /// The bits set in the mask of processors that the scheduler may use.
    private static func allowedProcessors(root: BytePath) -> Int? {
        for line in lines(root.appending("proc/self/status")) where line.hasPrefix("Cpus_allowed:") {
            let bits = line.dropFirst(13).compactMap { $0.hexDigitValue?.nonzeroBitCount }.reduce(0, +)
            return bits > 0 ? bits : nil
        }
        return nil
    }

    private static func lines(_ path: BytePath) -> [Substring] {
        guard let content = try? SmallFile.read(path, limit: 1 << 20) else { return [] }
        return String(decoding: content, as: UTF8.self).split(separator: "\n")
    }
}
