import SystemSupport

/// Something about a workflow's or a pod's documents that a person must know before they are used.
package struct Finding: ClassifiedError, Sendable, Hashable {
    package enum Severity: Sendable, Hashable {
        /// Worth saying once; nothing is wrong.
        case note
        /// It runs anyway, except under `--strict`.
        case warning
        /// It cannot run.
        case error
    }

    /// What it is about, where something is decided by that.
    package enum Kind: Sendable, Hashable {
        case other
        /// A value is of a kind that the field cannot have, so that what depends on it makes no sense either.
        case wrongKind
        /// A field that does not exist, which may be the cause of errors elsewhere.
        case unknownField
        /// A field that has no effect here.
        case withoutEffect
        /// The program that a container's command names.
        case program
    }

    package let severity: Severity
    package let kind: Kind
    /// Nil for what stands in no file, such as a flag.
    package let place: SourcePlace?
    /// `spec.templates[2].steps[0][1].withItems`; empty for none.
    package let path: String
    /// The name of the pod that it is about; empty for none.
    package let pod: String
    /// The part of the pod, such as `container 'main'`; empty for none.
    package let subject: String
    /// What is the matter, on one line.
    package let text: String

    package init(
        _ severity: Severity, place: SourcePlace? = nil, path: String = "", pod: String = "", subject: String = "",
        _ text: String, kind: Kind = .other
    ) {
        self.severity = severity
        self.kind = kind
        self.place = place
        self.path = path
        self.pod = pod
        self.subject = subject
        self.text = text
    }

    /// One line: place and path, or pod and subject, then the text.
    package var message: String {
        [place?.description ?? "", path, pod.isEmpty ? "" : "pod '\(pod)'", subject, text].filter { !$0.isEmpty }
            .joined(separator: ": ")
    }

    /// The message with its severity before it.
    package var line: String {
        switch severity {
        case .note: "note: " + message
        case .warning: "warning: " + message
        case .error: "error: " + message
        }
    }

    /// The same as an error; notes stay what they are.
    package var hardened: Finding {
        severity == .note ? self : Finding(.error, place: place, path: path, pod: pod, subject: subject, text, kind: kind)
    }

    package var isNotFound: Bool { false }
    package var isTransient: Bool { false }
}
