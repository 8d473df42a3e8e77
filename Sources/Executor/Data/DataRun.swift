package import Artifacts
internal import Documents
import ExpressionValues
internal import Expressions
package import KubernetesAPI
package import SystemSupport
internal import Tracing
package import WorkflowModel

/// The `data` mode: lists the keys of an artifact, transforms the list, and reports it as the step's result (contract 02 §8).
///
/// It runs in the main container of a pod that has nothing beside it, so it reports and finalises by itself.
package struct DataRun: Sendable {
    package let template: Template
    package let drivers: DriverContext
    package let sink: any TaskResultSink
    package let log: Log

    package init(template: Template, drivers: DriverContext, sink: any TaskResultSink, log: Log) {
        self.template = template
        self.drivers = drivers
        self.sink = sink
        self.log = log
    }

    /// Runs to the end.
    ///
    /// - Throws: the first error; the task result, if there is one, is completed anyway.
    package func run() throws {
        let reporter = TaskResultReporter(sink, log: log)
        let failures = Failures(log: log)
        if let result = failures.record({ try Trace.span("processDataTemplate") { try self.result() } }) {
            if failures.record({ try reporter.finalize(Outputs(result: result)) }) != nil { log.info("outputs reported") }
        } else {
            failures.note { try sink.finalize(NodeResult()) }
        }
        if let first = failures.first { throw first }
    }

    /// The data as JSON text, members sorted.
    func result() throws -> String {
        guard let document = template.dataTemplate else {
            throw ExecutorError.badRequest("data: template '\(template.name)' is not a data template")
        }
        let data = try DataTemplate(document: document)
        var value = try source(data)
        for (step, expression) in data.transformations.enumerated() where !expression.isEmpty {
            let environment = ExpressionEnvironment([("data", value)])
            do { value = try Expression.value(of: expression, in: environment) } catch {
                throw ExecutorError.wrapping("transform data: step \(step + 1)", error)
            }
        }
        do { return try value.json().serializedText(sortedKeys: true) } catch {
            throw ExecutorError.wrapping("transform data: write the result", error)
        }
    }

    /// The keys of the source's objects. Where there are none, the list is the one that JSON writes as `null`.
    private func source(_ data: DataTemplate) throws -> ExpressionValue {
        guard let artifact = data.artifactPaths else {
            throw ExecutorError.badRequest("data: template '\(template.name)' has no source")
        }
        let name = artifact.name.isEmpty ? "data" : artifact.name
        do {
            // The reference lists the artifact as it is written, without the repository's bucket (contract 05 C25).
            let location = try artifact.location.relocated(to: template.archiveLocation)
            let store = try drivers.store(for: location, artifactName: name)
            let keys = try store.list()
            log.info("source listed", ["location": .text(store.subject), "count": .count(keys.count)])
            if keys.isEmpty, location.driverKind != .gcs { return .list(.none) }
            return .strings(keys)
        } catch { throw ExecutorError.wrapping("list the paths of artifact '\(name)'", error) }
    }
}
