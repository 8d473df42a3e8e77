package import Documents
import SystemSupport

/// Something about a workflow's documents that a person must know before it runs.
package struct Finding: Sendable, Hashable {
    package enum Severity: Sendable, Hashable {
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
    /// Whether it is about a field that does not exist, which may be the cause of errors elsewhere.
    package let isUnknownField: Bool

    package init(
        _ severity: Severity, place: SourcePlace?, path: String = "", _ text: String, isWrongKind: Bool = false,
        isUnknownField: Bool = false
    ) {
        self.severity = severity
        self.place = place
        self.path = path
        self.text = text
        self.isWrongKind = isWrongKind
        self.isUnknownField = isUnknownField
    }

    /// One line: place, path, text.
    package var message: String {
        ([place.map(\.description), path.isEmpty ? nil : path, text].compactMap { $0 }).joined(separator: ": ")
    }

    /// The message with its severity before it.
    package var line: String { (severity == .error ? "error: " : "warning: ") + message }

    /// The same as an error.
    package var hardened: Finding {
        Finding(.error, place: place, path: path, text, isWrongKind: isWrongKind, isUnknownField: isUnknownField)
    }
}

/// Why a workflow is refused before anything of it runs.
package struct WorkflowRefusal: ClassifiedError, Sendable {
    /// At least one error, in the order of the files; beside errors, warnings that may tell their cause.
    package let findings: [Finding]

    package init(_ findings: [Finding]) { self.findings = findings }

    package init(_ finding: Finding) { findings = [finding] }

    /// The first finding, and how many more there are.
    package var message: String {
        let errors = findings.filter { $0.severity == .error }
        let first = (errors.first ?? findings.first)?.message ?? "the workflow is refused"
        return errors.count > 1 ? "\(first) (and \(errors.count - 1) more)" : first
    }
}
