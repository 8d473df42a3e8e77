import Documents
import PodBuilding
import PodSandbox
import SystemSupport
import WorkflowEngine
import WorkflowFiles
import WorkflowModel
import WorkflowPlanning

/// Which images the containers and volumes of pods are of.
struct ImageUse {
    /// Nil where some are not known before the run.
    private let used: Set<String>?
    private let isEngine: Bool

    /// - Parameter runtime: an engine has the containers' images itself, and is given only those of volumes.
    init(pods: [JSONValue], runtime: ContainerRuntime) {
        isEngine = if case .engine = runtime { true } else { false }
        var images: Set<String> = []
        for pod in pods {
            let spec = pod["spec"]
            for volume in spec?["volumes"]?.array ?? [] {
                images.formUnion([volume["image"]?["reference"]?.string].compactMap { $0 })
            }
            if isEngine { continue }
            for container in (spec?["initContainers"]?.array ?? []) + (spec?["containers"]?.array ?? []) {
                images.formUnion([container["image"]?.string].compactMap { $0 })
            }
        }
        used = images.contains(where: UnknownValue.affects) ? nil : images
    }

    /// Images that are given and that nothing is made of.
    func warnings(_ given: [(name: String, path: BytePath)]) -> [Finding] {
        guard let used else { return [] }
        return given.compactMap { name, path in
            if used.contains(where: { ImageRoots([(name, path)]).path(for: $0) != nil }) { return nil }
            if isEngine {
                return Finding(.warning, place: nil, "--image \(name)=…: with --engine the engine's own image '\(name)' is run")
            }
            let others = used.filter { $0 != PodSettings.defaultExecutorImage }.sorted().joined(separator: ", ")
            return Finding(
                .warning, place: nil,
                "--image \(name)=…: no container is of this image" + (others.isEmpty ? "" : "; there are: \(others)"))
        }
    }
}
