import Documents
import Foundation

import enum TestSupport.Checkout

/// Pods that the real controller built: one of each shape in `Tests/Fixtures/pods`, or a larger collection named by `RECORDED_PODS`.
package enum RecordedPods {
    private static let collection = ProcessInfo.processInfo.environment["RECORDED_PODS"].map { URL(fileURLWithPath: $0) }
    private static let folder = collection ?? Checkout.root.appending(path: "Tests/Fixtures/pods")

    /// The fewest pods that a test must have seen, so that it does not pass for want of pods.
    package static let fewest = collection == nil ? 20 : 100

    /// Every pod of the layout with `init` and `wait`: its workflow as submitted, and itself.
    package static func legacy() throws -> [(name: String, workflow: JSONValue, pod: JSONValue)] { try pods("legacy") }

    /// Every pod of the layout with a supervisor.
    package static func initless() throws -> [(name: String, workflow: JSONValue, pod: JSONValue)] { try pods("initless") }

    private static func pods(_ layout: String) throws -> [(name: String, workflow: JSONValue, pod: JSONValue)] {
        let root = folder.appending(path: layout)
        var found: [(String, JSONValue, JSONValue)] = []
        for workflow in try FileManager.default.contentsOfDirectory(atPath: root.path).sorted() {
            let directory = root.appendingPathComponent(workflow)
            let submitted = try read(directory.appendingPathComponent("workflow.json"))
            for pod in try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() {
                let file = directory.appendingPathComponent(pod).appendingPathComponent("pod.json")
                if FileManager.default.fileExists(atPath: file.path) { found.append((pod, submitted, try read(file))) }
            }
        }
        return found
    }

    private static func read(_ file: URL) throws -> JSONValue { try JSONValue(parsing: Array(Data(contentsOf: file))) }
}
