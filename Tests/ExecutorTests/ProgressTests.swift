import ExecutorCore
import RunDirectory
import Testing

@testable import Executor

@Suite struct ProgressTests {
    @Test(arguments: [
        ("1/2", true), ("0/1", true), ("5/5", true), ("x/3", true), ("3/2", false), ("0/0", false), ("-1/2", false),
        ("5", false),
        ("", false), ("1/x", false), ("1/2/3", false),
    ])
    func knowsValidLines(line: String, valid: Bool) { #expect(ProgressFile.isValid(line) == valid) }

    @Test func givesTheLastNewLine() throws {
        try withTemporaryDirectory { directory in
            let path = directory.appending("progress")
            var file = try #require(ProgressFile(path, watcher: FileWatcher(), log: .silent))
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
