import Artifacts
import Documents
import SystemSupport
import WorkflowModel

/// Outputs as a person reads them: a line for the result, each parameter and each artifact.
struct OutputLines {
    /// Nil where artifacts are in a repository.
    let store: EmbeddedStore?
    /// Where artifacts are that name no place of their own.
    let home: ArtifactLocation?

    func lines(_ outputs: JSONObject, prefix: String = "") -> [String] {
        var lines: [String] = []
        if let result = outputs["result"]?.string { lines.append("\(prefix)result: \(result)") }
        for parameter in outputs["parameters"]?.array ?? [] {
            // One that was not found is told as an error.
            guard let value = parameter["value"]?.string else { continue }
            lines.append("\(prefix)parameter \(parameter["name"]?.string ?? ""): \(value)")
        }
        for artifact in outputs["artifacts"]?.array ?? [] {
            lines.append("\(prefix)artifact \(artifact["name"]?.string ?? ""): \(place(of: artifact))")
        }
        return lines
    }

    /// Where an artifact is kept: a path in the embedded store, or its place in a repository.
    private func place(of artifact: JSONValue) -> String {
        guard let location = try? ArtifactLocation(document: artifact) else { return "" }
        guard let complete = try? location.relocated(to: home) else { return "" }
        if let store, !location.hasLocation, let key = try? complete.key() { return store.path(ofKey: key).text }
        if let place = LocalStore.place(of: complete) {
            return "\(complete.driverKind?.rawValue ?? "")://\(place.bucket)/\(place.key)"
        }
        return (try? complete.key()) ?? ""
    }
}
