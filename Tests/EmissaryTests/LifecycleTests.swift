import Glibc
import ProcessControl
import RunDirectory
import SystemSupport
import TestSupport
import Testing

@Suite struct RetryTests {
    private func runs(_ strategy: String, failing script: String = "exit 3") throws -> (
        count: Int, code: ProcessControl.ExitStatus
    ) {
        let emissary = try EmissaryUnderTest(
            template: #"{"containerSet": {"containers": [{"name": "main"}], "retryStrategy": \#(strategy)}}"#)
        let result = try emissary.run(shell: "echo run; \(script)")
        let count = String(decoding: result.output, as: UTF8.self).split(separator: "\n").filter { $0 == "run" }.count
        return (count, result.status)
    }

    @Test func triesAsOftenAsTheReferenceDoes() throws {
        for (strategy, count) in [
            ("{}", 1), (#"{"retries": 1}"#, 1), (#"{"retries": 3}"#, 3), (#"{"retries": "2"}"#, 2),
            (#"{"retries": 2, "duration": "10ms"}"#, 2),
            // The reference does not start these at all, and reports success.
            (#"{"retries": 0}"#, 1), (#"{"retries": -1}"#, 1), (#"{"retries": "many"}"#, 1),
        ] {
            let (seen, status) = try runs(strategy)
            #expect(seen == count, "\(strategy)")
            #expect(status == .exited(3))
        }
    }

    @Test func stopsAtTheFirstSuccess() throws {
        let emissary = try EmissaryUnderTest(
            template: #"{"containerSet": {"containers": [{"name": "main"}], "retryStrategy": {"retries": 5}}}"#)
        let result = try emissary.run(
            shell: "echo x >> \(emissary.path("tries")); test $(wc -l < \(emissary.path("tries"))) = 3")
        #expect(result.status == .exited(0))
        #expect(try emissary.text(emissary.path("tries")) == "x\nx\nx\n")
        #expect(emissary.recordedCode == "0")
    }

    @Test func retriesDeathBySignalAndFailureToStart() throws {
        #expect(try runs(#"{"retries": 2}"#, failing: "kill -9 $$").count == 2)
        let emissary = try EmissaryUnderTest(
            template: #"{"containerSet": {"containers": [{"name": "main"}], "retryStrategy": {"retries": 2}}}"#)
        let program = emissary.path("text")
        try SmallFile.write(program, Array("no program\n".utf8), mode: 0o755)
        let result = try emissary.run([program])
        #expect(result.status == .exited(64))
        #expect(String(decoding: result.error, as: UTF8.self).split(separator: "sub-process exited").count == 3)
    }

    @Test func refusesABadPause() throws {
        for duration in ["-1s", "soon"] {
            let (count, status) = try runs(#"{"retries": 2, "duration": "\#(duration)"}"#)
            #expect(count == 0)
            #expect(status == .exited(64))
        }
    }

    @Test func keepsOutputOfAllAttempts() throws {
        let emissary = try EmissaryUnderTest(
            template: """
                {"containerSet": {"containers": [{"name": "main"}], "retryStrategy": {"retries": 2}},
                 "archiveLocation": {"archiveLogs": true}}
                """)
        _ = try emissary.run(shell: "echo run; exit 1")
        #expect(try emissary.text(emissary.container.combined) == "run\nrun\n")
    }

    /// A command that was told to end is not started again, whoever told it.
    @Test(arguments: [true, false])
    func doesNotRetryWhatWasToldToEnd(_ byFile: Bool) throws {
        let emissary = try EmissaryUnderTest(
            template: #"{"containerSet": {"containers": [{"name": "main"}], "retryStrategy": {"retries": 5}}}"#)
        let running = try emissary.start(shell: "echo run; exec sleep 60")
        try running.waitForOutput("run")
        if byFile { try emissary.container.writeSignal(15) } else { running.signal(SIGTERM) }
        #expect(try running.exitStatus() == .exited(143))
        #expect(running.outputText == "run\n")
        #expect(emissary.recordedCode == "143")
    }

    @Test func keepsTheLastCodeWhenToldToEndBetweenAttempts() throws {
        let emissary = try EmissaryUnderTest(
            template:
                #"{"containerSet": {"containers": [{"name": "main"}], "retryStrategy": {"retries": 5, "duration": "1m"}}}"#)
        let running = try emissary.start(shell: "exit 21")
        try eventually("the first attempt has ended") { running.errorText.contains("sub-process exited") }
        running.signal(SIGTERM)
        #expect(try running.exitStatus() == .exited(21))
        #expect(emissary.recordedCode == "21")
    }
}

@Suite struct DependencyTests {
    private func member() throws -> EmissaryUnderTest {
        let emissary = try EmissaryUnderTest(
            template:
                #"{"containerSet": {"containers": [{"name": "a"}, {"name": "b"}, {"name": "c", "dependencies": ["a", "b"]}]}}"#)
        emissary.containerName = "c"
        return emissary
    }

    @Test func startsOnceAllDependenciesHaveSucceeded() throws {
        let emissary = try member()
        let running = try emissary.start(shell: "echo started")
        try eventually("waits for a") { running.errorText.contains("dependency=a") }
        try emissary.runDirectory.container("a").writeExitCode(0)
        try eventually("waits for b") { running.errorText.contains("dependency=b") }
        #expect(running.outputText == "")
        // Seen while it is still empty, a file written in two steps must not count.
        try SmallFile.write(emissary.runDirectory.container("b").exitCode, [])
        try SmallFile.write(emissary.runDirectory.container("b").exitCode, Array("0".utf8))
        #expect(try running.exitStatus() == .exited(0))
        #expect(running.outputText == "started\n")
    }

    @Test func stopsWithTheDependencysCode() throws {
        let emissary = try member()
        try emissary.runDirectory.container("a").create()
        try emissary.runDirectory.container("a").writeExitCode(7)
        let result = try emissary.run(shell: "echo started")
        #expect(result.status == .exited(64))
        #expect(result.output == [])
        #expect(emissary.recordedCode == "7")
        #expect(emissary.terminationMessage == #"dependency "a" exited with non-zero code: 7"#)
    }

    @Test func countsADeadDependencyAsKilled() throws {
        let emissary = try member()
        let dependency = emissary.runDirectory.container("a")
        try dependency.create()
        // A lock file that nobody holds.
        try SmallFile.write(dependency.alive, [])
        #expect(try emissary.run(shell: "echo started").status == .exited(64))
        #expect(emissary.recordedCode == "137")
    }

    @Test func endsWith143WhenToldToEndWhileWaiting() throws {
        let emissary = try member()
        let running = try emissary.start(shell: "echo started")
        try eventually("waits for a") { running.errorText.contains("dependency=a") }
        running.signal(SIGINT)
        try emissary.runDirectory.container("a").writeExitCode(0)
        try eventually("waits for b") { running.errorText.contains("dependency=b") }
        running.signal(SIGTERM)
        #expect(try running.exitStatus() == .exited(143))
        // The reference writes 0 here, at which those that depend on this one start.
        #expect(emissary.recordedCode == "64")
    }

    @Test func recordsAFailureAfterItsDependenciesSucceeded() throws {
        let emissary = try member()
        for name in ["a", "b"] {
            try emissary.runDirectory.container(name).create()
            try emissary.runDirectory.container(name).writeExitCode(0)
        }
        #expect(try emissary.run(["/no/such/program"]).status == .exited(64))
        #expect(emissary.recordedCode == "64")
    }
}

@Suite struct PauseTests {
    @Test func waitsBeforeAndAfterTheCommand() throws {
        let emissary = try EmissaryUnderTest()
        emissary.variables["ARGO_DEBUG_PAUSE_BEFORE"] = "true"
        emissary.variables["ARGO_DEBUG_PAUSE_AFTER"] = "true"
        let running = try emissary.start(shell: "echo ran; exit 4")
        try eventually("paused before") { running.errorText.contains("paused before the command") }
        #expect(running.outputText == "")
        try SmallFile.write(emissary.container.before, [])
        try eventually("paused after") { running.errorText.contains("paused after the command") }
        #expect(running.outputText == "ran\n")
        #expect(emissary.recordedCode == nil)
        try SmallFile.write(emissary.container.after, [])
        #expect(try running.exitStatus() == .exited(4))
        #expect(emissary.recordedCode == "4")
    }

    @Test func tellsOthersForWhatItWaits() throws {
        let emissary = try EmissaryUnderTest()
        emissary.variables["ARGO_DEBUG_PAUSE_BEFORE"] = "true"
        emissary.variables["ARGO_DEBUG_PAUSE_AFTER"] = "true"
        let running = try emissary.start(shell: "exit 0")
        try eventually("paused before") { emissary.container.readPause() == .before }
        try SmallFile.write(emissary.container.release(of: .before), [])
        try eventually("paused after") { emissary.container.readPause() == .after }
        try SmallFile.write(emissary.container.release(of: .after), [])
        #expect(try running.exitStatus() == .exited(0))
        #expect(!AtomicFile.exists(emissary.container.paused))
    }

    /// Another's file in its place costs the step nothing.
    @Test func pausesWhereItCannotTell() throws {
        let emissary = try EmissaryUnderTest()
        emissary.variables["ARGO_DEBUG_PAUSE_BEFORE"] = "true"
        try emissary.container.create()
        try AtomicFile.createDirectory(emissary.container.paused)
        try AtomicFile.createDirectory(emissary.container.paused.appending("full"))
        let running = try emissary.start(shell: "exit 3")
        try eventually("paused before") { running.errorText.contains("paused before the command") }
        try SmallFile.write(emissary.container.before, [])
        #expect(try running.exitStatus() == .exited(3))
    }

    @Test func pausesOnlyForTheExactWord() throws {
        let emissary = try EmissaryUnderTest()
        emissary.variables["ARGO_DEBUG_PAUSE_BEFORE"] = "True"
        #expect(try emissary.run(shell: "exit 0").status == .exited(0))
    }

    @Test(arguments: ["BEFORE", "AFTER"])
    func endsWhenToldToWhilePaused(_ place: String) throws {
        let emissary = try EmissaryUnderTest(
            template: #"{"outputs": {"parameters": [{"name": "p", "valueFrom": {"path": "/etc/hostname"}}]}}"#)
        emissary.variables["ARGO_DEBUG_PAUSE_\(place)"] = "true"
        let running = try emissary.start(shell: "exit 0")
        try eventually("paused") { running.errorText.contains("paused \(place.lowercased()) the command") }
        running.signal(SIGTERM)
        #expect(try running.exitStatus() == .exited(64))
        #expect(emissary.recordedCode == "64")
        #expect(!AtomicFile.exists(emissary.runDirectory.outputs))
    }

    @Test func pausesWhereAFileAsksForIt() throws {
        let emissary = try EmissaryUnderTest()
        try emissary.container.create()
        try SmallFile.write(emissary.container.pause, [])
        try SmallFile.write(emissary.container.before, [])
        let running = try emissary.start(shell: "echo ran")
        try eventually("paused after") { running.errorText.contains("paused after the command") }
        try SmallFile.write(emissary.container.after, [])
        #expect(try running.exitStatus() == .exited(0))
    }
}

@Suite struct SidecarTests {
    private let template = #"{"container": {}, "sidecars": [{"name": "side"}]}"#

    @Test(arguments: [false, true])
    func endsOnceTheMainContainerIsDone(_ isInitless: Bool) throws {
        let emissary = try EmissaryUnderTest(template: template)
        emissary.containerName = "side"
        if isInitless {
            emissary.variables["ARGO_WAIT_FOR_READY"] = "true"
            try StatusMarker.ready.write(in: emissary.runDirectory)
        }
        let running = try emissary.start(shell: "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done")
        try running.waitForOutput("ready")
        try emissary.runDirectory.container("main").writeExitCode(1)
        #expect(try running.exitStatus() == .exited(0))
        #expect(running.outputText.hasSuffix("bye\n"))
        #expect(emissary.recordedCode == "0")
    }

    /// In the reference's init-less layout such a sidecar keeps its pod running for ever.
    @Test(arguments: [false, true])
    func killsADeafSidecarAfterTheGracePeriod(_ toldByController: Bool) throws {
        let emissary = try EmissaryUnderTest(template: template)
        emissary.containerName = "side"
        emissary.variables["ARGO_TERMINATION_GRACE_PERIOD_SECONDS"] = "1"
        let running = try emissary.start(shell: "trap '' TERM; echo ready; while :; do sleep 0.05; done")
        try running.waitForOutput("ready")
        if toldByController { running.signal(SIGTERM) }
        try emissary.runDirectory.container("main").writeExitCode(0)
        #expect(try running.exitStatus() == .exited(137))
        #expect(!AtomicFile.exists(emissary.container.signal), "no stale request is left")
    }

    @Test func waitsForAllMembersOfAContainerSet() throws {
        let emissary = try EmissaryUnderTest(
            template: #"{"containerSet": {"containers": [{"name": "a"}, {"name": "b"}]}, "sidecars": [{"name": "side"}]}"#)
        emissary.containerName = "side"
        let running = try emissary.start(shell: "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done")
        try running.waitForOutput("ready")
        try emissary.runDirectory.container("a").writeExitCode(0)
        try emissary.container.writeSignal(18)
        try eventually("the emissary has looked") { !AtomicFile.exists(emissary.container.signal) }
        #expect(emissary.recordedCode == nil)
        // The second one's emissary has been killed.
        try SmallFile.write(emissary.runDirectory.container("b").alive, [])
        #expect(try running.exitStatus() == .exited(0))
    }
}
