import Documents
import PodSandbox
import RunDirectory
import SystemSupport
import WorkflowEngine
import WorkflowModel
import WorkflowPlanning

/// What a pod's executor has reported: its task result, in a file.
struct PodReport: Sendable {
    let result: NodeResult

    /// Nil where nothing was reported.
    static func read(_ file: BytePath) throws -> PodReport? {
        guard let bytes = try AtomicFile.readIfPresent(file, limit: 64 << 20) else { return nil }
        do { return PodReport(result: try NodeResult(document: try JSONValue(parsing: bytes))) } catch {
            throw ExecutorError.wrapping("read the task result \(file)", error)
        }
    }
}

extension PodOutcome {
    /// What the pod's end makes of its node.
    func result(mainNames: [String], report: PodReport?) -> PodResult {
        func results(_ role: (ContainerOutcome.Role) -> Bool) -> [ContainerResult] {
            containers.filter { role($0.role) }.map {
                ContainerResult(name: $0.name, exitCode: Int($0.exitCode), reason: $0.reason, message: $0.message)
            }
        }
        let message =
            switch ending {
            case .completed: ""
            case .deadlineExceeded: "Pod was active on the node longer than the specified deadline"
            case .stopped: "workflow shutdown with strategy: Terminate"
            }
        return .inferred(
            initContainers: results { $0 == .initial }, containers: results { $0 == .regular }, mainNames: mainNames,
            podMessage: message, outputs: report?.result.outputs)
    }
}
