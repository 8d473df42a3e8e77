import Glibc
import ProcessControl
import RunDirectory
import SystemSupport
import TestSupport
import Testing

@Suite struct InitlessTests {
    private func initless(_ template: String? = "{}") throws -> EmissaryUnderTest {
        let emissary = try EmissaryUnderTest(template: template)
        emissary.variables["ARGO_WAIT_FOR_READY"] = "true"
        return emissary
    }

    @Test func waitsForTheSupervisor() throws {
        let emissary = try initless(nil)
        let running = try emissary.start(shell: "echo started; exit 6")
        try eventually("alive") { emissary.container.standing() == .alive }
        try StatusMarker.running.write(in: emissary.runDirectory)
        // The template comes after the heartbeat and before READY.
        try emissary.runDirectory.writeTemplate(Array("{}".utf8))
        #expect(running.outputText == "")
        try StatusMarker.ready.write(in: emissary.runDirectory)
        #expect(try running.exitStatus() == .exited(6))
    }

    @Test func endsWith65WhereTheSupervisorFailed() throws {
        let emissary = try initless()
        try StatusMarker.failed("failed to load non-plugin input artifacts: no such key").write(in: emissary.runDirectory)
        let result = try emissary.run(shell: "echo started")
        #expect(result.status == .exited(65))
        #expect(result.output == [])
        #expect(emissary.recordedCode == "65")
        #expect(
            emissary.terminationMessage
                == "supervisor reported pre-main failure: failed to load non-plugin input artifacts: no such key")
    }

    @Test func endsWith65WhereTheSupervisorIsDead() throws {
        let emissary = try initless()
        try StatusMarker.running.write(in: emissary.runDirectory)
        var times = [timeval(tv_sec: 1_000_000, tv_usec: 0), timeval(tv_sec: 1_000_000, tv_usec: 0)]
        #expect(emissary.runDirectory.status.withCString { utimes($0, &times) } == 0)
        #expect(try emissary.run(shell: "echo started").status == .exited(65))
        #expect(emissary.terminationMessage == "supervisor presumed dead: no status update within 30s")
    }

    @Test func endsWith65WhenToldToEndWhileWaiting() throws {
        let emissary = try initless()
        let running = try emissary.start(shell: "echo started")
        try eventually("alive") { emissary.container.standing() == .alive }
        try StatusMarker.running.write(in: emissary.runDirectory)
        try eventually("it reads signals") { running.signalsAreBlocked }
        running.signal(SIGTERM)
        #expect(try running.exitStatus() == .exited(65))
        #expect(emissary.recordedCode == "65")
    }

    // MARK: Input artifacts

    /// A private root: `/argo/inputs/artifacts` and the test's places are its own.
    private func withInputs(
        _ artifacts: [String], template: String, prepare: String, run script: String
    ) throws -> (result: Subprocess.Result, emissary: EmissaryUnderTest) {
        let emissary = try initless(template)
        try StatusMarker.ready.write(in: emissary.runDirectory)
        let make = artifacts.map { "echo \($0) > /argo/inputs/artifacts/\($0); " }.joined()
        emissary.wrapper =
            Sandbox.privateRoot(without: ["argo", "srv", "media"]) + ["--dir", "/srv", "--dir", "/media"] + [
                "sh", "-c", "mkdir -p /argo/inputs/artifacts; \(make)\(prepare); exec \"$@\"", "sh",
            ]
        return (try emissary.run(shell: script), emissary)
    }

    private func template(_ inputs: [(String, String)], mounts: [String] = []) -> String {
        let inputs = inputs.map { #"{"name": "\#($0.0)", "path": "\#($0.1)"}"# }.joined(separator: ",")
        let mounts = mounts.map { #"{"name": "v", "mountPath": "\#($0)"}"# }.joined(separator: ",")
        return #"{"container": {"volumeMounts": [\#(mounts)]}, "inputs": {"artifacts": [\#(inputs)]}}"#
    }

    @Test func linksInputArtifactsToTheirPlaces() throws {
        let (result, _) = try withInputs(
            ["a", "b", "c", "d"],
            template: template([
                ("a", "/srv/deep/down/a"), ("b", "/srv/file"), ("c", "/srv/tree"), ("d", "/srv/dangling"),
                ("absent", "/srv/absent"),
            ]),
            prepare: "echo old > /srv/file; mkdir -p /srv/tree/x/y; echo keep > /srv/kept; ln -s /srv/nowhere /srv/dangling",
            run: "cat /srv/deep/down/a /srv/file /srv/tree /srv/dangling; readlink /srv/tree; stat -c %a /srv/deep; ls /srv")
        #expect(result.status == .exited(0))
        #expect(
            String(decoding: result.output, as: UTF8.self)
                == "a\nb\nc\nd\n/argo/inputs/artifacts/c\n755\ndangling\ndeep\nfile\nkept\ntree\n")
    }

    @Test func removesALinkAndNotWhatItPointsTo() throws {
        let (result, _) = try withInputs(
            ["a"], template: template([("a", "/srv/link")]),
            prepare: "echo precious > /media/target; ln -s /media/target /srv/link",
            run: "cat /srv/link /media/target")
        #expect(String(decoding: result.output, as: UTF8.self) == "a\nprecious\n")
    }

    @Test func replacesTheWorkingDirectory() throws {
        let (result, _) = try withInputs(
            [], template: template([("a", "/srv/work")]),
            prepare: "mkdir /argo/inputs/artifacts/a /srv/work; echo new > /argo/inputs/artifacts/a/f; cd /srv/work",
            run: "cat f")
        #expect(String(decoding: result.output, as: UTF8.self) == "new\n")
    }

    @Test func failsWhereTheWorkingDirectoryBecameAFile() throws {
        let (result, emissary) = try withInputs(
            ["a"], template: template([("a", "/srv/work")]), prepare: "mkdir /srv/work; cd /srv/work", run: "true")
        #expect(result.status == .exited(65))
        #expect(emissary.recordedCode == "65")
    }

    @Test(arguments: [
        (["/srv"], "/srv/a"), (["/srv/tree/x"], "/srv/tree"), (["/media"], "/srv/link/a"), (["/srv/a/"], "/srv//a"),
    ])
    func refusesToReplaceAVolume(_ mounts: [String], _ place: String) throws {
        let (result, emissary) = try withInputs(
            ["a"], template: template([("a", place)], mounts: mounts),
            prepare: "mkdir -p /srv/tree/x; ln -s /media /srv/link; touch /srv/a /media/a; echo \(place)", run: "true")
        #expect(result.status == .exited(65))
        #expect(emissary.terminationMessage?.contains("overlaps the volume mounted at") == true)
        #expect(emissary.recordedCode == "65")
    }

    @Test func refusesToReplaceAVolumeOfTheMember() throws {
        let set = #"""
            {"containerSet": {"containers": [{"name": "main", "volumeMounts": [{"name": "v", "mountPath": "/srv"}]}]},
             "inputs": {"artifacts": [{"name": "a", "path": "/srv/a"}]}}
            """#
        let (result, emissary) = try withInputs(["a"], template: set, prepare: "echo precious > /srv/a", run: "true")
        #expect(result.status == .exited(65))
        #expect(emissary.terminationMessage?.contains("overlaps the volume mounted at /srv") == true)
    }

    /// What the controller mounts is not in the template, nor is what somebody adds to the pod.
    @Test(arguments: ["/argo", "/argo/inputs", "/argo/inputs/artifacts", "/argo/inputs/artifacts/b", "/dev", "/proc"])
    func refusesToReplaceAnyMount(_ place: String) throws {
        let (result, emissary) = try withInputs(["a", "b"], template: template([("a", place)]), prepare: "true", run: "true")
        #expect(result.status == .exited(65))
        #expect(emissary.terminationMessage?.contains("overlaps the volume mounted at") == true)
    }

    @Test func leavesAnInputWhereItIsAlready() throws {
        let (result, _) = try withInputs(
            ["a"], template: template([("a", "/argo/inputs/artifacts/a")]), prepare: "true",
            run: "cat /argo/inputs/artifacts/a")
        #expect(String(decoding: result.output, as: UTF8.self) == "a\n")
    }

    /// In whatever order the template has them: the outer one would remove the inner one that came before.
    @Test(arguments: [["in", "out"], ["out", "in"]])
    func linksOneInputInsideAnother(_ order: [String]) throws {
        let paths = ["in": "/srv/tree/deep/in", "out": "/srv/tree"]
        let (result, _) = try withInputs(
            ["in"], template: template(order.map { ($0, paths[$0] ?? "") }),
            prepare: "mkdir -p /srv/tree/deep /argo/inputs/artifacts/out; echo o > /argo/inputs/artifacts/out/f",
            run: "cat /srv/tree/f /srv/tree/deep/in")
        #expect(String(decoding: result.output, as: UTF8.self) == "o\nin\n")
    }

    /// The supervisor has made the link inside the other input, which main's user may not write to.
    @Test func takesALinkThatIsThere() throws {
        let (result, _) = try withInputs(
            ["in"], template: template([("in", "/srv/tree/in"), ("out", "/srv/tree")]),
            prepare: """
                mkdir -p /argo/inputs/artifacts/out; ln -s /argo/inputs/artifacts/in /argo/inputs/artifacts/out/in
                chmod 555 /argo/inputs/artifacts/out
                """,
            run: "cat /srv/tree/in; stat -c %a /argo/inputs/artifacts/out")
        #expect(String(decoding: result.output, as: UTF8.self) == "in\n555\n")
    }

    /// They come while the emissary waits: with an init container they were there before it.
    @Test func obeysOurOwnVariablesOfTheSupervisor() throws {
        let emissary = try initless()
        let running = try emissary.start(shell: "exit 3")
        try eventually("alive") { emissary.container.standing() == .alive }
        try SettingsFile.write(["ARGOEXEC_DEBUG_PAUSE_ON_ERROR": "true"], in: emissary.runDirectory)
        try StatusMarker.ready.write(in: emissary.runDirectory)
        try eventually("it has paused") { running.errorText.contains("paused after the command") }
        try SmallFile.write(emissary.container.after, [])
        #expect(try running.exitStatus() == .exited(3))
    }

    @Test func tellsOneLineOfWhatTheSupervisorSaid() throws {
        let emissary = try initless()
        try StatusMarker.failed("no such key").write(in: emissary.runDirectory)
        let running = try emissary.start(shell: "true")
        #expect(try running.exitStatus() == .exited(65))
        #expect(running.errorText == "Error: supervisor reported pre-main failure: no such key\n")
    }

    @Test func linksOnlyForTheMainContainer() throws {
        let emissary = try initless(template([("a", "/nowhere/at/all")]))
        emissary.containerName = "other"
        try StatusMarker.ready.write(in: emissary.runDirectory)
        #expect(try emissary.run(shell: "exit 0").status == .exited(0))
        #expect(!AtomicFile.exists("/nowhere"))
    }
}

extension RunningEmissary {
    /// Whether the emissary has taken over its signals: from then on none is lost.
    var signalsAreBlocked: Bool {
        guard let status = try? SmallFile.read(BytePath("/proc/\(child.id)/status")) else { return false }
        let line = String(decoding: status, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("SigBlk:") }
        guard let mask = line.flatMap({ UInt64($0.split(separator: "\t")[1], radix: 16) }) else { return false }
        return mask & (1 << 14) != 0
    }
}
