import Documents
import Executor
import ExecutorCore
import HTTPTransport
import KubernetesAPI
import WorkflowModel
import Glibc
import Synchronization

final class StubSink: TaskResultSink {
    let client: HTTPClient, base: String, s: ExecutorSettings
    let created = Mutex(false)
    init(_ s: ExecutorSettings) throws {
        let ca = try SmallFile.read("/var/run/secrets/kubernetes.io/serviceaccount/ca.crt")
        client = HTTPClient(configuration: HTTPClientConfiguration(trust: .certificates(ca)))
        let ns = String(decoding: try SmallFile.read("/var/run/secrets/kubernetes.io/serviceaccount/namespace"), as: UTF8.self)
        base = "https://\(unsafe String(cString: getenv("KUBERNETES_SERVICE_HOST"))):\(unsafe String(cString: getenv("KUBERNETES_SERVICE_PORT")))/apis/argoproj.io/v1alpha1/namespaces/\(ns)/workflowtaskresults"
        self.s = s
    }
    func call(_ m: String, _ u: String, _ t: String, _ b: JSONValue) throws -> Int {
        var r = HTTPRequest(m, u)
        r.headers.add("Content-Type", t)
        r.headers.add("Authorization", "Bearer " + String(decoding: try SmallFile.read("/var/run/secrets/kubernetes.io/serviceaccount/token"), as: UTF8.self))
        let a = try client.perform(r, body: .bytes(b.serialized()))
        if a.status >= 300, a.status != 409, a.status != 404 { throw ExecutorError.failed("\(m): \(a.status) \(String(decoding: a.body, as: UTF8.self))") }
        return a.status
    }
    func post(_ n: NodeResult) throws -> Int { try call("POST", base, "application/json", TaskResult.createBody(nodeID: s.nodeID, workflowName: s.workflowName, workflowUID: s.workflowUID, instanceID: s.instanceID, result: n)) }
    func initialize() throws { _ = try post(NodeResult()) }
    func report(_ r: NodeResult) throws { _ = try call("PATCH", base + "/" + s.nodeID, "application/merge-patch+json", TaskResult.patchBody(r)) }
    func finalize(_ r: NodeResult) throws { _ = try call("PATCH", base + "/" + s.nodeID, "application/merge-patch+json", TaskResult.finalizeBody(r)) }
}
