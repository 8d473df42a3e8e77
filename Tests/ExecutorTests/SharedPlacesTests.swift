import Archiving
import ArtifactRegistry
import Artifacts
import Documents
import FileTrees
import Foundation
import Glibc
import HTTPTransport
import RunDirectory
import Synchronization
import SystemSupport
import TestSupport
import Testing
import WorkflowModel

@testable import Executor

/// The places of a pod in a folder of the test's own: `in` for inputs, `mirror/vol` and `mirror/other` for volumes, `run` for the run
/// directory, `store` for objects, `outside` for what must never be reached.
private struct Places: Sendable {
    let folder: TemporaryFolder
    var paths = ExecutorPaths()

    init() throws {
        folder = try TemporaryFolder()
        let base = BytePath(folder.url.path)
        paths.inputArtifacts = base.appending("in")
        paths.mirror = base.appending("mirror")
        paths.runDirectory = base.appending("run")
        paths.script = base.appending("staging/script")
        for name in ["in", "mirror/vol", "mirror/other", "mirror/none", "run", "store", "outside", "staging"] {
            try FileManager.default.createDirectory(atPath: path(name).text, withIntermediateDirectories: true)
        }
        try write("outside/secret", "secret")
    }

    func path(_ name: String) -> BytePath { BytePath(folder.url.appending(path: name).path) }
    func write(_ name: String, _ text: String) throws { try folder.write(Data(text.utf8), to: name) }
    func read(_ name: String) throws -> String { String(decoding: try SmallFile.read(path(name)), as: UTF8.self) }
    func link(_ name: String, to target: String) throws { try #require(symlink(target, path(name).text) == 0) }
    func names(_ name: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path(name).text).sorted()
    }
    func kind(_ name: String) throws -> FileKind { try FileStatus.of(path(name), followingLinks: false).kind }

    var drivers: DriverContext {
        DriverContext(
            registry: ArtifactDrivers(), clients: HTTPClients(HTTPClientConfiguration()), log: .silent,
            executorBackoff: Backoff(duration: 0, factor: 1, jitter: 0, steps: 1), secretsDirectory: "/nonexistent",
            requestBackoff: nil, localStore: LocalStore(folder: path("store")))
    }

    /// Puts an archive of a tree with these files (and links, where a content begins with `->`) into the store.
    func store(_ key: String, _ files: [String: String]) throws {
        let tree = "packed-\(UUID().uuidString)/t"
        for (name, content) in files {
            if content.hasPrefix("->") {
                try FileManager.default.createDirectory(
                    atPath: path("\(tree)/\(name)").directory.text, withIntermediateDirectories: true)
                try link("\(tree)/\(name)", to: String(content.dropFirst(2)))
            } else {
                try write("\(tree)/\(name)", content)
            }
        }
        var packed: [UInt8] = []
        try TarGzip.pack(path(tree), into: BytesSink { packed += $0 })
        try folder.write(Data(packed), to: "store/b/\(key)")
    }

    static func template(_ inputs: String, outputs: String = "[]") throws -> Template {
        try Template.load(
            from: Array(
                """
                {"container":{"image":"x","volumeMounts":[{"name":"v","mountPath":"/vol"},{"name":"o","mountPath":"/other"},
                   {"name":"r","mountPath":"/vol/models","readOnly":true},{"name":"s","mountPath":"/models","readOnly":true}]},
                 "inputs":{"artifacts":\(inputs)},"outputs":{"artifacts":\(outputs)},
                 "archiveLocation":{"s3":{"endpoint":"e","bucket":"b","key":"out"}}}
                """.utf8))
    }

    func stage(_ inputs: String) throws {
        var settings = try ExecutorSettings(Environment(["ARGO_POD_NAME": "pod", "ARGO_DEADLINE": "0001-01-01T00:00:00Z"]))
        settings.paths = paths
        try InputStager(
            step: StepContext(template: try Self.template(inputs), settings: settings, drivers: drivers, log: .silent),
            unpacking: UnpackOptions()
        ).stage()
    }

