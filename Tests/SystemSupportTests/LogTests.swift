import Synchronization
import SystemSupport
import Testing

/// Records of one log, as text.
private final class Lines: Sendable {
    let all = Mutex<[String]>([])
    func log(_ level: Log.Level = .info, _ format: Log.Format = .text) -> Log {
        Log(level: level, format: format) { line in self.all.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
    }
    var last: String { all.withLock { $0.last ?? "" } }
}

@Suite struct LogTests {
    @Test func writesTextRecords() {
        let lines = Lines()
        lines.log().with(["pod": "p 1"]).info("saving artifact", ["name": "x", "bytes": 12])
        #expect(lines.last.hasPrefix("time="))
        #expect(lines.last.hasSuffix("level=INFO msg=\"saving artifact\" argo=true pod=\"p 1\" name=x bytes=12\n"))
    }

    @Test func writesJSONRecords() {
        let lines = Lines()
        lines.log(.info, .json).error("a \"b\"", ["error": "x\ny\u{1}"])
        #expect(lines.last.hasSuffix(#""level":"ERROR","msg":"a \"b\"","argo":true,"error":"x\ny\u0001"}"# + "\n"))
    }

    @Test func aValueCannotForgeARecord() {
        let lines = Lines()
        lines.log().info("x\ntime=now level=ERROR")
        #expect(lines.last.filter { $0 == "\n" }.count == 1)
    }

    @Test func leavesOutWhatIsBelowItsLevel() {
        let lines = Lines()
        lines.log(.warn).info("no")
        lines.log(.debug).debug("yes")
        #expect(lines.all.withLock { $0.count } == 1)
    }

    @Test func secretsNeverShow() {
        let secret = Secret("hunter2\n")
        var dumped = ""
        dump(secret, to: &dumped)
        #expect(!"\(secret) \(String(reflecting: secret)) \(dumped)".contains("hunter2"))
        #expect(secret.trimmed.revealText() == "hunter2")
    }
}
