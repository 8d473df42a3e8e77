import Foundation
import SystemSupport
import TestSupport
import Testing

@testable import HTTPTransport

@Suite struct TLSTests {
    private let certificates: TestCertificates

    init() throws { certificates = try TestCertificates.shared.get() }

    private func trusting(_ trust: TrustAnchors, _ change: (inout HTTPClientConfiguration) -> Void = { _ in }) -> HTTPClient {
        client {
            $0.trust = trust
            change(&$0)
        }
    }

    private func authority(_ name: String = "ca.crt") throws -> TrustAnchors { .certificates(try certificates.content(name)) }

    @Test func trustsTheGivenAuthorityOnly() throws {
        let server = try TLSServer()
        defer { server.stop() }
        for host in ["127.0.0.1", "localhost"] {
            let response = try trusting(authority()).perform(HTTPRequest("GET", "https://\(host):\(server.port)/"))
            #expect(response.body == Array("nobody".utf8))
        }
        let error = try failure {
            _ = try trusting(authority("other.crt")).perform(
                HTTPRequest("GET", "https://127.0.0.1:\(server.port)/?token=canary"))
        }
        #expect(error.code == .tls)
        #expect(!error.isTransient)
        #expect(
            error.message.hasPrefix(
                "Get \"https://127.0.0.1:\(server.port)/\": tls: failed to verify certificate: x509: "
                    + "certificate signed by unknown authority"))
    }

    /// As Go does: a cluster's configuration may name the server's own certificate.
    @Test func trustsACertificateThatIsNoRoot() throws {
        let server = try TLSServer()
        defer { server.stop() }
        #expect(
            try trusting(authority("server.crt")).perform(HTTPRequest("GET", "https://127.0.0.1:\(server.port)/")).status == 200
        )
    }

    @Test func findsTheRightOneAmongAuthoritiesOfTheSameName() throws {
        let server = try TLSServer()
        defer { server.stop() }
        let old = try certificates.content("rotated.crt")
        let new = try certificates.content("ca.crt")
        let broken = Array("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n".utf8)
        let request = HTTPRequest("GET", "https://127.0.0.1:\(server.port)/")
        for pem in [old + new, new + old, old + broken + old + new] {
            #expect(try trusting(.certificates(pem)).perform(request).status == 200)
        }
        #expect(try failure { _ = try trusting(.certificates(old + broken)).perform(request) }.code == .tls)
    }

    @Test func refusesAnotherName() throws {
        let server = try TLSServer()
        defer { server.stop() }
        let proxy = try ScriptedServer { conversation in
            _ = conversation.readHead()
            conversation.send("HTTP/1.1 200 OK\r\n\r\n")
            conversation.tunnel(to: server.port)
        }
        defer { proxy.stop() }
        let named = try failure {
            _ = try trusting(authority()) { $0.proxy = ProxySettings(http: nil, https: "127.0.0.1:\(proxy.port)", direct: nil) }
                .perform(HTTPRequest("GET", "https://store.example/"))
        }
        #expect(named.code == .tls)
        #expect(named.message.contains("x509: certificate is not valid for store.example"))
    }

    /// The name in the handshake is not the one in the URL; the `Host` header stays the URL's.
    @Test func mayExpectAnotherNameThanTheURLs() throws {
        let server = try TLSServer()
        defer { server.stop() }
        let proxy = try TunnelProxy(.connect, to: server.port)
        defer { proxy.stop() }
        let expecting = { (name: String) in
            try self.trusting(self.authority()) {
                $0.proxy = .always("http://127.0.0.1:\(proxy.port)")
                $0.serverName = name
            }
        }
        for name in ["localhost", "127.0.0.1"] {
            let response = try expecting(name).perform(HTTPRequest("GET", "https://store.example/"))
            #expect(response.headers["X-Host"] == "store.example")
        }
        #expect(proxy.asked == ["store.example:443", "store.example:443"])
        let error = try failure { _ = try expecting("other.example").perform(HTTPRequest("GET", "https://store.example/")) }
        #expect(error.message.hasPrefix("Get \"https://store.example/\": "))
        #expect(error.message.contains("x509: certificate is not valid for other.example"))
        let direct = try trusting(authority()) { $0.serverName = "localhost" }
            .perform(HTTPRequest("GET", "https://127.0.0.1:\(server.port)/"))
        #expect(direct.headers["X-Host"] == "127.0.0.1:\(server.port)")
    }

    @Test func refusesAnExpiredCertificate() throws {
        let server = try TLSServer("expired")
        defer { server.stop() }
        let error = try failure {
            _ = try trusting(authority()).perform(HTTPRequest("GET", "https://127.0.0.1:\(server.port)/"))
        }
        #expect(error.message.contains("x509: certificate has expired or is not yet valid"))
        #expect(!error.isTransient)
    }

    @Test func checksNothingWhenInsecure() throws {
        let server = try TLSServer("expired")
        defer { server.stop() }
        #expect(try trusting(.insecure).perform(HTTPRequest("GET", "https://localhost:\(server.port)/")).status == 200)
    }

    @Test func showsItsCertificateWhereThereIsOne() throws {
        let server = try TLSServer(requiresClient: true)
        defer { server.stop() }
        let pair = HTTPClientConfiguration.ClientCertificate(
            certificate: Secret(try certificates.content("client.crt")), key: Secret(try certificates.content("client.key")))
        let response = try trusting(authority()) { $0.clientCertificate = pair }
            .perform(HTTPRequest("GET", "https://127.0.0.1:\(server.port)/"))
        #expect(response.body == Array("client".utf8))
        #expect(throws: TransferError.self) {
            try trusting(authority()).perform(HTTPRequest("GET", "https://127.0.0.1:\(server.port)/"))
        }
    }

    @Test func refusesAKeyThatIsNone() throws {
        let pair = HTTPClientConfiguration.ClientCertificate(
            certificate: Secret(try certificates.content("client.crt")), key: Secret("canary key"))
        let server = try TLSServer()
        defer { server.stop() }
        let error = try failure {
            _ = try trusting(authority()) { $0.clientCertificate = pair }
                .perform(HTTPRequest("GET", "https://127.0.0.1:\(server.port)/"))
        }
        #expect(error.code == .tls)
        #expect(!error.message.contains("canary"))
    }

    @Test func refusesOldProtocols() throws {
        let server = try TLSServer(version: "1.1")
        defer { server.stop() }
        let error = try failure {
            _ = try trusting(authority()).perform(HTTPRequest("GET", "https://127.0.0.1:\(server.port)/"))
        }
        #expect([.tls, .broken].contains(error.code))
    }

    @Test func refusesAuthoritiesThatAreNone() throws {
        for pem in [[], Array("no certificate".utf8), try certificates.content("ca.key")] {
            let error = try failure {
                _ = try trusting(.certificates(pem)).perform(HTTPRequest("GET", "https://127.0.0.1:9/"))
            }
            #expect(error.code == .tls)
            #expect(error.message.contains("no certificate in the given PEM"))
        }
    }

    @Test func takesTheSystemsAuthoritiesFromTheNamedPlaces() throws {
        let server = try TLSServer()
        defer { server.stop() }
        let url = "https://127.0.0.1:\(server.port)/"
        let file = TrustAnchors.system(file: certificates.path("ca.crt"), directories: "/nonexistent")
        #expect(try trusting(file).perform(HTTPRequest("GET", url)).status == 200)
        let directory = TrustAnchors.system(file: "/dev/null", directories: "/nonexistent:" + certificates.directory.path)
        #expect(try trusting(directory).perform(HTTPRequest("GET", url)).status == 200)
        let neither = TrustAnchors.system(file: certificates.path("other.crt"), directories: "/nonexistent")
        #expect(try failure { _ = try trusting(neither).perform(HTTPRequest("GET", url)) }.code == .tls)
    }

    @Test func manyConnectionsShareTheAuthoritiesAndResumeSessions() throws {
        let server = try TLSServer()
        defer { server.stop() }
        let client = try trusting(authority()) { $0.maximumIdleHandles = 0 }
        var resumed: [String?] = []
        for _ in 0..<3 {
            resumed.append(try client.perform(HTTPRequest("GET", "https://127.0.0.1:\(server.port)/")).headers["X-Resumed"])
        }
        #expect(resumed[0] == "False")
        #expect(resumed.contains("True"))
        try Parallel.forEach(count: 60, width: 6) { _ in
            _ = try client.perform(HTTPRequest("GET", "https://127.0.0.1:\(server.port)/"))
        }
    }

    @Test func tellsAServerThatSpeaksNoTLS() throws {
        let server = try ScriptedServer { conversation in
            conversation.send("HTTP/1.1 400 Bad Request\r\n\r\n")
            conversation.waitForClose()
        }
        defer { server.stop() }
        let error = try failure { _ = try trusting(.insecure).perform(HTTPRequest("GET", "https://127.0.0.1:\(server.port)/")) }
        #expect(error.code == .tls)
        #expect(error.message.contains("wrong version number"))
    }

    @Test func tellsAHandshakeThatNobodyAnswers() throws {
        let server = try ScriptedServer { conversation in conversation.waitForClose() }
        defer { server.stop() }
        var request = HTTPRequest("GET", "https://127.0.0.1:\(server.port)/")
        request.connectTimeout = 1
        let error = try failure { _ = try trusting(.insecure).perform(request) }
        #expect(error.code == .timeout)
        #expect(error.isTransient)
        #expect(error.message.hasSuffix(": net/http: TLS handshake timeout"))
    }
}

