import Foundation
import Glibc
import ProcessControl
import SystemSupport
import TestSupport
import Testing

private typealias ExitStatus = ProcessControl.ExitStatus

private func shell(_ script: String, _ words: BytePath...) -> Spawner {
    Spawner(
        program: "/bin/sh", arguments: ["sh", "-c", BytePath(script)] + words,
        environment: ProcessEnvironment(["PATH=/usr/bin:/bin", "A=1"]))
}

@Suite struct SpawnerTests {
    @Test func tellsHowAProcessEnded() throws {
        #expect(try shell("exit 0").start().wait() == .exited(0))
        #expect(try shell("exit 255").start().wait() == .exited(255))
        #expect(try shell("kill -9 $$").start().wait() == .signaled(9))
        #expect(ExitStatus.signaled(15).code == 143)
    }

    @Test func saysWhyAProgramCannotBeStarted() throws {
        for (program, code) in [("/no/such/program", ENOENT), ("/etc/passwd", EACCES), ("/etc", EACCES)] as [(BytePath, Int32)]
        {
            let spawner = Spawner(program: program, arguments: [program], environment: ProcessEnvironment([]))
            #expect(throws: SystemError("fork/exec", program.text, code)) { _ = try spawner.start() }
        }
        var missing = shell("exit 0")
        missing.directory = "/no/such/folder"
        #expect(throws: SystemError("fork/exec", "/bin/sh", ENOENT)) { _ = try missing.start() }
        let huge = shell("exit 0", BytePath(String(repeating: "x", count: 200_000)))
        #expect(throws: SystemError("fork/exec", "/bin/sh", E2BIG)) { _ = try huge.start() }
    }

    @Test func startsManyAtOnceFromSeveralThreads() throws {
        try Parallel.forEach(count: 200, width: 8) { index in
            let status = try shell("exit \(index)").start().wait()
            if status != .exited(Int32(index)) { throw ExecutorError.failed("\(index): \(String(describing: status))") }
        }
    }

    @Test func givesOneFileToBothStreams() throws {
        let folder = try TemporaryFolder()
        let path = BytePath(folder.url.appending(path: "file").path)
        let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_APPEND)
        var spawner = shell("echo out; echo err >&2; cat")
        let null = try Descriptor.open("/dev/null", O_RDONLY)
        spawner.standardInput = null.raw
        spawner.standardOutput = file.raw
        spawner.standardError = file.raw
        #expect(try spawner.start().wait() == .exited(0))
        #expect(try SmallFile.read(path) == Array("out\nerr\n".utf8))
        #expect(fcntl(file.raw, F_GETFD) == FD_CLOEXEC, "ours stay as they are")
    }

    @Test func startsInAnotherDirectory() throws {
        var spawner = shell("pwd")
        spawner.directory = "/usr/bin"
        #expect(try Subprocess(spawner).run().output == Array("/usr/bin\n".utf8))
    }

    @Test func endsWithTheThreadThatStartedIt() throws {
        let started = Monitor<Int32>(0)
        let thread = try WorkerThread {
            var spawner = shell("exec sleep 60")
            spawner.deathSignal = SIGKILL
            let child = try? spawner.start()
            started.update { $0 = child?.id ?? -1 }
        }
        thread.join()
        var status: Int32 = 0
        #expect(waitpid(started.current, &status, 0) == started.current)
        #expect(status == SIGKILL)
    }

    @Test func signalsTheWholeGroup() throws {
        let folder = try TemporaryFolder()
        let mark = folder.url.appending(path: "mark").path
        let child = try shell(
            """
            trap : USR1; (trap 'echo > \(mark); exit' USR1; echo > \(mark).1; while :; do sleep 0.02; done) &
            until [ -e \(mark) ]; do sleep 0.02; done; exit 0
            """
        ).start()
        let end = monotonicNanoseconds() + 20_000_000_000
        while access(mark + ".1", F_OK) != 0, monotonicNanoseconds() < end { sleepNanoseconds(1_000_000) }
        try child.signal(SIGUSR1)
        #expect(try child.wait(until: end) == .exited(0))
        #expect(access(mark, F_OK) == 0)
        try child.signal(SIGUSR1)
        extendLifetime(folder)
    }

    @Test func waitsNoLongerThanAsked() throws {
        let child = try shell("exec sleep 60").start()
        #expect(try child.wait(until: monotonicNanoseconds() + 20_000_000) == nil)
        try child.signal(SIGKILL)
        #expect(try child.wait() == .signaled(9))
    }

    @Test func givesBytesAsTheyAre() throws {
        let bytes: [UInt8] = [0xE4, 0x20, 0x0A, 0xFF]
        let spawner = shell("printf %s \"$1$A\"", "sh", BytePath(bytes: bytes))
        #expect(try Subprocess(spawner).run().output == bytes + [0x31])
    }
}

@Suite struct SubprocessTests {
    @Test func keepsWhatAProgramSays() throws {
        var process = Subprocess(shell("cat; echo err >&2; exit 3"))
        process.input = Array("input".utf8)
        let result = try process.run()
        #expect(result.status == .exited(3))
        #expect(result.output == Array("input".utf8))
        #expect(result.error == Array("err\n".utf8))
    }

    @Test func takesALotOnBothStreams() throws {
        let result = try Subprocess(shell("seq 1 200000; seq 1 200000 >&2")).run()
        #expect(result.output.count == 1_288_895)
        #expect(result.error.count == 64 << 10, "of standard error the end")
        #expect(result.error.suffix(7) == Array("200000\n".utf8)[...])
    }

