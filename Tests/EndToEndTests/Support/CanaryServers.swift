import Foundation
import TestSupport

/// Servers that do what may bring secrets to light: most of all they repeat every request in their answers.
final class CanaryServers: Sendable {
    enum Behaviour: String, CaseIterable {
        /// All goes well.
        case succeeding
        /// An error whose status line, headers and body repeat the request.
        case refusing401, refusing403, failing500
        /// A redirect to the succeeding server by another name.
        case redirecting
        /// Nobody listens.
        case closed
        /// No way leads there.
        case unreachable
        /// The server's certificate is not to be trusted.
        case untrusted
    }

    private let succeeding: ScriptedServer
    private let others: [Behaviour: ScriptedServer]
    private let closedPort: Int
    private let untrusted: String

    /// - Parameter untrusted: `host:port` of a TLS server with a certificate of a foreign authority.
    init(untrusted: String) throws {
        self.untrusted = untrusted
        succeeding = try ScriptedServer(answering: { conversation, request in
            let token = #"{"access_token":"\#(Canary.named("AccessToken"))","token_type":"bearer"}"#
            let isForm = request.header("Content-Type")?.hasPrefix("application/x-www-form-urlencoded") == true
            conversation.answer(200, headers: ["Content-Type: application/json", "ETag: \"v\""], isForm ? token : "")
        })
        var others: [Behaviour: ScriptedServer] = [:]
        for (behaviour, status) in [(Behaviour.refusing401, 401), (.refusing403, 403), (.failing500, 500)] {
            others[behaviour] = try ScriptedServer(answering: { conversation, request in
                Self.repeatRequest(conversation, request, status: status)
            })
        }
        let target = "http://localhost:\(succeeding.port)"
        others[.redirecting] = try ScriptedServer(answering: { conversation, request in
            let path = request.line.split(separator: " ").dropFirst().first ?? "/"
            conversation.answer(307, headers: ["Location: \(target)\(path)"])
        })
        self.others = others
        closedPort = try unusedPort()
    }

    func stop() {
        for server in [succeeding] + others.values { server.stop() }
    }

    /// `host:port`.
    func endpoint(_ behaviour: Behaviour) -> String {
        switch behaviour {
        case .succeeding: "127.0.0.1:\(succeeding.port)"
        case .closed: "127.0.0.1:\(closedPort)"
        case .unreachable: "255.255.255.255:1"
        case .untrusted: untrusted
        default: "127.0.0.1:\(others[behaviour]?.port ?? 0)"
        }
    }

    static func isSecure(_ behaviour: Behaviour) -> Bool { behaviour == .untrusted }

    /// In the form in which the client looks for an explanation: XML for the stores, JSON for others.
    private static func repeatRequest(
        _ conversation: ScriptedServer.Conversation, _ request: ScriptedServer.SeenRequest, status: Int
    ) {
        let text = ([request.line] + request.headers + [String(decoding: request.body, as: UTF8.self)]).joined(separator: " ")
        let safe = text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("\"", with: "'")
        let isStore = text.contains("AWS4-HMAC") || text.lowercased().contains("x-ms-") || text.contains("Authorization: OSS")
        let body =
            isStore
            ? "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>\(safe)</Message><RequestId>\(safe)</RequestId></Error>"
            : """
            {"error":"\(safe)","error_description":"\(safe)","kind":"Status","apiVersion":"v1","status":"Failure",\
            "message":"\(safe)","reason":"Forbidden","code":\(status)}
            """
        let line = "HTTP/1.1 \(status) \(text.replacing("\n", with: " "))"
        let headers = ["X-Echo", "x-minio-error-desc", "WWW-Authenticate", "Warning"].map { "\($0): \(text)" }
        conversation.send(
            ([line, "Content-Type: application/json", "Content-Length: \(body.utf8.count)"] + headers).joined(separator: "\r\n")
                + "\r\n\r\n" + body)
    }
}