@Suite struct TrustSearchTests {
    private let root: URL

    init() throws { root = FileManager.default.temporaryDirectory.appendingPathComponent("trust-" + UUID().uuidString) }

    private func write(_ path: String, _ text: String) throws {
        let file = root.appendingPathComponent(path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    private func found(file: String? = nil, directories: String? = nil) -> [String] {
        TrustSearch(file: file, directories: directories, root: BytePath(root.path)).files().map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    @Test func takesTheFirstBundleAndEveryFileOfTheDirectories() throws {
        defer { try? FileManager.default.removeItem(at: root) }
        try write("etc/ssl/ca-bundle.pem", "bundle")
        try write("etc/ssl/cert.pem", "too late")
        try write("etc/ssl/certs/own.pem", "own")
        try write("etc/ssl/certs/deeper/not.pem", "below")
        try write("etc/ssl/certs/ca-certificates/agent/ca.crt", "agent")
        try write("etc/pki/tls/certs/b.pem", "pki")
        try write("elsewhere.pem", "linked")
        let certs = root.appendingPathComponent("etc/ssl/certs")
        try FileManager.default.createSymbolicLink(
            atPath: certs.appendingPathComponent("a1b2c3.0").path, withDestinationPath: "own.pem")
        try FileManager.default.createSymbolicLink(
            atPath: certs.appendingPathComponent("linked.pem").path, withDestinationPath: "../../../elsewhere.pem")
        mkfifo(certs.appendingPathComponent("fifo").path, 0o600)
        #expect(found().filter { !$0.isEmpty } == ["bundle", "linked", "own", "pki", "agent"])
    }

    @Test func obeysTheVariables() throws {
        defer { try? FileManager.default.removeItem(at: root) }
        try write("etc/ssl/certs/ca-certificates.crt", "default")
        try write("mine/a.pem", "a")
        try write("mine/b.pem", "b")
        let mine = root.appendingPathComponent("mine").path
        #expect(found() == ["default"])
        #expect(found(file: mine + "/a.pem") == ["a", "default"])
        #expect(found(file: mine + "/a.pem", directories: "/nonexistent:" + mine) == ["a", "b"])
        #expect(found(file: "", directories: "") == ["default"])
    }

    /// A projected volume: the files are links through `..data` into a folder with a date.
    @Test func readsAMountedVolumeOnce() throws {
        defer { try? FileManager.default.removeItem(at: root) }
        let mount = "etc/ssl/certs/ca-certificates/"
        try write(mount + "..2026_01_01/ca.crt", "agent")
        let directory = root.appendingPathComponent(mount).path
        try FileManager.default.createSymbolicLink(atPath: directory + "/..data", withDestinationPath: "..2026_01_01")
        try FileManager.default.createSymbolicLink(atPath: directory + "/ca.crt", withDestinationPath: "..data/ca.crt")
        #expect(Set(found()) == ["agent"])
    }
}
