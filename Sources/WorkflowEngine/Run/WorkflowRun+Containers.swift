import Documents
import SystemSupport
import WorkflowFiles
import WorkflowModel
import WorkflowPlanning

/// The nodes of a container set's members.
extension WorkflowRun {
    mutating func makeContainers(of podID: String, _ execution: Execution) {
        guard let pod = store[podID], pod.children.isEmpty else { return }
        var entry = Entry()
        entry.boundary = podID
        entry.site = execution.entry.site
        let containers = execution.template["containerSet"]?["containers"]?.array ?? []
        for container in containers {
            make(
                "\(pod.name).\(container["name"]?.string ?? "")", .container, execution.call, in: execution.callSpace, entry,
                phase: .pending)
        }
        for container in containers {
            let child = id(of: "\(pod.name).\(container["name"]?.string ?? "")")
            let dependencies = (container["dependencies"]?.array ?? []).compactMap(\.string)
            if dependencies.isEmpty { addChild(child, to: podID) }
            for dependency in dependencies { addChild(child, to: id(of: "\(pod.name).\(dependency)")) }
        }
    }

    mutating func finishContainers(of pod: Node, _ result: PodResult) {
        for id in pod.containerNodes(in: store) {
            guard let node = store[id], !node.phase.isFulfilled else { continue }
            let name = String(node.name.dropFirst(pod.name.count + 1))
            guard let container = result.containers.first(where: { $0.name == name }), let code = container.exitCode else {
                mark(
                    id, result.phase == .succeeded ? .succeeded : .failed,
                    result.phase == .succeeded ? nil : "Pod Failed whilst container running")
                continue
            }
            let message = "\(name): \(container.reason) (exit code \(code)): \(container.message)"
            switch code {
            case 0: mark(id, .succeeded)
            // The emissary's own failure.
            case 64: mark(id, .error, message)
            default: mark(id, .failed, message)
            }
        }
    }
}
