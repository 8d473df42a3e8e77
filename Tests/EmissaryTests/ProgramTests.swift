import ProcessControl
import RunDirectory
import SystemSupport
import Testing

@Suite struct ProgramTests {
    private func failure(_ words: [BytePath], path: String? = nil) throws -> String? {
        let emissary = try EmissaryUnderTest()
        if let path { emissary.variables["PATH"] = path }
        let result = try emissary.run(words)
        #expect(result.status == .exited(64))
        #expect(emissary.recordedCode == "64")
        let text = emissary.terminationMessage
        let said = String(decoding: result.error, as: UTF8.self)
        #expect(said.contains("Error: \(text ?? "-")\n\(text ?? "-")\n"))
        return text
    }

    @Test func saysThatAProgramIsNotInPath() throws {
        #expect(
            try failure(["no-such-program"])
                == #"failed to find name in PATH: exec: "no-such-program": executable file not found in $PATH"#)
        #expect(
            try failure(["sh"], path: "") == #"failed to find name in PATH: exec: "sh": executable file not found in $PATH"#)
    }

    @Test func saysThatAProgramDoesNotExist() throws {
        #expect(
            try failure(["/no/such/program"])
                == #"failed to find name in PATH: exec: "/no/such/program": stat /no/such/program: no such file or directory"#)
    }

    @Test func saysThatAProgramIsNotExecutable() throws {
        #expect(
            try failure(["/etc/passwd"]) == #"failed to find name in PATH: exec: "/etc/passwd": permission denied"#)
    }

    @Test func refusesProgramsInTheWorkingDirectory() throws {
        let emissary = try EmissaryUnderTest()
        try SmallFile.write(emissary.path("tool"), Array("#!/bin/sh\nexit 1\n".utf8), mode: 0o755)
        emissary.variables["PATH"] = ":/usr/bin"
        var spawner = emissary.spawner(["tool"])
        spawner.directory = BytePath(emissary.folder.url.path)
        var process = Subprocess(spawner)
        process.deadline = monotonicNanoseconds() + 60_000_000_000
        #expect(try process.run().status == .exited(64))
        #expect(
            emissary.terminationMessage
                == #"failed to find name in PATH: exec: "tool": cannot run executable found relative to current directory"#)
    }

    @Test func saysWhyAProgramCannotBeStarted() throws {
        let emissary = try EmissaryUnderTest()
        let program = emissary.path("text")
        try SmallFile.write(program, Array("no program\n".utf8), mode: 0o755)
        #expect(try emissary.run([program]).status == .exited(64))
        #expect(emissary.terminationMessage == "failed to start command: fork/exec \(program): exec format error")
        #expect(emissary.recordedCode == "64")
    }

    @Test func callsTheProgramByItsResolvedPath() throws {
        let emissary = try EmissaryUnderTest()
        emissary.variables["PATH"] = "/nowhere:/usr/bin:/bin"
        let result = try emissary.run(["cat", "/proc/self/cmdline"])
        #expect(result.output == Array("/usr/bin/cat\0/proc/self/cmdline\0".utf8))
    }

    /// A Latin-1 word went through `String` once and became three other bytes.
    @Test func passesBytesOfAnyEncoding() throws {
        let emissary = try EmissaryUnderTest()
        var spawner = emissary.spawner(["/usr/bin/printf", "%s", BytePath(bytes: [0xE4, 0x0A, 0xFF, 0x20])])
        var environment = emissary.environment
        environment.set("LATIN", to: BytePath(bytes: [0xFC, 0x3D, 0x80]))
        spawner.environment = environment
        #expect(try Subprocess(spawner).run().output == [0xE4, 0x0A, 0xFF, 0x20])
        spawner = emissary.spawner(["/usr/bin/printenv", "LATIN"])
        spawner.environment = environment
        #expect(try Subprocess(spawner).run().output == [0xFC, 0x3D, 0x80, 0x0A])
    }

    @Test func passesTheEnvironmentUnchanged() throws {
        let emissary = try EmissaryUnderTest()
        emissary.variables["SWIFT_BACKTRACE"] = "enable=no"
        emissary.variables["OPENSSL_CONF"] = "/nowhere"
        emissary.variables["TRACEPARENT"] = "00-589f16e6cd8473008a4a5d8a55eda46d-68fc4781cdc0321c-01"
        let output = try emissary.run(["/usr/bin/env", "-0"]).output
        let given = emissary.environment.words.map { $0.bytes }
        #expect(output.split(separator: 0).map { Array($0) } == given)
    }

    @Test func alwaysHandsATraceParentOn() throws {
        let emissary = try EmissaryUnderTest()
        #expect(try emissary.run(shell: "env | grep TRACE").output == Array("TRACEPARENT=\n".utf8))
    }

    @Test func addsArgumentsFromAFile() throws {
        let emissary = try EmissaryUnderTest()
        let long = String(repeating: "x", count: 131_072)
        let limit = String(repeating: "y", count: 131_071)
        let file = emissary.path("args")
        try SmallFile.write(file, Array(#"["ä", null, "\#(limit)", "\#(long)"]"#.utf8))
        emissary.variables["ARGO_CONTAINER_ARGS_FILE"] = file.text
        let script = "printf '%s\\n' \"$1\" \"$2\" \"${#3}\" \"$4\""
        let result = try emissary.run(["sh", "-c", BytePath(script), "name"])
        #expect(result.output == Array("ä\n\n131071\n@/tmp/argo_arg_6.txt\n".utf8))
        #expect(try emissary.text("/tmp/argo_arg_6.txt") == long)
        AtomicFile.remove("/tmp/argo_arg_6.txt")
    }

    @Test(arguments: ["", "{}", "[1]", #"["a\u0000b"]"#, "no JSON"])
    func failsOnABadArgumentsFile(_ content: String) throws {
        let emissary = try EmissaryUnderTest()
        let file = emissary.path("args")
        try SmallFile.write(file, Array(content.utf8))
        emissary.variables["ARGO_CONTAINER_ARGS_FILE"] = file.text
        #expect(try emissary.run(["true"]).status == .exited(64))
        #expect(emissary.terminationMessage?.hasPrefix("failed to read container args file: ") == true)
    }
}
