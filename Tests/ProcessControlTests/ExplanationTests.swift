import ProcessControl
import SystemSupport
import Testing

/// What programs say of their failures.
@Suite struct ExplanationTests {
    private func run(_ script: String, limit: Int? = nil) throws -> Subprocess.Result {
        var process = Subprocess(
            Spawner(program: "/bin/sh", arguments: ["sh", "-c", BytePath(script)], environment: .original()))
        process.deadline = monotonicNanoseconds() + 60_000_000_000
        if let limit { process.errorLimit = limit }
        return try process.run()
    }

    @Test func holdsAllLines() throws {
        let result = try run("printf 'ERROR: signed out\\r\\n\\n  details: (\\n)\\n' >&2; exit 1")
        #expect(result.explanation() == "ERROR: signed out details: ( )")
    }

    @Test func leavesOutColoursAndOtherControls() throws {
        let result = try run("printf '\\033[1;31mred\\033[0m\\007 \\033cplain \\033' >&2")
        #expect(result.explanation() == "red plain")
    }

    /// The output may hold secrets, and a script that traces itself tells them again.
    @Test func isEmptyWhereItRepeatsTheOutput() throws {
        #expect(try run("echo '{\"token\":\"canary\"}'; echo \"+ echo token=canary\" >&2").explanation() == "")
        #expect(try run("echo '{\"token\":\"canary\"}'; echo 'signed out' >&2").explanation() == "signed out")
    }

    @Test func isEmptyWhereNothingWasSaid() throws { #expect(try run("exit 3").explanation() == "") }

    /// The cause stands first, what follows from it last.
    @Test func keepsTheBeginningAndTheEndOfMuch() throws {
        let script =
            "echo cause >&2; i=0; while [ $i -lt 30000 ]; do echo 'line after line' >&2; i=$((i + 1)); done; echo end >&2"
        let result = try run(script)
        #expect(result.error.count == 64 << 10)
        let text = result.explanation(atMost: 200)
        #expect(text.hasPrefix("cause line after line") && text.hasSuffix("line after line end"))
        #expect(text.contains(" ... ") && text.count <= 210)
    }

    @Test func keepsWhatFitsExactly() throws {
        #expect(try run("printf 0123456789abcdefghij >&2", limit: 20).error == Array("0123456789abcdefghij".utf8))
        #expect(try run("printf 0123456789abcdefghijk >&2", limit: 20).error == Array("0123456789\n...\nghijk".utf8))
    }
}