    @Test func handsOutputOnBlockByBlock() throws {
        let sink = MemorySink()
        var process = Subprocess(shell("seq 1 100000"))
        process.outputSink = sink
        #expect(try process.run().output == [])
        #expect(sink.bytes.count == 588_895)
    }

    @Test func endsWhatSaysTooMuch() throws {
        var process = Subprocess(shell("yes"))
        process.outputLimit = 100_000
        let error = #expect(throws: ExecutorError.self) { _ = try process.run() }
        #expect(error?.message == "run /bin/sh: its output is larger than 100000 bytes")
    }

    @Test func endsWhatTakesTooLong() throws {
        var process = Subprocess(shell("trap '' TERM; while :; do sleep 0.02; done"))
        process.deadline = monotonicNanoseconds() + 200_000_000
        process.grace = 50_000_000
        let error = #expect(throws: ExecutorError.self) { _ = try process.run() }
        #expect(error?.message == "run /bin/sh: timed out")
        #expect(error?.isTransient == true)
    }

    @Test func isCancelledByADescriptor() throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        let reading = Descriptor(owning: ends[0])
        let writing = Descriptor(owning: ends[1])
        try DescriptorIO.write(writing.raw, [UInt8(1)].span, subject: "pipe")
        var process = Subprocess(shell("exec sleep 60"))
        process.cancellation = [reading.raw]
        let error = #expect(throws: ExecutorError.self) { _ = try process.run() }
        #expect(error?.message == "run /bin/sh: cancelled")
        extendLifetime(writing)
    }

    @Test func takesWhatHelpersStillSay() throws {
        // A busy machine may not let a helper run in the time that it has.
        let held = try (1...30).contains { _ in
            let result = try Subprocess(shell("echo first; (sleep 0.02; echo later; echo error >&2) &")).run()
            return result.output == Array("first\nlater\n".utf8) && result.error == Array("error\n".utf8)
        }
        #expect(held)
    }

    @Test func doesNotWaitForWhatIsLeftBehind() throws {
        let result = try Subprocess(shell("sleep 300 & echo $!")).run()
        let left = try #require(Int32(String(decoding: result.output, as: UTF8.self).trimmingCharacters(in: .newlines)))
        #expect(kill(left, SIGKILL) == 0)
    }
}

@Suite struct ProgramSearchTests {
    @Test func quotesAsGoDoes() {
        #expect(GoText.quoted(Array("a b".utf8)) == #""a b""#)
        #expect(GoText.quoted(Array("ä\"\\\n\t€😀".utf8)) == #""ä\"\\\n\t€😀""#)
        #expect(GoText.quoted([0x61, 0xE4, 0x00, 0x7F, 0x1B]) == #""a\xe4\x00\x7f\x1b""#)
        #expect(GoText.quoted([0xED, 0xA0, 0x80]) == #""\xed\xa0\x80""#)
    }

    @Test func takesTheFirstExecutableFile() throws {
        let folder = try TemporaryFolder()
        for (name, mode) in [("a/tool", 0o644), ("c/tool", 0o755)] as [(String, mode_t)] {
            try folder.write(Data("#!/bin/sh\n".utf8), to: name)
            chmod(folder.url.appending(path: name).path, mode)
        }
        try folder.write(Data(), to: "b/tool/inside")
        let root = folder.url.path
        let path = BytePath("\(root)/a:\(root)/b:\(root)/c:/usr/bin")
        #expect(try ProgramSearch.find("tool", searchPath: path) == BytePath("\(root)/c/tool"))
        #expect(try ProgramSearch.find(BytePath("\(root)/c/tool"), searchPath: nil) == BytePath("\(root)/c/tool"))
    }

    @Test func saysWhatIsWrong() {
        func failure(_ name: BytePath, _ path: BytePath?) -> String? {
            do throws(ProgramSearch.Failure) {
                _ = try ProgramSearch.find(name, searchPath: path)
                return nil
            } catch { return error.message }
        }
        #expect(failure("", "/usr/bin") == #"exec: "": executable file not found in $PATH"#)
        #expect(failure("..", "/usr/bin") == #"exec: "..": executable file not found in $PATH"#)
        #expect(failure("sh", nil) == #"exec: "sh": executable file not found in $PATH"#)
        #expect(failure("/usr", nil) == #"exec: "/usr": is a directory"#)
        #expect(failure("./nope", nil) == #"exec: "./nope": stat ./nope: no such file or directory"#)
    }
}

@Suite struct ProcessEnvironmentTests {
    @Test func setsAVariableInItsPlace() {
        var environment = ProcessEnvironment(["A=1", "B=2", "A=3", "AB=4"])
        #expect(environment["A"] == "1")
        #expect(environment["C"] == nil)
        environment.set("A", to: "9")
        environment.set("C", to: BytePath(bytes: [0xFF]))
        #expect(environment.words == ["A=9", "B=2", "AB=4", BytePath(bytes: Array("C=".utf8) + [0xFF])])
    }

    @Test func keepsWhatTheProcessWasStartedWith() {
        let original = ProcessEnvironment.original()
        #expect(original["PATH"] == getenv("PATH").map { BytePath(String(cString: $0)) })
        #expect(!original.words.isEmpty)
    }
}
