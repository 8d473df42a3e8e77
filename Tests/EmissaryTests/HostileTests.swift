import Foundation
import Glibc
import ProcessControl
import RunDirectory
import SystemSupport
import TestSupport
import Testing

/// What other containers of the pod leave in the run directory to mislead an emissary.
@Suite struct HostileNeighbourTests {
    /// The dependant of a member that left a named pipe in place of its exit code still hears SIGTERM.
    @Test func aPipeInPlaceOfAnExitCodeStopsNobody() throws {
        let emissary = try EmissaryUnderTest(
            template: #"{"containerSet":{"containers":[{"name":"a"},{"name":"main","dependencies":["a"]}]}}"#)
        let dependency = emissary.runDirectory.container("a")
        try dependency.create()
        try #require(mkfifo(dependency.exitCode.text, 0o666) == 0)
        let running = try emissary.start(shell: "true")
        try eventually("it lives") { running.errorText.contains("waiting for dependency") }
        running.signal(SIGTERM)
        #expect(try running.exitStatus()?.code == 143)
    }

    @Test(arguments: ["pipe", "/dev/zero"]) func aTemplateThatIsNoFileEndsIt(_ kind: String) throws {
        let emissary = try EmissaryUnderTest(template: nil)
        if kind == "pipe" {
            try #require(mkfifo(emissary.runDirectory.template.text, 0o666) == 0)
        } else {
            try #require(symlink(kind, emissary.runDirectory.template.text) == 0)
        }
        try #require(mkfifo(emissary.runDirectory.settings.text, 0o666) == 0)
        let result = try emissary.run(["true"])
        #expect(result.status.code == 64)
        #expect(emissary.recordedCode == "64")
    }

    /// Captures and the exit code go into the container's directory or nowhere.
    @Test func aLinkOnTheWayLeadsNowhere() throws {
        let emissary = try EmissaryUnderTest(template: #"{"archiveLocation":{"archiveLogs":true}}"#)
        emissary.variables["ARGO_INCLUDE_SCRIPT_OUTPUT"] = "true"
        try AtomicFile.createDirectory(emissary.path("outside"))
        try AtomicFile.createDirectory(emissary.runDirectory.containers)
        try #require(symlink(emissary.path("outside").text, emissary.container.path.text) == 0)
        let result = try emissary.run(["echo", "x"])
        #expect(result.status.code == 64)
        #expect(try FileManager.default.contentsOfDirectory(atPath: emissary.path("outside").text) == [])
    }

    @Test func outputsAreHandedOverThroughNoLink() throws {
        let emissary = try EmissaryUnderTest(template: nil)
        try SmallFile.write(emissary.path("o"), Array("o".utf8))
        try emissary.runDirectory.writeTemplate(
            Array(
                """
                {"container":{"image":"x"},"outputs":{"parameters":[{"name":"p","valueFrom":{"path":"\(emissary.path("o"))"}}],
                 "artifacts":[{"name":"a","path":"\(emissary.path("o"))"},
                   {"name":"t","path":"\(emissary.path("tree"))","archive":{"none":{}}}]}}
                """.utf8))
        try AtomicFile.createDirectory(emissary.path("tree/d"))
        try AtomicFile.createDirectory(emissary.path("outside"))
        try AtomicFile.createDirectory(emissary.runDirectory.outputs)
        for name in ["parameters", "artifacts"] {
            try #require(
                symlink(emissary.path("outside").text, emissary.runDirectory.outputs.appending(BytePath(name)).text) == 0)
        }
        let result = try emissary.run(["true"])
        #expect(result.status.code == 64)
        #expect(emissary.recordedCode == "0")
        #expect(try FileManager.default.contentsOfDirectory(atPath: emissary.path("outside").text) == [])
    }

    /// Two containers may share a /tmp.
    @Test func aLongArgumentReplacesALink() throws {
        let emissary = try EmissaryUnderTest()
        let long = String(repeating: "x", count: 131_072)
        try SmallFile.write(emissary.path("kept"), Array("kept".utf8))
        try SmallFile.write(emissary.path("args"), Array(#"["a","b","c","d","e","f","g","\#(long)"]"#.utf8))
        let place = "/tmp/argo_arg_8.txt"
        unlink(place)
        try #require(symlink(emissary.path("kept").text, place) == 0)
        defer { unlink(place) }
        emissary.variables["ARGO_CONTAINER_ARGS_FILE"] = emissary.path("args").text
        let result = try emissary.run(["echo", "0"])
        #expect(result.status.code == 0)
        #expect(String(decoding: result.output, as: UTF8.self).hasSuffix("@\(place)\n"))
        #expect(try SmallFile.read(BytePath(place)).count == 131_072)
        #expect(try emissary.text(emissary.path("kept")) == "kept")
    }

    @Test func theTerminationMessageFollowsNoLink() throws {
        let emissary = try EmissaryUnderTest()
        try SmallFile.write(emissary.path("kept"), Array("kept".utf8))
        try #require(symlink(emissary.path("kept").text, emissary.path("termination").text) == 0)
        #expect(try emissary.run(["/no/such/program"]).status.code == 64)
        #expect(try emissary.text(emissary.path("kept")) == "kept")
        unlink(emissary.path("termination").text)
        try #require(mkfifo(emissary.path("termination").text, 0o666) == 0)
        #expect(try emissary.run(["/no/such/program"]).status.code == 64)
    }
}
