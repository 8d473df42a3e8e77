import Foundation
import SystemSupport
import TestSupport
import Testing

@testable import HTTPTransport

@Suite struct ProxyTests {
    private func proxied(_ http: String? = nil, https: String? = nil, direct: String? = nil) -> HTTPClient {
        client { $0.proxy = ProxySettings(http: http, https: https, direct: direct) }
    }

    @Test func upperCaseVariablesGoFirst() {
        let values = ["HTTP_PROXY": "a", "http_proxy": "b", "https_proxy": "c", "HTTPS_PROXY": "", "no_proxy": "d"]
        #expect(ProxySettings(environment: { values[$0] }) == ProxySettings(http: "a", https: "c", direct: "d"))
        #expect(ProxySettings(environment: { _ in nil }) == .none)
    }

    @Test func sendsThroughTheProxy() throws {
        let proxy = try ScriptedServer(answering: { conversation, _ in conversation.answer(200, "by proxy") })
        defer { proxy.stop() }
        for setting in ["http://us:p%40ss@127.0.0.1:\(proxy.port)", "127.0.0.1:\(proxy.port)"] {
            let response = try proxied(setting).perform(HTTPRequest("GET", "http://store.example/k"))
            #expect(response.body == Array("by proxy".utf8))
        }
        #expect(proxy.requests.map(\.line) == Array(repeating: "GET http://store.example/k HTTP/1.1", count: 2))
        #expect(
            proxy.requests.map { $0.header("Proxy-Authorization") }
                == ["Basic " + Data("us:p@ss".utf8).base64EncodedString(), nil])
    }

    @Test func tunnelsHTTPSAndTellsARefusal() throws {
        let proxy = try ScriptedServer(answering: { conversation, _ in conversation.answer(403, "no") })
        defer { proxy.stop() }
        let error = try failure {
            _ = try proxied(https: "http://us:canary@127.0.0.1:\(proxy.port)").perform(
                HTTPRequest("GET", "https://store.example/k"))
        }
        #expect(proxy.requests[0].line == "CONNECT store.example:443 HTTP/1.1")
        #expect(error.message == "Get \"https://store.example/k\": proxyconnect tcp: the proxy answered 403")
        #expect(!error.isTransient)
    }

    @Test func tellsThatTheProxyIsAway() throws {
        let port = try unusedPort()
        let error = try failure { _ = try proxied("127.0.0.1:\(port)").perform(HTTPRequest("GET", "http://store.example/")) }
        #expect(error.message.hasSuffix("proxyconnect tcp: dial tcp 127.0.0.1:\(port): connect: connection refused"))
        #expect(error.isTransient)
    }

    @Test func refusesProxiesThatMakeNoSense() throws {
        for setting in ["http://", "gopher://127.0.0.1:1", "http://us:canary@h:x"] {
            let error = try failure { _ = try proxied(setting).perform(HTTPRequest("GET", "http://store.example/")) }
            #expect(error.code == .invalid)
            #expect(!error.message.contains("canary"))
        }
    }

    /// A variable of the environment, which libcurl would read by itself, changes nothing.
    @Test func asksNobodyElse() throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(200) })
        defer { server.stop() }
        setenv("http_proxy", "http://127.0.0.1:1", 1)
        setenv("no_proxy", "store.example", 1)
        defer {
            unsetenv("http_proxy")
            unsetenv("no_proxy")
        }
        #expect(try client().perform(HTTPRequest("GET", server.url)).status == 200)
        let proxy = "http://127.0.0.1:\(server.port)"
        #expect(try proxied(proxy).perform(HTTPRequest("GET", "http://store.example/")).status == 200)
    }

    /// What reaches the proxy and what does not, as Go decides it.
    @Test(arguments: [
        ("http://store.example/", "store.example", false),
        ("http://a.store.example/", "store.example", false),
        ("http://mystore.example/", "store.example", true),
        ("http://store.example/", ".store.example", true),
        ("http://a.store.example/", ".store.example", false),
        ("http://a.store.example/", "*.store.example", false),
        ("http://store.example/", "*.store.example", true),
        ("http://STORE.example/", "x, Store.Example ,y", false),
        ("http://store.example/", "store.example:80", false),
        ("http://store.example:81/", "store.example:80", true),
        ("http://store.example/", "*", false),
        ("http://store.example/", "", true),
        ("http://10.1.2.3/", "10.0.0.0/8", false),
        ("http://11.1.2.3/", "10.0.0.0/8", true),
        ("http://10.1.2.3/", "10.1.2.3", false),
        ("http://10.1.2.3/", "10.1.2.3:81", true),
        ("http://[2001:db8::1]/", "2001:db8::/32", false),
        ("http://[2001:db8::1]/", "[2001:db8::1]:80", false),
        ("http://[2001:db9::1]/", "2001:db8::1", true),
        ("http://10.1.2.3/", "10.0.0.0/33,/8,:80", true),
    ]) func decides(url: String, direct: String, throughProxy: Bool) throws {
        let settings = ProxySettings(http: "http://proxy.example:3128", https: nil, direct: direct)
        #expect(try (settings.proxy(for: HTTPURL(url)) != nil) == throughProxy)
    }

    @Test(arguments: ["http://localhost/", "http://127.8.8.8/", "http://[::1]/", "http://[::ffff:127.0.0.1]/"])
    func neverAsksAProxyForLoopback(url: String) throws {
        let settings = ProxySettings(http: "http://proxy.example:3128", https: nil, direct: nil)
        #expect(try settings.proxy(for: HTTPURL(url)) == nil)
    }

    /// A proxy for everything knows no exceptions.
    @Test(arguments: ["http://localhost/", "https://127.0.0.1:6443/"]) func mayBeAskedForEverything(url: String) throws {
        #expect(try ProxySettings.always("http://proxy.example:1").proxy(for: HTTPURL(url))?.text == "http://proxy.example:1")
    }

    @Test func goesThroughSOCKSByName() throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(200, "by socks") })
        defer { server.stop() }
        let proxy = try TunnelProxy(.socks, to: server.port)
        defer { proxy.stop() }
        for user in ["", "us:p%40ss@"] {
            let response = try proxied("socks5://\(user)127.0.0.1:\(proxy.port)").perform(
                HTTPRequest("GET", "http://store.example/k"))
            #expect(response.body == Array("by socks".utf8))
        }
        #expect(proxy.asked == ["store.example:80", "store.example:80"])
        #expect(proxy.credentials == ["us:p@ss"])
    }

    @Test func tellsOfASOCKSProxyThatIsNone() throws {
        let server = try ScriptedServer { conversation in conversation.send("HTTP/1.1 400 Bad Request\r\n\r\n") }
        defer { server.stop() }
        let error = try failure {
            _ = try proxied("socks5://us:canary@127.0.0.1:\(server.port)").perform(HTTPRequest("GET", "http://store.example/"))
        }
        #expect(error.code == .connect)
        #expect(error.message.contains("proxyconnect tcp: "))
        #expect(!error.message.contains("canary"))
    }

    @Test(arguments: [
        ("proxy.example", "http://proxy.example:80"), ("https://proxy.example", "https://proxy.example:443"),
        ("socks5://proxy.example", "socks5://proxy.example:1080"),
        ("http://u@proxy.example:8080/x?y", "http://u@proxy.example:8080"),
    ]) func fillsInThePort(setting: String, proxy: String) throws {
        let settings = ProxySettings(http: setting, https: nil, direct: nil)
        #expect(try settings.proxy(for: HTTPURL("http://store.example/"))?.text == proxy)
    }
}
