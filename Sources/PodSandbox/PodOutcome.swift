import Documents
package import SystemSupport

/// How one container of a pod ended.
package struct ContainerOutcome: Sendable, Equatable {
    /// What a container is to its pod.
    package enum Role: Sendable, Equatable {
        /// An init container: it ends before the others begin.
        case initial
        /// An init container that keeps running beside the others (`restartPolicy: Always`).
        case sidecar
        /// One of the pod's containers, the executor's own and user sidecars included.
        case regular
    }

    package let name: String
    package let image: String
    package let role: Role
    /// The command's own code, 128 + n after signal n, or 128 where it could not be started.
    package let exitCode: Int32
    /// `Completed`, `Error`, or `StartError` where there is no such program or the sandbox could not be made.
    package let reason: String
    /// The termination message, at most its last 4096 bytes.
    package let message: String
    /// The file with its output.
    package let log: BytePath
    package let startedAt: Timestamp
    package let finishedAt: Timestamp

    package var isSuccess: Bool { exitCode == 0 }

    /// The container's part of a pod's `status`.
    var status: JSONValue {
        var terminated: JSONObject = [
            "exitCode": .integer(Int(exitCode)), "reason": .string(reason), "startedAt": .string(startedAt.rfc3339()),
            "finishedAt": .string(finishedAt.rfc3339()),
        ]
        if !message.isEmpty { terminated["message"] = .string(message) }
        return [
            "name": .string(name), "image": .string(image), "restartCount": 0, "ready": false,
            "state": ["terminated": .object(terminated)],
        ]
    }
}

/// How a pod ended.
package struct PodOutcome: Sendable, Equatable {
    /// What ended it.
    package enum Ending: Sendable, Equatable {
        /// Its containers ended, or one of them failed.
        case completed
        /// Its `activeDeadlineSeconds` were over.
        case deadlineExceeded
        /// It was stopped from here (`PodStop`).
        case stopped
    }

    package let ending: Ending
    /// The containers in the order of their start; one that never started is missing.
    package let containers: [ContainerOutcome]

    package subscript(name: String) -> ContainerOutcome? { containers.first { $0.name == name } }

    /// Whether the pod's phase would be `Succeeded`: it ended by itself, and no container but restarted sidecars failed.
    package var isSuccess: Bool {
        ending == .completed && containers.contains { $0.role == .regular }
            && containers.allSatisfy { $0.isSuccess || $0.role == .sidecar }
    }
}

/// What happens while a pod runs.
package enum PodEvent: Sendable {
    case started(container: String)
    /// A line of a container's output without its newline; a very long one comes in parts.
    case line(container: String, bytes: [UInt8])
    case ended(ContainerOutcome)
}
