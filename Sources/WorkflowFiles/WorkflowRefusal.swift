package import Documents
import SystemSupport

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

    package var isNotFound: Bool { false }
    package var isTransient: Bool { false }
}
