import Glibc
import ProcessControl
import RunDirectory
import SystemSupport
import TestSupport
import Testing

private let archivesLogs = #"{"archiveLocation": {"archiveLogs": true}}"#

@Suite struct CaptureTests {
    @Test func writesOnlyTheFilesThatTheTemplateNeeds() throws {
        for (template, include, files) in [
            ("{}", "false", [Bool](arrayLiteral: false, false)), ("{}", "true", [true, false]),
            (archivesLogs, "false", [false, true]), (archivesLogs, "true", [true, true]),
        ] {
            let emissary = try EmissaryUnderTest(template: template)
            emissary.variables["ARGO_INCLUDE_SCRIPT_OUTPUT"] = include
            let result = try emissary.run(shell: "echo out; echo err >&2")
            #expect(result.output == Array("out\n".utf8))
            #expect(String(decoding: result.error, as: UTF8.self).contains("err\n"))
            #expect(AtomicFile.exists(emissary.container.standardOutput) == files[0])
            #expect(AtomicFile.exists(emissary.container.combined) == files[1])
            if files[0] { #expect(try emissary.text(emissary.container.standardOutput) == "out\n") }
            if files[1] {
                #expect(try emissary.text(emissary.container.combined).split(separator: "\n").sorted() == ["err", "out"])
            }
        }
    }

    @Test func makesCaptureFilesForEveryUser() throws {
        let emissary = try EmissaryUnderTest(template: archivesLogs)
        _ = try emissary.run(shell: "echo")
        var information = stat()
        #expect(emissary.container.combined.withCString { stat($0, &information) } == 0)
        #expect(information.st_mode & 0o7777 == 0o666)
    }

    @Test func keepsLinesWholeInTheCombinedFile() throws {
        let emissary = try EmissaryUnderTest(template: archivesLogs)
        // Each line of both streams is written in two parts.
        let script = """
            $| = 1; for (1..200) { syswrite STDOUT, "out "; syswrite STDERR, "err "; syswrite STDOUT, "$_\\n";
            syswrite STDERR, "$_\\n"; }
            """
        _ = try emissary.run(["perl", "-e", BytePath(script)])
        let lines = try emissary.text(emissary.container.combined).split(separator: "\n").map(String.init)
        let expected = (1...200).flatMap { ["out \($0)", "err \($0)"] }
        #expect(lines.sorted() == expected.sorted())
    }

    @Test func showsAnUnfinishedLineWhileTheCommandWaits() throws {
        let emissary = try EmissaryUnderTest(template: archivesLogs)
        let running = try emissary.start(shell: "printf 'password: '; sleep 60")
        try running.waitForOutput("password: ")
        try eventually("the part of a line is kept") { try emissary.text(emissary.container.combined) == "password: " }
        running.signal(SIGTERM)
        #expect(try running.exitStatus() == .exited(143))
    }

    @Test func passesALotOfOutputOnComplete() throws {
        let emissary = try EmissaryUnderTest(template: archivesLogs)
        emissary.variables["ARGO_INCLUDE_SCRIPT_OUTPUT"] = "true"
        let size = 100_000_000
        let result = try emissary.run(shell: "seq 1 99999999 | head -c \(size)")
        #expect(result.status == .exited(0))
        #expect(result.output.count == size)
        let combined = try SmallFile.read(emissary.container.combined)
        #expect(combined == result.output)
        // Of the result only the end takes room, and the end is right.
        var information = stat()
        #expect(emissary.container.standardOutput.withCString { stat($0, &information) } == 0)
        #expect(Int(information.st_size) == size)
        let captured = try SmallFile.read(emissary.container.standardOutput)
        #expect(captured.suffix(512 << 10) == result.output.suffix(512 << 10))
        #expect(information.st_blocks * 512 < 16 << 20)
    }

    @Test func takesTheLastOutputBeforeTheEnd() throws {
        let emissary = try EmissaryUnderTest(template: archivesLogs)
        for round in 1...20 {
            let result = try emissary.run(shell: "head -c 200000 /dev/zero; echo last \(round) >&2")
            #expect(result.output.count == 200_000)
            #expect(try emissary.text(emissary.container.combined).contains("last \(round)\n"))
            #expect(String(decoding: result.error, as: UTF8.self).contains("last \(round)\n"))
        }
        #expect(try SmallFile.read(emissary.container.combined).count > 20 * 200_000)
    }

    /// A background process that holds the pipe delays nothing; what the command itself wrote is all there.
    @Test func doesNotWaitForGrandchildrenThatHoldThePipe() throws {
        let emissary = try EmissaryUnderTest(template: archivesLogs)
        let result = try emissary.run(shell: "sleep 300 & echo $!; echo done")
        #expect(result.status == .exited(0))
        let lines = String(decoding: result.output, as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 2 && lines.last == "done")
        #expect(try emissary.text(emissary.container.combined).hasSuffix("done\n"))
        let grandchild = try #require(Int32(lines[0]))
        #expect(kill(grandchild, 0) == 0, "it still ran when the emissary had ended")
        kill(grandchild, SIGKILL)
    }

    /// What bash does not wait for itself: the tail of the output, mostly all of it, comes when the command has ended.
    @Test(arguments: [
        "exec > >(tee log) 2>&1; echo hi; echo result=42", "exec > >(sed -u 's/^/-/;s/^-//') 2>&1; echo hi; echo result=42",
        "echo hi; (sleep 0.02; echo result=42) &",
    ])
    func takesWhatHelpersOfTheCommandStillWrite(_ script: String) throws {
        for wrapper in [[], Sandbox.asFirstProcess] {
            try holds {
                let emissary = try EmissaryUnderTest(template: archivesLogs)
                emissary.wrapper = wrapper
                emissary.variables["ARGO_INCLUDE_SCRIPT_OUTPUT"] = "true"
                let result = try emissary.run(["bash", "-c", BytePath("cd \(emissary.path(".")); \(script)")])
                #expect(result.status == .exited(0))
                let combined = try emissary.text(emissary.container.combined)
                #expect(try emissary.text(emissary.container.standardOutput) == combined)
                #expect(String(decoding: result.output, as: UTF8.self) == combined)
                return combined == "hi\nresult=42\n"
            }
        }
    }

    /// As process 1 we take all that is left in the container with us, though it writes to our own streams.
    @Test func letsHelpersWriteBeforeTheContainerEnds() throws {
        try holds {
            let emissary = try EmissaryUnderTest()
            emissary.wrapper = Sandbox.asFirstProcess
            let result = try emissary.run(["bash", "-c", "exec > >(sed -u 's/^/-/') 2>&1; echo hi; exit 3"])
            #expect(result.status == .exited(3))
            #expect(!AtomicFile.exists(emissary.container.combined))
            return String(decoding: result.output, as: UTF8.self) == "-hi\n"
        }
    }

    @Test func takesWhatHelpersOfEachAttemptStillWrite() throws {
        try holds {
            let emissary = try EmissaryUnderTest(
                template: """
                    {"archiveLocation": {"archiveLogs": true}, "containerSet": {"containers": [{"name": "main"}],
                     "retryStrategy": {"retries": 3}}}
                    """)
            let script = "exec > >(sed -u 's/$/!/') 2>&1; echo attempt; exit 4"
            #expect(try emissary.run(["bash", "-c", BytePath(script)]).status == .exited(4))
            return try emissary.text(emissary.container.combined) == "attempt!\nattempt!\nattempt!\n"
        }
    }

    /// A helper has 100 ms, in which a busy machine may not let it run: it holds where it does so three times of at most thirty.
    private func holds(_ run: () throws -> Bool) throws {
        var successes = 0
        for _ in 1...30 where successes < 3 { successes += try run() ? 1 : 0 }
        #expect(successes == 3)
    }

    /// Neither one that is silent nor one that writes without end.
    @Test func doesNotWaitForBackgroundProcessesThatWriteWithoutEnd() throws {
        let emissary = try EmissaryUnderTest(template: archivesLogs)
        let result = try emissary.run(shell: "while :; do echo noise; done & echo $! > \(emissary.path("pid")); exit 6")
        #expect(result.status == .exited(6))
        #expect(emissary.recordedCode == "6")
        let background = try #require(Int32(try emissary.text(emissary.path("pid")).trimmed))
        try eventually("it is told that nobody reads any more") { kill(background, 0) != 0 }
    }

    /// The end of the process is not the end of what is already in the pipe, whatever our own reader does.
    @Test func takesAllThatIsInThePipesWhileItsOwnOutputIsBlocked() throws {
        let emissary = try EmissaryUnderTest(template: archivesLogs)
        let go = emissary.path("go")
        emissary.wrapper = ["sh", "-c", "\"$@\" | { until [ -e \(go) ]; do sleep 0.02; done; cat; }; exit 0", "sh"]
        let script = "head -c 300000 /dev/zero | tr '\\0' x; echo end"
        let running = try RunningEmissary(
            emissary.spawner(["sh", "-c", BytePath(script)]), output: emissary.path("output"),
            error: emissary.path("error"))
        try eventually("the exit code is there though nobody reads") { emissary.recordedCode == "0" }
        try SmallFile.write(go, [])
        #expect(try running.exitStatus() == .exited(0))
        let output = try SmallFile.read(emissary.path("output"))
        #expect(output.count == 300_004)
        #expect(try SmallFile.read(emissary.container.combined) == output)
    }

    @Test func goesOnForwardingWhenTheDiskIsFull() throws {
        let emissary = try EmissaryUnderTest(template: archivesLogs)
        emissary.variables["ARGO_INCLUDE_SCRIPT_OUTPUT"] = "true"
        let run = emissary.runDirectory.root.text
        // The run directory is a file system of 128 KiB; what is in it at the end is told through a file outside.
        emissary.wrapper = [
            "bwrap", "--dev-bind", "/", "/", "--size", "131072", "--tmpfs", run, "sh", "-c",
            """
            printf '%s' '\(archivesLogs)' > \(run)/template; "$@"; code=$?
            cat \(run)/ctr/main/exitcode > \(emissary.path("told")); ls \(run)/ctr/main > \(emissary.path("left")); exit $code
            """, "sh",
        ]
        let result = try emissary.run(shell: "head -c 1000000 /dev/zero | tr '\\0' x; exit 11")
        #expect(result.status == .exited(11))
        #expect(result.output.count == 1_000_000)
        #expect(try emissary.text(emissary.path("told")) == "11")
        let said = String(decoding: result.error, as: UTF8.self)
        #expect(said.contains("no space left on device"))
        let left = try emissary.text(emissary.path("left")).split(separator: "\n")
        #expect(left.contains("stdout.lost") && left.contains("combined.lost"))
    }

    @Test func goesOnWhereTheCaptureFileCannotBeOpened() throws {
        let emissary = try EmissaryUnderTest(template: archivesLogs)
        try AtomicFile.createDirectory(emissary.container.combined)
        let result = try emissary.run(shell: "echo out; exit 2")
        #expect(result.status == .exited(2))
        #expect(result.output == Array("out\n".utf8))
        #expect(AtomicFile.exists(emissary.container.lossMarker(of: emissary.container.combined)))
    }

    @Test func survivesAReaderThatGoes() throws {
        let emissary = try EmissaryUnderTest(template: archivesLogs)
        emissary.wrapper = ["sh", "-c", "\"$@\" | head -c 10; exit 0", "sh"]
        let result = try emissary.run(shell: "seq 1 200000; echo end >&2; exit 8")
        #expect(result.output.count == 10)
        #expect(emissary.recordedCode == "8")
        #expect(try emissary.text(emissary.container.combined).contains("\n200000\n"))
    }

    @Test func givesTheCommandATerminalWhereItHasOne() throws {
        let emissary = try EmissaryUnderTest(template: archivesLogs)
        let script = "test -t 0 && test -t 1 && test -t 2 && stty size && read line && echo \"read $line\"; exit 5"
        let program = Checkout.executor.path
        emissary.wrapper = [
            "script", "-qec", "stty rows 33 cols 111; \(program) emissary -- sh -c '\(script)'", "/dev/null",
        ]
        var spawner = emissary.spawner([])
        spawner.arguments = emissary.wrapper.map { BytePath($0) }
        var process = Subprocess(spawner)
        process.input = Array("hello\n".utf8)
        process.deadline = monotonicNanoseconds() + 60_000_000_000
        let result = try process.run()
        #expect(result.status == .exited(5))
        let said = String(decoding: result.output, as: UTF8.self)
        #expect(said.contains("33 111"))
        #expect(said.contains("read hello"))
        #expect(try emissary.text(emissary.container.combined).contains("read hello"))
    }
}
