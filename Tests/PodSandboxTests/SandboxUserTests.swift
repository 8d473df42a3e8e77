import Documents
import Foundation
import PodSandbox
import SandboxTestSupport
import SystemSupport
import Testing

private typealias Fixture = SandboxFixture

/// Whether this is the run of the tests by an ordinary user that `SandboxAsOrdinaryUser` starts.
private let isInner = ProcessInfo.processInfo.environment["SANDBOX_TEST_FOLDER"] != nil

/// What is different without root.
@Suite(.serialized, .enabled(if: SandboxFixture.isUsable && !SandboxFixture.isRoot, "needs bubblewrap, and not to be root"))
struct SandboxUserTests {
    @Test func runsTheMachinesProgramsAsOurselves() throws {
        let fixture = try Fixture()
        let text = try fixture.output(
            of: "id -u; id -g; touch /v/x /x; grep CapEff /proc/self/status", ["volumeMounts": [Fixture.mount("v", "/v")]],
            volumes: [["name": "v", "emptyDir": [:]]])
        #expect(text == "\(geteuid())\n\(getegid())\nCapEff:\t0000000000000000\n")
    }

    @Test func warnsOfAnotherUserByName() throws {
        let fixture = try Fixture()
        let pod = Fixture.pod([Fixture.shell("main", "id -u; touch /x", ["securityContext": ["runAsUser": 8737]])])
        let problems = try fixture.player().preflight([pod, pod]).filter { $0.severity == .warning }
        #expect(problems.count == 1)
        #expect(
            problems.first?.message.hasPrefix("pod 'test-pod': container 'main': runAsUser 8737 is only a name here") == true)
        #expect(try fixture.play(pod).isSuccess)
        #expect(try fixture.log("main") == "8737\n")
        let own = Fixture.pod([Fixture.shell("main", "true", ["securityContext": ["runAsUser": .integer(Int(geteuid()))]])])
        #expect(try fixture.player().preflight([own]).allSatisfy { $0.severity == .note })
    }

    @Test func sharesVolumesAmongUsersThatAreOne() throws {
        let fixture = try Fixture()
        let mounts: JSONValue = [Fixture.mount("v", "/v")]
        let outcome = try fixture.play(
            Fixture.pod(
                [
                    Fixture.shell(
                        "main", "cat /v/x; stat -c %u /v/x", ["volumeMounts": mounts, "securityContext": ["runAsUser": 11]])
                ],
                inits: [
                    Fixture.shell(
                        "init", "umask 077; echo x > /v/x", ["volumeMounts": mounts, "securityContext": ["runAsUser": 22]])
                ], volumes: [["name": "v", "emptyDir": [:]]]))
        #expect(outcome.isSuccess)
        #expect(try fixture.log("main") == "x\n11\n")
    }
}

/// Runs the tests of sandboxes a second time, as a user without rights.
@Suite struct SandboxAsOrdinaryUser {
    @Test(
        .enabled(if: !isInner && SandboxFixture.isRoot, "is an ordinary user's run already, or sandboxes do not work"),
        .enabled(if: access("/usr/bin/setpriv", X_OK) == 0, "needs setpriv"))
    func passesAsWell() throws {
        let base = BytePath(NSTemporaryDirectory()).appending(BytePath("ordinary-\(UUID().uuidString)"))
        _ = try runShell("mkdir -p \"$1\" && chown 65534:65534 \"$1\"", [base])
        defer { _ = try? runShell("rm -rf \"$1\"", [base]) }
        let (program, words) = TestsProgram.words(filter: "Sandbox(Pod|Volume|Environment|Root|Image|User|Probe|Kill)Tests")
        let drop: [BytePath] = ["/usr/bin/setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
        var environment = ProcessInfo.processInfo.environment
        environment["SANDBOX_TEST_FOLDER"] = base.text
        environment["HOME"] = base.text
        environment["TMPDIR"] = base.text
        if try run(drop + ["/usr/bin/test", "-x", BytePath(program)]).status != 0 {
            withKnownIssue("skipped: an ordinary user cannot read the tests' program \(program)") { Issue.record("unreadable") }
            return
        }
        let result = try run(
            drop + words.map { BytePath($0) }, environment: environment)
        #expect(result.status == 0, "\(result.output)")
        #expect(result.output.contains("runsTheMachinesProgramsAsOurselves() passed"), "\(result.output.suffix(2000))")
    }
}
