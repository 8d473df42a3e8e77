import SystemSupport
import Testing

@testable import LocalRunner
@testable import PodSandbox

/// What the emissary and the executor say is not taken for the step's own words.
@Suite struct EmissaryLineTests {
    private static let warning =
        #"time=2026-01-01T00:00:00.000Z level=WARN msg="cannot save output" argo=true path=/tmp/x error="no such \"file\"""#
    private static let retry =
        #"time=2026-01-01T00:00:00.000Z level=INFO msg=retrying argo=true error="find s3://b/k: connection refused" attempt=2 attempts=5 pauseMilliseconds=10"#

    /// The texts of what is told: the user's as they are, others by their kind.
    private func told(_ lines: [String], exitCode: Int32) -> [String] {
        var emissary = EmissaryLines()
        let meanings =
            lines.flatMap { emissary.take(Array($0.utf8), of: "side") } + emissary.end(of: "side", exitCode: exitCode)
        return meanings.map {
            switch $0 {
            case .output(let line): String(decoding: line, as: UTF8.self)
            case .log: "log"
            }
        }
    }

    @Test func leavesOutHowTheCommandEnded() {
        #expect(told(["a", "Error: exit status 143"], exitCode: 143) == ["a"])
        #expect(told(["Error: exit status 7"], exitCode: 7) == [])
    }

    @Test func leavesTheUsersOwnWordsAlone() {
        let lines = ["Error: exit status 1", "b", "Error: exit status x", "Error: exit status 3", "time=1 level=INFO msg=x"]
        #expect(told(lines, exitCode: 0) == lines)
        #expect(told(["Error: exit status 2"], exitCode: 0) == ["Error: exit status 2"])
        #expect(told(["Error: exit status 2", "Error: exit status 2"], exitCode: 2) == ["Error: exit status 2"])
    }

    @Test func knowsTheEmissarysLog() {
        let paused = #"time=2026-01-01T00:00:00.000Z level=INFO msg="paused before the command" argo=true"#
        #expect(told([Self.warning, paused, "x"], exitCode: 0) == ["log", "log", "x"])
    }

    @Test func keepsContainersApart() {
        var emissary = EmissaryLines()
        #expect(emissary.take(Array("Error: exit status 1".utf8), of: "a").isEmpty)
        #expect(emissary.take(Array("x".utf8), of: "b") == [.output(Array("x".utf8))])
        #expect(emissary.end(of: "b", exitCode: 1).isEmpty)
        #expect(emissary.end(of: "a", exitCode: 0) == [.output(Array("Error: exit status 1".utf8))])
    }

    @Test func tellsWarningsAndWhatIsTriedAgain() {
        var notes = ExecutorNotes()
        #expect(
            notes.text(of: Array(Self.warning.utf8), from: "w main")
                == "w main: warning: cannot save output: no such \"file\" path=/tmp/x")
        #expect(
            notes.text(of: Array(Self.retry.utf8), from: "w init")
                == "w init: retrying find s3://b/k: connection refused (2 of 5)")
        // Not more often than can be read, but for each container.
        #expect(notes.text(of: Array(Self.retry.utf8), from: "w init") == nil)
        #expect(notes.text(of: Array(Self.retry.utf8), from: "v init") != nil)
        let quiet = #"time=2026-01-01T00:00:00.000Z level=INFO msg="artifact loaded" argo=true"#
        #expect(notes.text(of: Array(quiet.utf8), from: "w init") == nil)
        #expect(notes.text(of: Array("retrying".utf8), from: "x init") == nil)
    }

    // MARK: Failures

    private func outcome(_ name: String, _ log: String, exitCode: Int32, message: String = "") throws -> ContainerOutcome {
        let file = BytePath("/tmp/argoexec-outcome-\(UInt64.random(in: 0 ... .max))")
        try SmallFile.write(file, Array(log.utf8))
        return ContainerOutcome(
            name: name, image: "i", role: .regular, exitCode: exitCode, reason: "Error", message: message, log: file,
            startedAt: .zero, finishedAt: .zero)
    }

    @Test func namesWhatIsMissingAndNotTheExecutorsExitCode() throws {
        let error =
            #"time=2026-01-01T00:00:00.000Z level=ERROR msg="executor error" argo=true error="save artifact 'a': find /x: no such file or directory""#
        let pod = PodOutcome(
            ending: .completed,
            containers: [
                try outcome("main", "done\n", exitCode: 0),
                try outcome(
                    "wait", "\(error)\nError: save artifact 'a'\nsave artifact 'a'\n", exitCode: 64,
                    message: "save artifact 'a'"),
            ])
        let failure = pod.failure(mainNames: ["main"], executors: ["init", "wait"])
        #expect(
            failure
                == PodFailure(
                    container: "wait", exitCode: 64, lines: ["save artifact 'a': find /x: no such file or directory"],
                    isExecutor: true,
                    commandExitCode: 0))
    }

    @Test func showsWhatAFailedCommandPrintedLast() throws {
        let pod = PodOutcome(
            ending: .completed,
            containers: [try outcome("main", "why\n\(Self.warning)\nError: exit status 3\n", exitCode: 3)])
        #expect(
            pod.failure(mainNames: ["main"], executors: ["wait"]) == PodFailure(container: "main", exitCode: 3, lines: ["why"]))
    }
}
