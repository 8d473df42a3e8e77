import Foundation
import HTTPTransport
import Synchronization
import SystemSupport
import TestSupport
import Testing

/// A canary in every place where a secret may stand must not turn up in any text.
@Suite struct SecrecyTests {
    private func request(_ scheme: String = "http", _ port: Int, _ method: String = "GET") -> HTTPRequest {
        var request = HTTPRequest(method, "\(scheme)://canaryuser:canary@127.0.0.1:\(port)/path?X-Amz-Signature=canary#canary")
        request.headers = ["Authorization": "Bearer canary", "X-Amz-Security-Token": "canary", "Cookie": "canary"]
        request.stallTimeout = 1
        request.followRedirects = true
        return request
    }

    private func expectSilence(_ port: Int, scheme: String = "http", _ client: HTTPClient = client()) throws {
        for method in ["GET", "PUT"] {
            let body: HTTPBody = method == "PUT" ? .bytes(Array("canary".utf8)) : .none
            let error = try failure { _ = try client.perform(request(scheme, port, method), body: body) }
            var dumped = ""
            dump(error, to: &dumped)
            for text in [error.message, "\(error)", String(reflecting: error), dumped] {
                #expect(!text.contains("canary"), "\(text)")
            }
        }
    }

    @Test func errorsDoNotTell() throws {
        try expectSilence(unusedPort())
        try expectSilence(unusedPort(), scheme: "https")
        let answers = [
            "", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\ncanary", "canary canary\r\n\r\n",
            "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://canary:canary@ canary/?canary\r\n\r\n",
            "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: canary://h\r\n\r\n",
            "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /?canary\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\ncanary\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: canary\r\n\r\n",
        ]
        for answer in answers {
            let server = try ScriptedServer { conversation in
                while conversation.readRequest() != nil {
                    conversation.send(answer)
                    if !answer.contains("302") { return }
                }
            }
            defer { server.stop() }
            try expectSilence(server.port)
        }
        let silent = try ScriptedServer { conversation in conversation.waitForClose() }
        defer { silent.stop() }
        try expectSilence(silent.port)
        let proxied = client { $0.proxy = ProxySettings(http: nil, https: "http://canary:canary@127.0.0.1:1", direct: nil) }
        let error = try failure { _ = try proxied.perform(HTTPRequest("GET", "https://store.example/?canary")) }
        #expect(!error.message.contains("canary"))
    }

    @Test func valuesDoNotPrint() throws {
        let request = request("http", 80)
        let url = try HTTPURL(request.url)
        let pair = HTTPClientConfiguration.ClientCertificate(certificate: Secret("canary"), key: Secret("canary"))
        let configuration = HTTPClientConfiguration(
            clientCertificate: pair, proxy: ProxySettings(http: "http://canary@h", https: nil, direct: nil))
        for value in [request, request.headers, url, configuration, HTTPBody.source(MemorySource([]), length: 1)] as [Any] {
            var dumped = ""
            dump(value, to: &dumped)
            for text in ["\(value)", String(reflecting: value), dumped] { #expect(!text.contains("canary"), "\(text)") }
        }
        #expect("\(request)" == "GET http://127.0.0.1:80/path")
        #expect("\(request.headers)" == "Authorization, X-Amz-Security-Token, Cookie")
    }
}