    func failure(_ inputs: String) -> String? {
        do { try stage(inputs) } catch { return errorText(error) }
        return nil
    }

    /// That nothing outside was changed.
    func checkOutside() throws {
        #expect(try read("outside/secret") == "secret")
        #expect(try names("outside") == ["secret"])
    }
}

private final class BytesSink: ByteSink {
    private let take: ([UInt8]) -> Void
    init(_ take: @escaping ([UInt8]) -> Void) { self.take = take }
    func write(_ bytes: Span<UInt8>) throws {
        var copy: [UInt8] = []
        for index in bytes.indices { copy.append(bytes[index]) }
        take(copy)
    }
}

private func raw(_ path: String, _ data: String = "new", more: String = "") -> String {
    #"[{"name":"a","path":"\#(path)","raw":{"data":"\#(data)"}\#(more)}]"#
}

@Suite struct InputsOnVolumesTests {
    private let places: Places
    init() throws { places = try Places() }

    @Test(arguments: ["secret", "new", "deep/new"]) func followNoLinkOut(_ name: String) throws {
        try places.link("mirror/vol/absolute", to: places.path("outside").text)
        try places.link("mirror/vol/relative", to: "../../outside")
        for way in ["absolute", "relative"] {
            #expect(places.failure(raw("/vol/\(way)/\(name)"))?.hasPrefix("load artifact 'a': ") == true)
        }
        try places.checkOutside()
    }

    @Test func followLinksAsTheUsersContainerWould() throws {
        try places.write("mirror/vol/real/kept", "kept")
        try places.write("mirror/other/d/kept", "kept")
        try places.link("mirror/vol/absolute", to: "/vol/real")
        try places.link("mirror/vol/relative", to: "real")
        try places.link("mirror/vol/across", to: "/other/d")
        try places.stage(raw("/vol/absolute/a", "1"))
        try places.stage(raw("/vol/relative/new/b", "2"))
        try places.stage(raw("/vol/across/c", "3"))
        #expect(try places.read("mirror/vol/real/a") == "1")
        #expect(try places.read("mirror/vol/real/new/b") == "2")
        #expect(try places.read("mirror/other/d/c") == "3")
        #expect(try places.names("mirror/vol/real") == ["a", "kept", "new"], "nothing is left aside")
    }

    @Test func refuseADirectoryOnNoVolume() throws {
        try places.link("mirror/vol/l", to: "/none")
        let text = places.failure(raw("/vol/l/x"))
        #expect(text?.contains("a symbolic link leads out of the volumes") == true)
        #expect(try places.names("mirror/none") == [])
        #expect(places.failure(raw("/vol/l/new/deep/x")) != nil)
        #expect(try places.names("mirror/none") == [], "nothing is made before it is certain")
    }

    @Test(arguments: ["/models", "/vol/models"]) func leadToNoVolumeThatTheUserMayOnlyRead(_ volume: String) throws {
        try places.write("mirror\(volume)/d/weights", "theirs")
        try places.link("mirror/vol/l", to: "\(volume)/d")
        for name in ["weights", "x", "new/deep/x"] {
            let text = places.failure(raw("/vol/l/\(name)"))
            #expect(text?.contains("a symbolic link leads to \(volume), a read-only volume") == true, "\(text ?? "")")
        }
        #expect(try places.names("mirror\(volume)/d") == ["weights"])
        #expect(try places.read("mirror\(volume)/d/weights") == "theirs")
        // Where the template itself says so, the mount decides.
        try places.stage(raw("\(volume)/d/x"))
        #expect(try places.names("mirror\(volume)/d") == ["weights", "x"])
    }

