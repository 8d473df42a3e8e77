import Glibc
import RunDirectory
import SystemSupport
import Testing
import WorkflowModel

@testable import Executor

@Suite struct ProgressTests {
    @Test(arguments: [
        ("1/2", true), ("0/1", true), ("5/5", true), ("x/3", true), ("3/2", false), ("0/0", false), ("-1/2", false),
        ("5", false),
        ("", false), ("1/x", false), ("1/2/3", false),
    ])
    func knowsValidLines(line: String, valid: Bool) { #expect((Progress(line) != nil) == valid) }

    /// In the run directory, in a folder there, and elsewhere.
    @Test(arguments: ["progress", "deep/down/progress", "../elsewhere/progress"])
    func givesTheLastNewLine(_ name: String) throws {
        try withTemporaryDirectory { directory in
            let path = directory.appending("run").appending(BytePath(name)).cleaned
            try AtomicFile.createDirectory(directory.appending("run"))
            let run = RunDirectory(root: directory.appending("run"))
            var file = try #require(ProgressFile(path, in: run, watcher: FileWatcher(), log: .silent))
            #expect(file.read() == nil)
            try SmallFile.write(path, Array("1/10\n 2/10 \n\n".utf8))
            #expect(file.read() == "2/10")
            #expect(file.read() == nil)
            try SmallFile.write(path, Array("nonsense\n".utf8))
            #expect(file.read() == nil)
            try SmallFile.write(path, Array((String(repeating: "1/9\n", count: 10_000) + "9/9").utf8))
            #expect(file.read() == "9/9")
        }
    }

    /// The user's program leads us to something else, or keeps us waiting.
    @Test(arguments: ["pipe", "link", "way"]) func readsNothingElse(_ kind: String) throws {
        try withTemporaryDirectory { directory in
            try AtomicFile.createDirectory(directory.appending("run/d"))
            try AtomicFile.createDirectory(directory.appending("outside"))
            try SmallFile.write(directory.appending("outside/progress"), Array("1/2".utf8))
            let run = RunDirectory(root: directory.appending("run"))
            let path = run.root.appending("d/progress")
            var file = try #require(ProgressFile(path, in: run, watcher: FileWatcher(), log: .silent))
            switch kind {
            case "pipe": try #require(mkfifo(path.text, 0o666) == 0)
            case "link": try #require(symlink(directory.appending("outside/progress").text, path.text) == 0)
            default:
                try #require(rename(path.directory.text, path.directory.text + ".old") == 0)
                try #require(symlink(directory.appending("outside").text, path.directory.text) == 0)
            }
            #expect(file.read() == nil)
        }
    }

    @Test func readsOnlyTheEndOfAFile() throws {
        try withTemporaryDirectory { directory in
            let path = directory.appending("f")
            try SmallFile.write(path, Array("abcdef".utf8))
            #expect(try FileTail.read(path, count: 4) == Array("cdef".utf8))
            #expect(try FileTail.read(path, count: 100) == Array("abcdef".utf8))
            #expect(throws: SystemError.self) { try FileTail.read(directory.appending("none"), count: 4) }
        }
    }
}
