import SystemSupport

/// Something about a pod that is known before it is played.
package struct PodProblem: ClassifiedError, Sendable, Hashable {
    package enum Severity: Int, Sendable, Comparable {
        /// Worth saying once; nothing is wrong.
        case note
        /// Something in the pod has no effect here, or another one than in a cluster. An error where the run is strict.
        case warning
        /// The pod cannot be played.
        case refusal

        package static func < (left: Severity, right: Severity) -> Bool { left.rawValue < right.rawValue }
    }

    package let severity: Severity
    /// The pod's name; empty for what concerns all.
    package let pod: String
    /// The part of the pod, such as `container 'main'`; may be empty.
    package let subject: String
    package let cause: String
    /// The field of the subject that it is about; empty for none.
    package var field = ""

    /// Subjects, then cause, on one line.
    package var message: String {
        [pod.isEmpty ? "" : "pod '\(pod)'", subject, cause].filter { !$0.isEmpty }.joined(separator: ": ")
    }
}

/// The problems of one pod as they are found.
struct PodProblems {
    let pod: String
    private(set) var all: [PodProblem] = []

    init(pod: String) { self.pod = pod }

    mutating func add(_ severity: PodProblem.Severity, _ subject: String, _ cause: String, field: String = "") {
        all.append(PodProblem(severity: severity, pod: pod, subject: subject, cause: cause, field: field))
    }

    /// What keeps the pod from being played.
    var refusal: PodProblem? { all.first { $0.severity == .refusal } }
}
