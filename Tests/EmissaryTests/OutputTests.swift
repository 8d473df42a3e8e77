import Foundation
import Glibc
import ProcessControl
import RunDirectory
import SystemSupport
import Testing

@Suite struct OutputTests {
    /// An emissary whose template has these outputs; `@` stands for the test's own folder.
    private func emissary(
        parameters: [(name: String, path: String)] = [], artifacts: [(name: String, path: String, archive: String?)] = [],
        more: String = #""container": {}"#
    ) throws -> EmissaryUnderTest {
        let emissary = try EmissaryUnderTest(template: nil)
        let folder = emissary.folder.url.path
        func place(_ path: String) -> String { path.replacingOccurrences(of: "@", with: folder) }
        let parameters = parameters.map { #"{"name": "\#($0.name)", "valueFrom": {"path": "\#(place($0.path))"}}"# }
        let artifacts = artifacts.map { artifact in
            #"{"name": "\#(artifact.name)", "path": "\#(place(artifact.path))""#
                + (artifact.archive.map { #", "archive": \#($0)"# } ?? "") + "}"
        }
        let outputs =
            #"{"parameters": [\#(parameters.joined(separator: ","))], "artifacts": [\#(artifacts.joined(separator: ","))]}"#
        try emissary.runDirectory.writeTemplate(Array(#"{\#(place(more)), "outputs": \#(outputs)}"#.utf8))
        emissary.variables["HERE"] = folder
        return emissary
    }

    private func handOver(_ emissary: EmissaryUnderTest, _ name: String) -> ArtifactHandOver {
        emissary.runDirectory.artifactHandOver(name: name)
    }

    private func mode(_ path: BytePath) -> mode_t? {
        var information = stat()
        return path.withCString { lstat($0, &information) } == 0 ? information.st_mode & 0o7777 : nil
    }

    private func shell(_ words: String...) throws -> String {
        let environment = ProcessEnvironment([BytePath("PATH=/usr/bin:/bin")])
        let spawner = Spawner(
            program: "/bin/sh", arguments: ["sh", "-c"] + words.map { BytePath($0) }, environment: environment)
        return String(decoding: try Subprocess(spawner).run().output, as: UTF8.self)
    }

    @Test func leavesParametersAsCopiesOfTheirFiles() throws {
        let emissary = try emissary(parameters: [("a", "@/out/a"), ("b", "@//out/./b/"), ("c", "@/missing")])
        let result = try emissary.run(
            shell: "mkdir -m 700 $HERE/out; printf 'a\\n\\n' > $HERE/out/a; chmod 600 $HERE/out/a; ln -s a $HERE/out/b; exit 4")
        #expect(result.status == .exited(4), "outputs are saved whatever the code")
        let saved = emissary.runDirectory.parameterHandOver(emissary.path("out/a"))
        #expect(saved == emissary.runDirectory.outputs.appending(BytePath("parameters" + emissary.path("out/a").text)))
        #expect(try emissary.text(saved) == "a\n\n")
        #expect(mode(saved) == 0o666)
        #expect(mode(saved.directory) == 0o755)
        #expect(try emissary.text(emissary.runDirectory.parameterHandOver(emissary.path("out/b"))) == "a\n\n")
        #expect(!AtomicFile.exists(emissary.runDirectory.parameterHandOver(emissary.path("missing"))))
    }

    /// The executor refuses a larger one, so that the rest of it need not fill the run directory.
    @Test func handsOverNoMoreOfAParameterThanTellsThatItIsTooLarge() throws {
        let emissary = try emissary(parameters: [("large", "@/large"), ("sparse", "@/sparse"), ("fits", "@/fits")])
        let limit = RunDirectory.parameterLimit
        let result = try emissary.run(
            shell: """
                head -c 20000000 /dev/zero > $HERE/large; truncate -s 1T $HERE/sparse; head -c \(limit) /dev/zero > $HERE/fits
                """)
        #expect(result.status == .exited(0))
        for (name, count) in [("large", limit + 1), ("sparse", limit + 1), ("fits", limit)] {
            #expect(try SmallFile.read(emissary.runDirectory.parameterHandOver(emissary.path(name))).count == count)
        }
    }

    @Test func packsArtifactsInTheFormThatIsUploaded() throws {
        let emissary = try emissary(artifacts: [
            ("tree", "@/out/tree", nil), ("file", "@/out/file", #"{"tar": {"compressionLevel": 0}}"#),
            ("zip", "@/out/tree", #"{"zip": {}}"#), ("missing", "@/nowhere", nil),
        ])
        let result = try emissary.run(
            shell: "mkdir -p $HERE/out/tree/sub; seq 1 9000 > $HERE/out/file; cp $HERE/out/file $HERE/out/tree/sub/x")
        #expect(result.status == .exited(0))
        let tree = handOver(emissary, "tree").tarball
        #expect(mode(tree) == 0o666)
        #expect(mode(tree.directory) == 0o777)
        #expect(try shell("tar tzf \(tree) | sed s,/$,,") == "tree\ntree/sub\ntree/sub/x\n")
        let file = handOver(emissary, "file").tarball
        #expect(try shell("tar xzOf \(file) file") == (try emissary.text(emissary.path("out/file"))))
        #expect(try SmallFile.read(file).count > SmallFile.read(emissary.path("out/file")).count, "level 0 stores")
        #expect(
            try shell("unzip -p \(handOver(emissary, "zip").zip) tree/sub/x | cksum")
                == shell("cksum < \(emissary.path("out/file"))"))
        #expect(!AtomicFile.exists(handOver(emissary, "missing").tarball))
    }

    @Test func copiesWhatIsNotToBePacked() throws {
        let emissary = try emissary(artifacts: [
            ("file", "@/out/file", #"{"none": {}}"#), ("tree", "@/out/tree", #"{"none": {}}"#),
            ("inner", "@/out/tree/sub", "{}"),
            ("link", "@/out/link", #"{"none": {}}"#),
        ])
        let script = """
            umask 077; mkdir -p $HERE/out/tree/sub $HERE/out/tree/empty; echo f > $HERE/out/file; echo x > $HERE/out/tree/sub/x
            ln -s /nowhere/abs $HERE/out/tree/dangling; ln -s sub/x $HERE/out/tree/link; mkfifo $HERE/out/tree/fifo
            ln -s tree $HERE/out/link
            """
        let result = try emissary.run(shell: script)
        #expect(result.status == .exited(0))
        #expect(try emissary.text(handOver(emissary, "file").plain) == "f\n")
        #expect(mode(handOver(emissary, "file").plain) == 0o666)
        for name in ["tree", "link"] {
            let tree = handOver(emissary, name).plain
            #expect(try shell("cd \(tree) && find . | sort") == ".\n./dangling\n./empty\n./link\n./sub\n./sub/x\n")
            #expect(mode(tree) == 0o777)
            #expect(mode(tree.appending("sub")) == 0o777)
            #expect(mode(tree.appending("sub/x")) == 0o666)
            #expect(try shell("readlink \(tree)/dangling \(tree)/link") == "/nowhere/abs\nsub/x\n")
        }
        #expect(String(decoding: result.error, as: UTF8.self).contains("left out what is neither file, directory nor link"))
        #expect(try emissary.text(handOver(emissary, "inner").plain.appending("x")) == "x\n")
    }

    @Test func savesTheRestAfterAFailureAndKeepsTheCode() throws {
        let emissary = try emissary(
            parameters: [("folder", "@/out"), ("good", "@/out/p")],
            artifacts: [
                ("level", "@/out/p", #"{"tar": {"compressionLevel": 12}}"#), ("odd", "@/out/p/x", nil),
                ("good", "@/out/p", nil),
            ])
        let result = try emissary.run(shell: "mkdir $HERE/out; echo 1 > $HERE/out/p; exit 3")
        #expect(result.status == .exited(64))
        #expect(emissary.recordedCode == "3", "the others act on the command's own code")
        #expect(emissary.terminationMessage?.hasPrefix("save parameter 'folder' from ") == true)
        #expect(try emissary.text(emissary.runDirectory.parameterHandOver(emissary.path("out/p"))) == "1\n")
        #expect(AtomicFile.exists(handOver(emissary, "good").tarball))
        #expect(!AtomicFile.exists(handOver(emissary, "level").tarball))
        #expect(try shell("ls -A \(handOver(emissary, "level").directory)") == "", "nothing half is left")
    }

    /// Outputs that find no room are an error of the step; what there is of them is not handed over.
    @Test func handsNothingHalfOverWhenTheDiskIsFull() throws {
        let emissary = try emissary(
            parameters: [(name: "p", path: "@/big"), (name: "fits", path: "@/small")],
            artifacts: [
                (name: "packed", path: "@/big", archive: nil), (name: "plain", path: "@/big", archive: #"{"none": {}}"#),
            ])
        let run = emissary.runDirectory.root.text
        let template = emissary.path("template.json")
        try SmallFile.write(template, try SmallFile.read(emissary.runDirectory.template))
        emissary.wrapper = [
            "bwrap", "--dev-bind", "/", "/", "--size", "262144", "--tmpfs", run, "sh", "-c",
            """
            cp \(template) \(run)/template; "$@"; code=$?
            cat \(run)/ctr/main/exitcode > \(emissary.path("told")); find \(run)/outputs -type f > \(emissary.path("left")); exit $code
            """, "sh",
        ]
        let result = try emissary.run(shell: "head -c 1000000 /dev/urandom > $HERE/big; echo 1 > $HERE/small")
        #expect(result.status == .exited(64))
        #expect(try emissary.text(emissary.path("told")) == "0")
        let left = try emissary.text(emissary.path("left")).split(separator: "\n")
        #expect(left == [Substring(emissary.runDirectory.parameterHandOver(emissary.path("small")).text)])
        #expect(emissary.terminationMessage?.hasPrefix("save parameter 'p' from ") == true)
        #expect(emissary.terminationMessage?.contains("no space left on device") == true)
    }

    @Test func refusesWhatIsNoFile() throws {
        let emissary = try emissary(parameters: [("pipe", "@/pipe")])
        let result = try emissary.run(shell: "mkfifo $HERE/pipe")
        #expect(result.status == .exited(64))
        #expect(emissary.recordedCode == "0")
    }

    @Test func leavesVolumesToTheExecutor() throws {
        let emissary = try emissary(
            parameters: [("p", "@/volume/p")],
            artifacts: [("a", "@/volume", nil), ("b", "@/input/b", nil), ("c", "@/image", nil)],
            more: """
                "container": {"volumeMounts": [{"name": "v", "mountPath": "@/volume/"}]},
                "inputs": {"artifacts": [{"name": "i", "path": "@/input", "raw": {"data": "x"}}]}
                """)
        let result = try emissary.run(shell: "mkdir $HERE/volume $HERE/input; touch $HERE/volume/p $HERE/input/b $HERE/image")
        #expect(result.status == .exited(0))
        #expect(!AtomicFile.exists(emissary.runDirectory.outputs.appending("parameters")))
        #expect(try shell("cd \(emissary.runDirectory.outputs)/artifacts; echo *") == "c\n")
    }

    @Test func savesOnlyForTheMainContainer() throws {
        let emissary = try emissary(parameters: [("p", "@/p")])
        emissary.containerName = "other"
        #expect(try emissary.run(shell: "echo 1 > $HERE/p").status == .exited(0))
        #expect(!AtomicFile.exists(emissary.runDirectory.outputs))
    }

    /// Who sees the exit code finds the outputs complete.
    @Test func writesTheExitCodeLast() throws {
        let emissary = try emissary(
            parameters: [("p", "@/p")], artifacts: [("big", "@/big", nil), ("copy", "@/big", #"{"none": {}}"#)])
        let running = try emissary.start(shell: "echo 1 > $HERE/p; head -c 60000000 /dev/urandom > $HERE/big; echo made")
        let watcher = FileWatcher()
        watcher.watch(emissary.container.path)
        try running.waitForOutput("made")
        let end = monotonicNanoseconds() + 60_000_000_000
        while !emissary.container.hasExitCode, monotonicNanoseconds() < end { try watcher.wait(until: end) }
        #expect(emissary.recordedCode == "0")
        #expect(try emissary.text(emissary.runDirectory.parameterHandOver(emissary.path("p"))) == "1\n")
        #expect(try shell("gzip -t \(handOver(emissary, "big").tarball) && echo whole") == "whole\n")
        #expect(try shell("cmp \(handOver(emissary, "copy").plain) \(emissary.path("big")) && echo same") == "same\n")
        #expect(try running.exitStatus() == .exited(0))
    }

    @Test func savesWhatATerminatedCommandLeft() throws {
        let emissary = try emissary(parameters: [("kept", "@/kept")])
        let running = try emissary.start(shell: "echo kept > $HERE/kept; echo ready; exec sleep 60")
        try running.waitForOutput("ready")
        running.signal(SIGTERM)
        #expect(try running.exitStatus() == .exited(143))
        #expect(try emissary.text(emissary.runDirectory.parameterHandOver(emissary.path("kept"))) == "kept\n")
    }
}
