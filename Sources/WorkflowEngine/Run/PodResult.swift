package import WorkflowModel
import WorkflowPlanning

/// How a pod ended.
package struct PodResult: Sendable, Equatable {
    /// Succeeded, Failed or Error.
    package var phase: NodePhase
    package var message: String
    /// As reported by the pod, with locations complete or key-only.
    package var outputs: Outputs?
    /// The main container's, when it ended.
    package var exitCode: Int?
    /// How each member of a container set ended, by name.
    package var containers: [ContainerResult]

    package init(
        phase: NodePhase, message: String = "", outputs: Outputs? = nil, exitCode: Int? = nil,
        containers: [ContainerResult] = []
    ) {
        self.phase = phase
        self.message = message
        self.outputs = outputs
        self.exitCode = exitCode
        self.containers = containers
    }
}

/// How a container ended.
package struct ContainerResult: Sendable, Equatable {
    package let name: String
    /// Nil: it never started, or never ended.
    package let exitCode: Int?
    /// `Completed`, `Error`, `OOMKilled`…
    package let reason: String
    /// Its termination message.
    package let message: String

    package init(name: String, exitCode: Int?, reason: String, message: String = "") {
        self.name = name
        self.exitCode = exitCode
        self.reason = reason
        self.message = message
    }
}
