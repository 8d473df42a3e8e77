import Documents
import HTTPTransport
import Synchronization
package import SystemSupport
import WorkflowModel

/// A container of the agent's pod that executes templates by HTTP (contract 04 §7).
package final class ExecutorPlugin: Sendable {
    /// What a plugin has answered.
    struct Reply: Sendable {
        let node: NodeResult
        /// When to ask again, in nanoseconds; 0 for never.
        let requeue: Int64
    }

    /// Seconds for one call.
    private static let timeLimit = 30

    private let name: String
    private let address: String
    private let token: Secret
    /// Whether the plugin has said that it does not know the method.
    private let isUnable = Mutex(false)

    /// - Parameter address: URL without a path.
    package init(name: String, address: String, token: Secret) {
        self.name = name
        self.address = address
        self.token = token
    }

    /// Has the plugin execute a template.
    ///
    /// - Parameters:
    ///   - body: workflow and template.
    ///   - attempts: how a call is repeated that fails for the moment.
    ///   - share: what the answer may take up.
    /// - Returns: nil where the plugin leaves the template to another.
    /// - Throws: `TransferError`, `ExecutorError`, `OversizedAnswer`; `ModelError` and `JSONError` for an answer that makes no sense.
    func execute(
        _ body: [UInt8], _ client: HTTPClient, attempts: Backoff, _ share: AnswerShare, stop: StopSwitch, log: Log
    ) throws -> Reply? {
        if isUnable.withLock({ $0 }) { return nil }
        var request = HTTPRequest("POST", address + "/api/v1/template.execute")
        request.headers = ["Content-Type": "application/json", "Authorization": "Bearer " + token.revealText()]
        request.followRedirects = true
        request.staysWithServer = true
        request.stallTimeout = 0
        request.totalTimeout = Self.timeLimit
        let (status, answer) = try attempts.run(
            sleep: { stop.sleep($0) },
            onRetry: { error, _ in log.info("asking the plugin again", ["plugin": .text(name), "error": .error(error)]) }
        ) {
            let collector = AnswerCollector(limit: HTTPTask.bodyLimit, share)
            let status = try client.download(request, body: .bytes(body)) { _ in collector }.status
            if status == 503 { throw ExecutorError.transient(Self.text(collector.bytes)) }
            return (status, collector.bytes)
        }
        switch status {
        case 200: return try reply(answer)
        case 404:
            isUnable.withLock { $0 = true }
            log.info("the plugin executes no templates and is not asked again", ["plugin": .text(name)])
            return nil
        default: throw ExecutorError.failed("\(status)\(Self.phrase(status)): \(Self.text(answer))")
        }
    }

    private func reply(_ body: [UInt8]) throws -> Reply? {
        do {
            let document = try JSONValue(parsing: body)
            guard let node = document.field("node"), !node.isNull else { return nil }
            var requeue: Int64 = 0
            if let text = document.field("requeue")?.string, !text.isEmpty {
                guard let delay = GoDuration.nanoseconds(text) else {
                    throw ExecutorError.failed("requeue \"\(text)\" is not a duration")
                }
                requeue = delay
            }
            return Reply(node: try NodeResult(document: node), requeue: requeue)
        } catch { throw ExecutorError.wrapping("read the answer of plugin '\(name)'", error) }
    }

    private static func text(_ answer: [UInt8]) -> String { String(decoding: answer.prefix(32 << 10), as: UTF8.self) }

    /// The words that usually follow a status code.
    private static func phrase(_ status: Int) -> String {
        switch status {
        case 400: " Bad Request"
        case 401: " Unauthorized"
        case 403: " Forbidden"
        case 405: " Method Not Allowed"
        case 500: " Internal Server Error"
        case 501: " Not Implemented"
        case 502: " Bad Gateway"
        case 504: " Gateway Timeout"
        default: ""
        }
    }
}
