import Documents
import SystemSupport
import WorkflowFiles
import WorkflowModel

/// The errors of the verbs for people, as they are told.
package enum LocalRefusal {
    /// A line for each thing that stands in the way.
    package static func lines(_ error: any Error) -> [String] {
        if let refusal = error as? WorkflowRefusal { return refusal.findings.map(\.message) }
        return [errorText(error)]
    }

    /// The same with the severity of each before it.
    package static func report(_ error: any Error) -> [String] {
        if let refusal = error as? WorkflowRefusal { return refusal.findings.map(\.line) }
        return lines(error).map { "error: \($0)" }
    }
}
