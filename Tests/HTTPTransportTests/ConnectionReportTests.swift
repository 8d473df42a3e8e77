import Foundation
import HTTPTransport
import SystemSupport
import TestSupport
import Testing

@Suite struct ConnectionReportTests {
    private func stages(_ report: ConnectionReport) -> [ConnectionReport.Stage] { report.passed.map(\.stage) }

    @Test func timesEachPartOfTheWay() throws {
        let server = try TLSServer()
        defer { server.stop() }
        let authority = TrustAnchors.certificates(try TestCertificates.shared.get().content("ca.crt"))
        let report = try client { $0.trust = authority }.probe("https://localhost:\(server.port)/", timeout: 5)
        #expect(stages(report) == [.resolving, .connecting, .handshaking, .asking])
        #expect(report.failure == nil)
        #expect(report.address == "127.0.0.1:\(server.port)")
        #expect(report.answer?.status == 200)
        #expect(report.passed.allSatisfy { $0.time >= 0 })
    }

    @Test func saysWhereItWasStopped() throws {
        let server = try TLSServer()
        defer { server.stop() }
        let distrusting = try client().probe("https://127.0.0.1:\(server.port)/", timeout: 5)
        #expect(stages(distrusting) == [.resolving, .connecting])
        #expect(distrusting.failure?.stage == .handshaking)
        #expect(distrusting.failure?.error.message.contains("certificate signed by unknown authority") == true)
        let plain = try ScriptedServer(answering: { conversation, _ in conversation.answer(200) })
        defer { plain.stop() }
        let unencrypted = try client().probe("https://127.0.0.1:\(plain.port)/", timeout: 5)
        #expect(unencrypted.failure?.stage == .handshaking)
        let closed = try client().probe("http://127.0.0.1:\(unusedPort())/", timeout: 5)
        #expect(closed.failure?.stage == .connecting)
        let nameless = try client().probe("http://nowhere.invalid/", timeout: 5)
        #expect(stages(nameless) == [])
        #expect(nameless.failure?.stage == .resolving)
        let silent = try ScriptedServer { conversation in conversation.waitForClose() }
        defer { silent.stop() }
        let unanswered = try client().probe("http://127.0.0.1:\(silent.port)/", timeout: 1)
        #expect(unanswered.failure?.stage == .asking)
        #expect(unanswered.failure?.error.isTransient == true)
    }

    @Test func namesTheProxyWithoutItsPassword() throws {
        let proxy = try ScriptedServer(answering: { conversation, _ in conversation.answer(404) })
        defer { proxy.stop() }
        let report = try client { $0.proxy = .always("http://me:canary@127.0.0.1:\(proxy.port)") }
            .probe("http://store.example/", timeout: 5)
        #expect(report.proxy == "http://127.0.0.1:\(proxy.port)")
        #expect(report.answer?.status == 404)
    }

    @Test func canBeCalledOff() throws {
        let client = client()
        client.cancelAll()
        let error = try failure { _ = try client.probe("http://127.0.0.1:1/", timeout: 1) }
        #expect(error.code == .aborted)
    }

    @Test(
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sunday, 06-Nov-94 08:49:37 GMT", nil), ("Sun, 06 Nov 1994 24:00:00 GMT", nil), ("now", nil), ("", nil),
        ] as [(String, Int64?)]) func readsDates(text: String, seconds: Int64?)
    {
        #expect(HTTPDate.seconds(text) == seconds)
    }
}
