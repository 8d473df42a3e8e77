import Glibc
import ProcessControl
import RunDirectory
import SystemSupport
import Testing

@Suite(.enabled(if: EmissaryUnderTest.hasMode("artifact-plugin-sidecar"), "the program has this mode"))
struct PluginSidecarTests {
    private func sidecar(template: String? = "{}") throws -> EmissaryUnderTest {
        let emissary = try EmissaryUnderTest(template: template)
        emissary.subcommand = "artifact-plugin-sidecar"
        emissary.containerName = "artifact-plugin-x"
        return emissary
    }

    private let server = "trap 'echo usr1' USR1; trap 'echo bye; exit 4' TERM; echo ready; while :; do sleep 0.05; done"

    @Test func outlivesTerminationAndGoesWhenTold() throws {
        let emissary = try sidecar()
        let running = try emissary.start(shell: server)
        try running.waitForOutput("ready")
        running.signal(SIGTERM)
        running.signal(SIGTERM)
        running.signal(SIGUSR1)
        try running.waitForOutput("usr1")
        #expect(emissary.recordedCode == nil)
        try emissary.container.writeSignal(15)
        #expect(try running.exitStatus() == .exited(0), "whatever the server's code")
        #expect(emissary.recordedCode == "4")
        #expect(running.outputText == "ready\nusr1\nbye\n")
    }

    @Test(arguments: [#"{"data": {}}"#, #"{"resource": {"action": "get"}}"#])
    func honoursTerminationWhereNobodyElseWillEndIt(_ template: String) throws {
        let emissary = try sidecar(template: template)
        let running = try emissary.start(shell: server)
        try running.waitForOutput("ready")
        running.signal(SIGTERM)
        #expect(try running.exitStatus() == .exited(0))
        #expect(emissary.recordedCode == "4")
    }

    @Test func outlivesTerminationBesideASupervisor() throws {
        let emissary = try sidecar(template: #"{"resource": {"action": "get"}}"#)
        try StatusMarker.ready.write(in: emissary.runDirectory)
        let running = try emissary.start(shell: server)
        try running.waitForOutput("ready")
        running.signal(SIGTERM)
        running.signal(SIGUSR1)
        try running.waitForOutput("usr1")
        try emissary.container.writeSignal(9)
        #expect(try running.exitStatus() == .exited(0))
        #expect(emissary.recordedCode == "137")
    }

    @Test func leavesNoExitCodeWhereTheServerCannotBeStarted() throws {
        let emissary = try sidecar()
        #expect(try emissary.run(["/no/such/server"]).status == .exited(64))
        #expect(emissary.recordedCode == nil)
    }
}