    /// A link that came with one input must not lead the next.
    @Test func followNoLinkOfAnotherInput() throws {
        try places.write("mirror/vol/precious/x", "precious")
        try places.write("mirror/vol/real/kept", "kept")
        try places.link("mirror/vol/honest", to: "/vol/real")
        try places.store("links.tgz", ["l": "->/vol/precious", "near": "->d", "d/f": "f"])
        func both(_ first: String, _ second: String) -> String {
            #"[{"name":"a","path":"\#(first)","s3":{"key":"links.tgz"}},{"name":"b","path":"\#(second)","raw":{"data":"b"}}]"#
        }
        for (index, name) in ["l/x", "l/new/x", "near/x"].enumerated() {
            let text = places.failure(both("/vol/in\(index)", "/vol/in\(index)/\(name)"))
            #expect(text?.hasPrefix("load artifact 'b': ") == true, "\(name): \(text ?? "")")
        }
        #expect(try places.names("mirror/vol/precious") == ["x"])
        #expect(try places.read("mirror/vol/precious/x") == "precious")
        #expect(try places.names("mirror/vol/in2/d") == ["f"])
        // Beside links the next input has its place there, and the volume's own links lead on.
        try places.stage(both("/vol/honest/in", "/vol/honest/in/d/new/x"))
        #expect(try places.read("mirror/vol/real/in/d/new/x") == "b")
        #expect(try places.read("mirror/vol/real/in/d/f") == "f")
        // What has the very name of the next one is replaced, not followed.
        try places.stage(both("/vol/same", "/vol/same/l"))
        #expect(try places.kind("mirror/vol/same/l") == .file)
    }

