import Glibc
import ProcessControl
import RunDirectory
import SystemSupport
import Testing

@Suite struct ExitCodeTests {
    @Test func passesEveryExitCodeOn() throws {
        let emissary = try EmissaryUnderTest()
        for code in 0...255 {
            let result = try emissary.run(shell: "exit \(code)")
            #expect(result.status == .exited(Int32(code)))
            #expect(emissary.recordedCode == String(code))
        }
        #expect(emissary.terminationMessage == nil, "the command's own message survives")
    }

    @Test func namesEverySignalThatKills() throws {
        let emissary = try EmissaryUnderTest()
        let stopping: Set<Int32> = [SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU]
        let ignored: Set<Int32> = [SIGCHLD, SIGCONT, SIGURG, SIGWINCH]
        for number in Int32(1)...64 where !stopping.contains(number) && !ignored.contains(number) && ![32, 33].contains(number)
        {
            let result = try emissary.run(["sh", "-c", "ulimit -c 0; kill -$0 $$; sleep 30", BytePath(String(number))])
            #expect(result.status == .exited(128 + number))
            #expect(emissary.recordedCode == String(128 + number))
        }
    }

    @Test func writesTheExitCodeFileWithItsMode() throws {
        let emissary = try EmissaryUnderTest()
        _ = try emissary.run(shell: "exit 3")
        var information = stat()
        #expect(emissary.container.exitCode.withCString { stat($0, &information) } == 0)
        #expect(information.st_mode & 0o7777 == 0o644)
        #expect(information.st_size == 1)
        #expect(emissary.container.path.withCString { stat($0, &information) } == 0)
        #expect(information.st_mode & 0o7777 == 0o777)
    }

    @Test func runsWithoutAnyVariable() throws {
        let emissary = try EmissaryUnderTest()
        emissary.variables = ["ARGO_CONTAINER_NAME": ""]
        emissary.containerName = ""
        let result = try emissary.run(["/bin/sh", "-c", "exit 5"])
        #expect(result.status == .exited(5))
        #expect(try emissary.text(emissary.runDirectory.containers.appending("exitcode")) == "5")
    }

    @Test func givesTheCommandUmaskZero() throws {
        let emissary = try EmissaryUnderTest()
        #expect(try emissary.run(shell: "umask").output == Array("0000\n".utf8))
    }

    @Test func readsTheTemplateFromTheVariableWhereThereIsNoFile() throws {
        let emissary = try EmissaryUnderTest(template: nil)
        emissary.variables["ARGO_TEMPLATE"] = "{}"
        #expect(try emissary.run(shell: "exit 0").status == .exited(0))
    }

    @Test func failsWithoutATemplate() throws {
        let emissary = try EmissaryUnderTest(template: nil)
        let result = try emissary.run(shell: "exit 0")
        #expect(result.status == .exited(64))
        #expect(emissary.recordedCode == "64")
        #expect(emissary.terminationMessage?.hasPrefix("failed to read template: ") == true)
    }

    @Test(arguments: ["", "{", "[]", "{\"outputs\": 3}"])
    func failsOnABrokenTemplate(_ template: String) throws {
        let emissary = try EmissaryUnderTest(template: template)
        #expect(try emissary.run(shell: "echo ran > \(emissary.path("ran"))").status == .exited(64))
        #expect(emissary.recordedCode == "64")
        #expect(!AtomicFile.exists(emissary.path("ran")))
    }

    @Test func failsWithoutACommand() throws {
        let emissary = try EmissaryUnderTest()
        #expect(try emissary.run([]).status == .exited(64))
        #expect(emissary.recordedCode == "64")
    }

    @Test func failsWhereTheDirectoryCannotBeMade() throws {
        let emissary = try EmissaryUnderTest()
        try SmallFile.write(emissary.runDirectory.containers, [])
        let result = try emissary.run(shell: "exit 0")
        #expect(result.status == .exited(64))
        #expect(emissary.terminationMessage?.contains("failed to create") == true)
    }
}
