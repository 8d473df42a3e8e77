import Encodings
import HTTPTransport
import SystemSupport
import WorkflowModel

/// Executes an HTTP template (contract 02 §13).
struct HTTPTask: Sendable {
    /// Bytes of the largest body that is taken; a task set, as every object, holds less.
    static let bodyLimit = 2 << 20

    /// Nanoseconds by which a time limit may be kept too early.
    private static let clockError: Int64 = 100_000_000

    let clients: AgentClients
    let secrets: SecretValues
    let evaluate: ConditionEvaluator

    /// - Parameter share: what the answer may take up.
    /// - Throws: what the request or its condition fails with: the message of a failed node; `OversizedAnswer`.
    func run(_ template: HTTPTemplate, _ share: AnswerShare) throws -> NodeResult {
        if let limit = template.timeoutSeconds, limit <= 0 {
            throw ExecutorError.failed("\(Self.verb(template)) \"\(template.url)\": context deadline exceeded")
        }
        let body = try Self.body(template)
        let request = try request(template)
        let (response, answer) = try perform(template, request, body, share)
        let outputs = Outputs(result: answer)
        if template.successCondition.isEmpty {
            if (200..<300).contains(response.status) { return NodeResult(phase: .succeeded, outputs: outputs) }
            return NodeResult(
                phase: .failed, message: "received non-2xx response code: \(response.status)", outputs: outputs)
        }
        let scope = ConditionScope(template: template, requestBody: body, response: response, answer: answer)
        if try evaluate(template.successCondition, scope.variables(for: template.successCondition)) {
            return NodeResult(phase: .succeeded, outputs: outputs)
        }
        return NodeResult(
            phase: .failed, message: "successCondition '\(template.successCondition)' evaluated false", outputs: outputs)
    }

    private static func body(_ template: HTTPTemplate) throws -> [UInt8] {
        guard let text = template.bodyBase64 else { return Array(template.body.utf8) }
        guard let bytes = Base64.decode(text) else { throw ExecutorError.badRequest("read http.bodyFrom.bytes: no base64") }
        return bytes
    }

    private func request(_ template: HTTPTemplate) throws -> HTTPRequest {
        var request = HTTPRequest(template.method.isEmpty ? "GET" : template.method, Self.encoded(template.url))
        for header in template.headers {
            let value = try header.secret.map { try secrets.value($0).revealText() } ?? header.value
            // `Host` goes in the place of the URL's.
            if header.name.lowercased() == "host" {
                request.headers["Host"] = value
            } else {
                request.headers.add(header.name, value)
            }
        }
        request.followRedirects = true
        request.decodesGzip = true
        // There is no limit but the template's own: an answer may take its time.
        request.stallTimeout = 0
        request.totalTimeout = template.timeoutSeconds
        return request
    }

    /// - Returns: status and headers, and the body as text.
    private func perform(
        _ template: HTTPTemplate, _ request: HTTPRequest, _ body: [UInt8], _ share: AnswerShare
    ) throws -> (HTTPResponse, String) {
        do { _ = try HTTPURL(request.url) } catch {
            throw ExecutorError.failed("\(Self.verb(template)) \"\(Self.shown(template.url))\": \(errorText(error))")
        }
        let start = monotonicNanoseconds()
        let collector = AnswerCollector(limit: Self.bodyLimit, share)
        do {
            let response = try clients.client(skippingVerification: template.skipsVerification).download(
                request, body: body.isEmpty ? .none : .bytes(body)
            ) { _ in collector }
            return (response, String(decoding: collector.bytes, as: UTF8.self))
        } catch let error as TransferError {
            // In Go's words where it is the template's own limit.
            if error.code == .timeout, let limit = template.timeoutSeconds,
                monotonicNanoseconds() - start + Self.clockError >= Int64(limit).multipliedSaturating(by: 1_000_000_000)
            {
                throw ExecutorError.failed(error.message.dropLast(error.cause.count) + "context deadline exceeded")
            }
            throw error
        }
    }

    private static func verb(_ template: HTTPTemplate) -> String {
        let method = template.method.isEmpty ? "GET" : template.method
        return method.prefix(1).uppercased() + method.dropFirst().lowercased()
    }

    /// What cannot be taken apart, without what may be a password.
    private static func shown(_ url: String) -> String {
        guard let at = url.lastIndex(of: "@") else { return url }
        return "***" + url[at...]
    }

    /// A URL as people write it: what may not stand in one is percent-encoded.
    private static func encoded(_ url: String) -> String {
        if url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) { return url }
        var text = ""
        for byte in url.utf8 {
            if (0x21...0x7E).contains(byte) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += PercentEncoding.encode([byte])
            }
        }
        return text
    }
}
