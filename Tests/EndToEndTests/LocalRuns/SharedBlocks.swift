import Foundation
import Glibc
import TestSupport

/// A file system that shares blocks between files: XFS in a file of its own, mounted where only one script sees it.
enum SharedBlocks {
    /// Whether root may mount one here.
    static let areUsable: Bool = {
        guard geteuid() == 0, let folder = try? TemporaryFolder() else { return false }
        return (try? files(after: "true", in: folder, named: [])) != nil
    }()

    /// Runs a shell command in a new file system, with the program as `$0` and the folder's `workflow.yaml` copied there.
    ///
    /// - Parameter named: ends of paths, as `find -path` takes them.
    /// - Returns: the names of those files that share blocks with others, sorted.
    static func files(after command: String, in folder: TemporaryFolder, named ends: [String]) throws -> [String] {
        let search = ends.map { "find . -type f -path '*/\($0)'" }.joined(separator: "; ")
        let script = """
            set -e
            truncate -s 320M image
            mkfs.xfs -q -m reflink=1 image
            mkdir mounted
            mount -o loop image mounted
            if [ -e workflow.yaml ]; then cp workflow.yaml mounted; fi
            cd mounted
            (\(command)) >&2
            { \(ends.isEmpty ? "true" : search); } | while read -r file; do
                if filefrag -v "$file" | grep -q shared; then echo "${file##*/}"; fi
            done
            """
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["unshare", "--mount", "sh", "-c", script, Checkout.executor.path]
        process.currentDirectoryURL = folder.url
        let output = folder.url.appending(path: "output")
        FileManager.default.createFile(atPath: output.path, contents: nil)
        let errors = folder.url.appending(path: "errors")
        FileManager.default.createFile(atPath: errors.path, contents: nil)
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw SharedBlocksFailure(said: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
        }
        return String(decoding: try Data(contentsOf: output), as: UTF8.self).split(separator: "\n").map(String.init).sorted()
    }
}

/// What the script said when it failed.
struct SharedBlocksFailure: Error {
    let said: String
}