    @Test func replaceALinkThatHasTheName() throws {
        try places.link("mirror/vol/a", to: places.path("outside/secret").text)
        try places.stage(raw("/vol/a", more: #","mode":438"#))
        #expect(try places.kind("mirror/vol/a") == .file)
        #expect(try places.read("mirror/vol/a") == "new")
        #expect(try FileStatus.of(places.path("mirror/vol/a"), followingLinks: false).permissions == 0o666)
        try places.checkOutside()
    }

    @Test func leaveWhatIsTheUsers() throws {
        for name in ["model.tmp", "model.tmpdir", ".model.tmp"] { try places.write("mirror/vol/\(name)/mine", "mine") }
        try places.write("mirror/vol/model", "old")
        try places.stage(raw("/vol/model"))
        #expect(try places.read("mirror/vol/model") == "new")
        #expect(try places.names("mirror/vol") == [".model.tmp", "model", "model.tmp", "model.tmpdir"])
        // As rename(2) has it: a directory with something in it is not replaced.
        try places.write("mirror/vol/full/mine", "mine")
        try places.store("tree.tgz", ["x": "1", "y": "2"])
        for artifact in [raw("/vol/full"), #"[{"name":"a","path":"/vol/full","s3":{"key":"tree.tgz"}}]"#] {
            #expect(places.failure(artifact) != nil)
            #expect(try places.names("mirror/vol/full") == ["mine"])
        }
        #expect(try places.names("mirror/vol") == [".model.tmp", "full", "model", "model.tmp", "model.tmpdir"])
        // And what a failure leaves goes.
        #expect(places.failure(#"[{"name":"a","path":"/vol/z","archive":{"zip":{}},"s3":{"key":"tree.tgz"}}]"#) != nil)
        #expect(try places.names("mirror/vol").contains { $0.hasPrefix(".argoexec") } == false)
    }

    @Test func sweepWhatAKilledRunHasLeft() throws {
        let left = "mirror/vol/.argoexec-000000000abcd.tmp"
        try places.write("\(left)/tree/f", "half")
        try places.write("\(left)/lock", "")
        #expect(chmod(places.path("\(left)/lock").text, 0o600) == 0)
        #expect(chmod(places.path(left).text, 0o700) == 0)
        try places.stage(raw("/vol/a"))
        #expect(try places.names("mirror/vol") == ["a"])
    }

    /// An earlier step's program, still running elsewhere, swaps a directory and a link as fast as it can.
    @Test func areNotLedOutByASwap() throws {
        try places.write("mirror/vol/d/kept", "kept")
        try places.link("mirror/vol/l", to: places.path("outside").text)
        let isOver = Atomic(false)
        let (directory, link, aside) = (places.path("mirror/vol/d"), places.path("mirror/vol/l"), places.path("mirror/vol/t"))
        let swapper = try WorkerThread {
            while !isOver.load(ordering: .relaxed) {
                _ = rename(directory.text, aside.text)
                _ = rename(link.text, directory.text)
                _ = rename(directory.text, link.text)
                _ = rename(aside.text, directory.text)
            }
        }
        var done = 0
        for _ in 0..<300 where places.failure(raw("/vol/d/secret")) == nil { done += 1 }
        isOver.store(true, ordering: .relaxed)
        swapper.join()
        #expect(done > 0, "it was no link all the time")
        try places.checkOutside()
    }
}

@Suite struct InputsAgainTests {
    private let places: Places
    init() throws { places = try Places() }

    private static let all = #"""
        [{"name":"tree","path":"/t","s3":{"key":"tree.tgz"}},{"name":"one","path":"/o","s3":{"key":"one.tgz"}},
         {"name":"dir","path":"/d","s3":{"key":"dir"}},{"name":"file","path":"/f","s3":{"key":"file"}},
         {"name":"raw","path":"/r","raw":{"data":"r"},"mode":256}]
        """#

    /// A pod whose sandbox was made anew runs `init` a second time on the volumes that have stayed.
    @Test func giveTheSameASecondTime() throws {
        try places.store("tree.tgz", ["x": "1", "d/y": "2"])
        try places.store("one.tgz", ["only": "1"])
        try places.write("store/b/dir/a", "a")
        try places.write("store/b/dir/b/c", "c")
        try places.write("store/b/file", "f")
        for _ in 0..<3 {
            try places.stage(Self.all)
            #expect(try places.names("in") == ["dir", "file", "one", "raw", "tree"])
            #expect(try places.names("in/tree") == ["d", "x"])
            #expect(try places.read("in/one/only") == "1")
            #expect(try places.read("in/dir/b/c") == "c")
            #expect(try places.read("in/file") == "f")
            // What main has left there meanwhile goes too.
            try places.write("in/tree/added", "by main")
            try places.write("in/dir/a", "changed by main")
        }
    }

    @Test func replaceWhateverThePredecessorLeft() throws {
        try places.write("store/b/file", "f")
        let artifact = #"[{"name":"a","path":"/f","s3":{"key":"file"}}]"#
        for round in 0..<3 {
            try? FileManager.default.removeItem(atPath: places.path("in/a").text)
            switch round {
            case 0: try places.link("in/a", to: places.path("outside").text)
            case 1: try #require(mkfifo(places.path("in/a").text, 0o666) == 0)
            default: try places.link("in/a", to: places.path("outside/secret").text)
            }
            try places.stage(artifact)
            #expect(try places.kind("in/a") == .file)
            #expect(try places.read("in/a") == "f")
        }
        // An optional one that is gone leaves nothing of the last time.
        try FileManager.default.removeItem(atPath: places.path("store/b/file").text)
        try places.stage(#"[{"name":"a","path":"/f","optional":true,"s3":{"key":"file"}}]"#)
        #expect(try places.names("in") == [])
        try places.checkOutside()
    }

    @Test func keepToTheVolumeOfTheInputs() throws {
        try places.link("in/l", to: places.path("outside").text)
        for name in ["..", "../outside/secret", "l/secret", "l/new"] {
            #expect(places.failure(#"[{"name":"\#(name)","path":"/f","raw":{"data":"x"}}]"#) != nil, "\(name)")
        }
        try places.checkOutside()
    }

    @Test func theScriptTakesThePlaceOfALink() throws {
        try places.link("staging/script", to: places.path("outside/secret").text)
        let template = try Template.load(from: Array(#"{"script":{"image":"x","command":["sh"],"source":"echo"}}"#.utf8))
        for _ in 0..<2 { try ScriptStager(paths: places.paths, log: .silent).stage(template) }
        #expect(try places.read("staging/script") == "echo")
        #expect(try FileStatus.of(places.path("staging/script"), followingLinks: false).permissions == 0o755)
        #expect(try places.names("staging") == ["script"])
        try places.checkOutside()
    }

    @Test func theProgramTakesThePlaceOfALink() throws {
        try places.link("run/argoexec", to: places.path("outside/secret").text)
        let installer = BinaryInstaller(directory: RunDirectory(root: places.paths.runDirectory), searchPath: nil)
        for _ in 0..<2 { try installer.install() }
        #expect(try places.kind("run/argoexec") == .file)
        #expect(try FileStatus.of(places.path("run/argoexec"), followingLinks: false).permissions == 0o555)
        #expect(try places.names("run") == ["argoexec"])
        try places.checkOutside()
    }
}

@Suite struct SavedArtifactsTests {
    private let places: Places
    init() throws { places = try Places() }

    private func saver(_ change: (inout ExecutorSettings) -> Void = { _ in }) throws -> ArtifactSaver {
        var settings = try ExecutorSettings(Environment(["ARGO_POD_NAME": "pod", "ARGO_DEADLINE": "0001-01-01T00:00:00Z"]))
        settings.paths = places.paths
        change(&settings)
        return ArtifactSaver(
            StepContext(template: try Places.template("[]"), settings: settings, drivers: places.drivers, log: .silent))
    }

    private let artifact = Artifact(name: "o").withPath("/tmp/o")

    private func handOver() throws { try places.write("run/outputs/artifacts/o/data.tgz", "packed") }

    @Test func removeWhatWasHandedOver() throws {
        try handOver()
        try places.write("run/outputs/artifacts/other/data.tgz", "other")
        #expect(try saver().save(artifact)?.name == "o")
        #expect(try places.names("run/outputs/artifacts") == ["other"])
        #expect(try places.read("store/b/out/o.tgz") == "packed")
    }

    @Test func removeNothingOfTheUsersOwnFolder() throws {
        try places.write("step/root/tmp/o", "output")
        try places.write("step/outputs/artifacts/o/mine", "mine")
        let saver = try saver {
            $0.paths.mirror = places.path("step/root")
            $0.paths.mirrorsEverything = true
            $0.paths.runDirectory = places.path("step")
        }
        #expect(try saver.save(artifact)?.name == "o")
        #expect(try places.names("step/outputs/artifacts/o") == ["mine"])
        #expect(try places.names("step/root/tmp") == ["o"])
    }

    /// Whoever can write to the run directory swaps what was handed over for a link while it is stored.
    @Test func removeNothingThroughALink() throws {
        try places.write("outside/o/data.tgz", "precious")
        try handOver()
        try places.link("run/outputs/l", to: places.path("outside").text)
        let isOver = Atomic(false)
        let (directory, link, aside) = (
            places.path("run/outputs/artifacts"), places.path("run/outputs/l"), places.path("run/outputs/t")
        )
        let swapper = try WorkerThread {
            while !isOver.load(ordering: .relaxed) {
                _ = rename(directory.text, aside.text)
                _ = rename(link.text, directory.text)
                _ = rename(directory.text, link.text)
                _ = rename(aside.text, directory.text)
            }
        }
        let saver = try saver()
        var done = 0
        for _ in 0..<500 {
            for place in ["artifacts", "t"] { try? put(BytePath("\(place)/o")) }
            if (try? saver.save(artifact)) != nil { done += 1 }
            #expect((try? places.read("store/b/out/o.tgz")) != "precious")
        }
        isOver.store(true, ordering: .relaxed)
        swapper.join()
        #expect(done > 0)
        #expect(try places.read("outside/o/data.tgz") == "precious")
        #expect(try places.names("outside") == ["o", "secret"])
    }

    private func put(_ path: BytePath) throws {
        let outputs = try SharedPlace(places.path("run/outputs"))
        try outputs.makeDirectories(path, mode: 0o777)
        try outputs.write(path.appending("data.tgz"), Array("packed".utf8), mode: 0o666)
    }

    @Test func findNothingThroughALink() throws {
        try places.write("outside/o/data.tgz", "precious")
        try FileManager.default.createDirectory(atPath: places.path("run/outputs").text, withIntermediateDirectories: true)
        try places.link("run/outputs/artifacts", to: places.path("outside").text)
        #expect(throws: (any Error).self) { try saver().save(artifact) }
        #expect(try places.read("outside/o/data.tgz") == "precious")
        #expect(try places.names("store") == [])
    }
}
