import Foundation
import SystemSupport

/// Runs `body` with a folder of its own, which is removed afterwards.
func withTemporaryDirectory<R>(_ body: (BytePath) throws -> R) throws -> R {
    let path = NSTemporaryDirectory() + "argoexec-test-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(BytePath(path))
}
