import SystemSupport
package import WorkflowModel
import WorkflowPlanning

extension PodResult {
    /// What a pod's containers make of its node, in the controller's words. One failure is told: that of an init container before
    /// that of a main one, then the executor's, then a sidecar's.
    ///
    /// - Parameters:
    ///   - initContainers: those that had to end before the others began.
    ///   - containers: the others; of a set all members are main containers.
    ///   - mainNames: the names of the main containers.
    ///   - podMessage: what is said of the pod as a whole, such as that its deadline came; empty for nothing.
    package static func inferred(
        initContainers: [ContainerResult], containers: [ContainerResult], mainNames: [String], podMessage: String = "",
        outputs: Outputs?
    ) -> PodResult {
        func result(_ phase: NodePhase, _ message: String = "") -> PodResult {
            let main = containers.first { $0.name == "main" }
            return PodResult(phase: phase, message: message, outputs: outputs, exitCode: main?.exitCode, containers: containers)
        }
        if !podMessage.isEmpty { return result(.failed, podMessage) }
        if (initContainers + containers).allSatisfy({ $0.exitCode == 0 }) { return result(.succeeded) }
        let isMain = { (container: ContainerResult) in mainNames.contains(container.name) }
        // A supervisor that failed before main began says why; main's own code then only stands for it.
        let supervisorFirst = containers.contains { isMain($0) && $0.exitCode == Int(ExitCode.preMainFailure) }
        func rank(_ container: ContainerResult) -> Int {
            if isMain(container) { return 1 }
            switch container.name {
            case "supervisor": return supervisorFirst ? 0 : 2
            case "wait": return 2
            default: return 3
            }
        }
        let stopped = [Int(ExitCode.signal(9)), Int(ExitCode.terminated)]
        let ranked = (0...3).flatMap { wanted in containers.filter { rank($0) == wanted } }
        for container in initContainers + ranked {
            guard let code = container.exitCode else {
                if container.reason.isEmpty { continue }
                return result(
                    .error,
                    "Pod failed before \(container.name) container starts due to \(container.reason): \(container.message)")
            }
            if code == 0 { continue }
            let message =
                "\(container.name): \(container.reason) (exit code \(code))"
                + (container.message.isEmpty ? "" : ": \(container.message)")
            switch container.name {
            case _ where isMain(container): return result(.failed, message)
            case "init", "wait", "supervisor": return result(.error, message)
            // A sidecar that had to be ended did nothing wrong.
            case _ where stopped.contains(code): continue
            default: return result(.failed, message)
            }
        }
        func succeeded(_ matches: (ContainerResult) -> Bool) -> Bool { containers.contains { matches($0) && $0.exitCode == 0 } }
        let auxiliary = succeeded { $0.name == "wait" || $0.name == "supervisor" }
        if succeeded(isMain) {
            return auxiliary ? result(.succeeded) : result(.failed, "pod failed: wait container did not complete successfully")
        }
        return result(
            .failed,
            auxiliary
                ? "pod failed: main container did not complete successfully"
                : "pod failed: neither main nor wait container completed successfully")
    }
}
