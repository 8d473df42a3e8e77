import Documents

/// What is found about one pod, as it is found.
struct PodFindings {
    let pod: String
    private(set) var all: [Finding] = []

    init(pod: String) { self.pod = pod }

    mutating func add(_ severity: Finding.Severity, _ subject: String, _ text: String, kind: Finding.Kind = .other) {
        all.append(Finding(severity, pod: pod, subject: subject, text, kind: kind))
    }

    /// What keeps the pod from being run.
    var refusal: Finding? { all.first { $0.severity == .error } }
}
