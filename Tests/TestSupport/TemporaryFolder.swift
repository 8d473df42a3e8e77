package import Foundation

/// A folder that goes with its owner.
package final class TemporaryFolder: Sendable {
    package let url: URL

    /// Makes a folder below the system's folder for temporary files.
    package init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "argoexec-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// Writes a file below the folder, making its parents.
    package func write(_ data: Data, to path: String) throws {
        let file = url.appending(path: path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: file)
    }
}
