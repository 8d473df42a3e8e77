package import Documents
import ExecutorCore

/// Something about a workflow's documents that a person must know before it runs.
package struct Finding: Sendable, Equatable {
    package enum Severity: Sendable, Equatable {
        /// It runs all the same; under `--strict` it does not.
        case warning
        /// It cannot run.
        case error
    }

    package let severity: Severity
    /// Nil for what stands in no file, such as a flag.
    package let place: SourcePlace?
    /// `spec.templates[2].steps[0][1].withItems`; empty for none.
    package let path: String
    /// What is the matter, on one line.
    package let text: String
    /// Whether a value is of a kind that the field cannot have, so that what depends on it makes no sense either.
    package let isWrongKind: Bool

    package init(_ severity: Severity, place: SourcePlace?, path: String = "", _ text: String, isWrongKind: Bool = false) {
        self.severity = severity
        self.place = place
        self.path = path
        self.text = text
        self.isWrongKind = isWrongKind
    }

    /// One line: place, path, text.
    package var message: String {
        ([place.map(\.description), path.isEmpty ? nil : path, text].compactMap { $0 }).joined(separator: ": ")
    }

    /// The same as an error.
    package var hardened: Finding { Finding(.error, place: place, path: path, text, isWrongKind: isWrongKind) }
}

/// Why a workflow is refused before anything of it runs.
package struct WorkflowRefusal: ClassifiedError, Sendable {
    /// At least one, in the order of the files.
    package let findings: [Finding]

    package init(_ findings: [Finding]) { self.findings = findings }

    package init(_ finding: Finding) { findings = [finding] }

    /// The first finding, and how many more there are.
    package var message: String {
        let first = findings.first?.message ?? "the workflow is refused"
        return findings.count > 1 ? "\(first) (and \(findings.count - 1) more)" : first
    }

    package var isNotFound: Bool { false }
    package var isTransient: Bool { false }
}
