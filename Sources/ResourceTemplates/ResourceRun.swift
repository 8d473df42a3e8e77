package import Executor
package import KubernetesAPI
import SystemSupport
package import WorkflowModel

/// The `resource` mode: has kubectl act on an object, waits for its conditions, and reports output parameters (contract 02 §7).
package struct ResourceRun: Sendable {
    package let action: String
    package let settings: ExecutorSettings
    package let template: Template
    package let sink: any TaskResultSink
    package let reader: any ObjectReader
    package let tools: ToolBox

    package init(
        action: String, settings: ExecutorSettings, template: Template, sink: any TaskResultSink, reader: any ObjectReader,
        tools: ToolBox
    ) {
        self.action = action
        self.settings = settings
        self.template = template
        self.sink = sink
        self.reader = reader
        self.tools = tools
    }

    /// Runs to the end. Where logs are kept, the container beside this one completes the task result, else this does.
    ///
    /// - Returns: an error that changes no exit code: the task result could not be made or completed.
    /// - Throws: the error of the work itself.
    package func run() throws -> (any Error)? {
        let reporter = TaskResultReporter(sink, log: tools.log)
        var aside: (any Error)?
        let note = { (body: () throws -> Void) in
            do { try body() } catch {
                tools.log.error("executor error", ["error": .error(error)])
                aside = aside ?? error
            }
        }
        note { try tools.interruption.abandoning("create the task result") { try reporter.initialize() } }
        var isCompleted = template.archivesLogs
        defer { if !isCompleted { note { try reporter.finalize() } } }
        let outputs: Outputs?
        do { outputs = try work() } catch {
            tools.log.error("executor error", ["error": .error(error)])
            throw error
        }
        if let outputs {
            // One request does both where nothing else is to be added (contract 05 P22).
            let completes = !isCompleted
            try tools.interruption.abandoning("report outputs") {
                if completes { try reporter.finalize(outputs) } else { try reporter.report(outputs, progress: nil) }
            }
            tools.log.info("outputs reported")
            isCompleted = true
        }
        if !isCompleted {
            isCompleted = true
            note { try reporter.finalize() }
        }
        return aside
    }

    /// - Returns: what is to be reported; nil where the template has no output parameters.
    private func work() throws -> Outputs? {
        guard let resource = template.resource else {
            throw ExecutorError.badRequest("\(action) a resource: the template is of the type \(template.kind.rawValue)")
        }
        let isDelete = action == "delete"
        let parameters = template.outputs.parameters
        if isDelete, !resource.successCondition.isEmpty || !resource.failureCondition.isEmpty || !parameters.isEmpty {
            throw ExecutorError.badRequest(
                "successCondition, failureCondition and outputs are not supported for delete action")
        }
        // What is wrong with the template is told before anything is changed in the cluster.
        let conditions = try Conditions(success: resource.successCondition, failure: resource.failureCondition)
        let kubectl = try Kubectl(tools, temporary: settings.paths.manifest.directory)
        let manifest = try ManifestFile(resource, template.inputArtifacts, writtenTo: settings.paths.manifest)
        let words = try KubectlArguments(action, resource, manifest: manifest.content, at: manifest.path).words
        let output: [UInt8]
        do { output = try kubectl.run(words) } catch let failure as KubectlFailure {
            throw ExecutorError.badRequest("no more retries \(failure.message)")
        }
        if isDelete { return nil }
        // `--ignore-not-found` among the flags: nothing found is no error.
        let object = action == "get" && output.isEmpty ? nil : try KubernetesObject(kubectlOutput: output, of: action)
        if let object {
            tools.log.info(
                "acted on the object", ["object": .text(object.fullName), "namespace": .text(object.namespace)])
        }
        if !conditions.isEmpty {
            guard let object else {
                throw ExecutorError.notFound(
                    "\(action) a resource: the object does not exist, so its conditions cannot be checked")
            }
            try ConditionWait(
                conditions: conditions, reader: reader, interval: settings.resourceStateCheckInterval,
                interruption: tools.interruption, log: tools.log
            ).run(object)
        }
        if parameters.isEmpty {
            tools.log.info("no output parameters")
            return nil
        }
        var outputs = template.outputs
        outputs.artifacts = []
        outputs.parameters = try ResourceParameters(kubectl: kubectl, tools: tools).values(of: parameters, object)
        return outputs
    }
}
