import Documents
import Encodings
import KubernetesAPI
import Synchronization
import SystemSupport
import WorkflowModel

/// Values of secrets, from the API server.
final class SecretValues: Sendable {
    /// How long an answer serves further tasks, in nanoseconds: many tasks of one set come at once, with the same header.
    private static let keptFor: Int64 = 5_000_000_000

    private let client: KubernetesClient
    private let attempts: Backoff
    private let stop: StopSwitch
    private let known = Mutex<[String: (time: Int64, data: JSONObject)]>([:])

    init(_ client: KubernetesClient, attempts: Backoff, stop: StopSwitch) {
        self.client = client
        self.attempts = attempts
        self.stop = stop
    }

    /// - Throws: `APIError`; `ExecutorError` where the secret lacks the key.
    func value(_ selector: SecretKeySelector) throws -> Secret {
        let data = try data(of: selector.name)
        guard let text = data[selector.key]?.string else {
            throw ExecutorError.badRequest("secret '\(selector.name)' does not have the key '\(selector.key)'")
        }
        guard let bytes = Base64.decode(text) else {
            throw ExecutorError.failed("read secret '\(selector.name)': the value of '\(selector.key)' is not valid base64")
        }
        return Secret(bytes)
    }

    private func data(of name: String) throws -> JSONObject {
        let now = monotonicNanoseconds()
        if let kept = known.withLock({ $0[name] }), now - kept.time < Self.keptFor { return kept.data }
        let object = try attempts.run(sleep: { stop.sleep($0) }) {
            try client.get(ResourcePath(.secrets, name: name))
        }
        let data = object["data"]?.object ?? JSONObject()
        known.withLock { $0[name] = (monotonicNanoseconds(), data) }
        return data
    }
}
