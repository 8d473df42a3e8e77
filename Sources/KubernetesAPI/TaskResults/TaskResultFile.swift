import Documents
import Glibc
package import SystemSupport
package import WorkflowModel

/// The task result in a file, in place of the API server: `ARGOEXEC_TASK_RESULT_FILE`. It holds what the server would hold.
///
/// Several processes may write it: each change is made under a lock and appears whole.
package struct TaskResultFile: TaskResultSink {
    private let path: BytePath
    private let identity: TaskResultIdentity

    package init(_ path: BytePath, identity: TaskResultIdentity) {
        self.path = path
        self.identity = identity
    }

    package func initialize() throws { try report(NodeResult()) }

    package func report(_ result: NodeResult) throws {
        try change { $0?.merged(with: TaskResult.patchBody(result)) ?? created(result) }
    }

    package func finalize(_ result: NodeResult) throws {
        try change { ($0 ?? created(result)).merged(with: TaskResult.finalizeBody(result)) }
    }

    private func created(_ result: NodeResult) -> JSONValue {
        TaskResult.createBody(
            nodeID: identity.nodeID, workflowName: identity.workflowName, workflowUID: identity.workflowUID,
            instanceID: identity.instanceID, result: result)
    }

    /// - Parameter make: the new document from the one that is there, if any.
    private func change(_ make: (JSONValue?) -> JSONValue) throws {
        // The folder is locked, not the file: that is another one after each change.
        let folder = try Descriptor.open(path.directory, O_RDONLY | O_DIRECTORY)
        let raw = folder.raw
        try checked("lock", path.directory.text) { flock(raw, LOCK_EX) }
        var old: JSONValue?
        do { old = try JSONValue(parsing: SmallFile.read(path, limit: 64 << 20)) } catch let error as SystemError
            where error.code == ENOENT
        {} catch { throw ExecutorError.wrapping("read the task result in \(path)", error) }
        try AtomicFile.write(path, make(old).serialized(), mode: 0o644)
        withExtendedLifetime(folder) {}
    }
}
