import HTTPTransport
import SystemSupport
import Testing

@Suite struct HTTPURLTests {
    @Test func takesApartAndJoins() throws {
        let url = try HTTPURL("https://us%40er:p%3Ass@Store.example:8443/a/../b%2Fc//d?x=1&y=%20#part")
        #expect(url.scheme == "https")
        #expect(url.user == "us%40er")
        #expect(url.password == Secret("p%3Ass"))
        #expect(url.host == "Store.example")
        #expect(url.port == 8443)
        #expect(url.path == "/a/../b%2Fc//d")
        #expect(url.query == "x=1&y=%20")
        #expect(url.text == "https://us%40er:p%3Ass@Store.example:8443/a/../b%2Fc//d?x=1&y=%20")
        #expect(url.redacted == "https://Store.example:8443/a/../b%2Fc//d")
        #expect(url.target == "/a/../b%2Fc//d?x=1&y=%20")
    }

    @Test(arguments: [
        ("http://h", "h", 80), ("http://h:80/", "h", 80), ("https://h:443", "h", 443), ("https://h:80", "h:80", 80),
        ("http://[::1]:9/", "[::1]:9", 9), ("HTTP://h", "h", 80),
    ]) func knowsTheAuthority(text: String, authority: String, port: Int) throws {
        let url = try HTTPURL(text)
        #expect(url.authority == authority)
        #expect(url.effectivePort == port)
    }

    @Test func separatesAnIPv6AddressFromItsBrackets() throws { #expect(try HTTPURL("http://[::1]/").bareHost == "::1") }

    @Test(arguments: [
        ("/x", "http://h:1/x"), ("x", "http://h:1/a/x"), ("../x", "http://h:1/x"), ("?q", "http://h:1/a/b?q"),
        ("//o/x", "http://o/x"), ("https://o/x y", "https://o/x%20y"), ("/ä", "http://h:1/%c3%a4"),
    ]) func resolvesReferences(reference: String, result: String) throws {
        #expect(try HTTPURL("http://h:1/a/b?old").resolving(reference).text == result)
    }

    @Test(arguments: ["", "h", "http:///x", "http:/h", "http://h:70000", "ftp://h/", "http://h\u{1}/", "http://us:canary@/"])
    func refuses(text: String) throws {
        let error = #expect(throws: TransferError.self) { try HTTPURL(text) }
        #expect(error?.code == .invalid)
        #expect(error?.message.contains("canary") == false)
    }
}
