import Foundation
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts

@Suite struct UploadSettingsTests {
    private func settings(_ values: [String: String], _ log: Log = .silent) -> UploadSettings {
        UploadSettings(environment: Environment(values), log: log)
    }

    @Test func readsThreadsAndPartSize() {
        #expect(settings([:]) == UploadSettings(partSize: nil))
        #expect(settings([:]).threads == 4)
        #expect(
            settings(["ARTIFACT_S3_UPLOAD_THREADS": "9", "ARTIFACT_S3_UPLOAD_PART_SIZE_MIB": "64"])
                == UploadSettings(threads: 9, partSize: 64 << 20))
        #expect(settings(["ARTIFACT_S3_UPLOAD_PART_SIZE_MIB": "5120"]).partSize == 5 << 30)
    }

    @Test func widensUploadsUnlessTheUserSaysHowManyThreads() {
        #expect(settings([:]).widens)
        #expect(settings(["ARTIFACT_S3_UPLOAD_THREADS": "0"]).widens)
        #expect(!settings(["ARTIFACT_S3_UPLOAD_THREADS": "4"]).widens)
    }

    @Test(arguments: ["0", "-1", "x", "4.5", "99999999999999999999"]) func ignoresBadThreadsWithAWarning(text: String) {
        let recorder = LogRecorder()
        #expect(settings(["ARTIFACT_S3_UPLOAD_THREADS": text], recorder.log).threads == 4)
        #expect(recorder.text.contains("level=WARN"))
    }

    @Test func readsTheNumberOfParts() {
        #expect(settings(["ARGOEXEC_S3_MAX_PARTS": "1000"]) == UploadSettings(maximumParts: 1000))
        for text in ["0", "10001", "-1", "x"] {
            let recorder = LogRecorder()
            #expect(settings(["ARGOEXEC_S3_MAX_PARTS": text], recorder.log) == UploadSettings(maximumParts: 10_000))
            #expect(recorder.text.contains("level=WARN"))
        }
    }

    @Test(arguments: ["4", "5121", "-5", "x", "16MiB"]) func ignoresBadPartSizesWithAWarning(text: String) {
        let recorder = LogRecorder()
        #expect(settings(["ARTIFACT_S3_UPLOAD_PART_SIZE_MIB": text], recorder.log).partSize == nil)
        #expect(recorder.text.contains("level=WARN"))
    }
}

@Suite struct MemoryLimitTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func path(_ name: String) -> BytePath { BytePath(folder.url.appending(path: name).path) }

    private func limit(_ membership: String, _ files: [String: String]) throws -> Int64? {
        try folder.write(Data(membership.utf8), to: "membership")
        for (name, text) in files { try folder.write(Data(text.utf8), to: "cgroup/\(name)") }
        return MemoryLimit.current(root: path("cgroup"), membership: path("membership"))
    }

    @Test func readsVersionTwoInAContainer() throws {
        #expect(try limit("0::/\n", ["memory.max": "67108864\n"]) == 64 << 20)
        #expect(try limit("0::/\n", ["memory.max": "max\n"]) == nil)
    }

    @Test func takesTheSmallestOnTheWayUp() throws {
        let files = [
            "kubepods/memory.max": "max\n", "kubepods/pod1/memory.max": "33554432\n",
            "kubepods/pod1/main/memory.max": "50000000\n",
        ]
        #expect(try limit("0::/kubepods/pod1/main\n", files) == 32 << 20)
    }

    @Test func readsVersionOne() throws {
        let membership = "12:cpu,cpuacct:/docker/x\n5:memory:/docker/x\n1:name=systemd:/docker/x\n"
        // The host's path is not mounted in the container: the root is the container's own group.
        #expect(try limit(membership, ["memory/memory.limit_in_bytes": "104857600\n"]) == 100 << 20)
        #expect(try limit(membership, ["memory/docker/x/memory.limit_in_bytes": "52428800\n"]) == 50 << 20)
        #expect(
            try limit(
                membership,
                [
                    "memory/docker/x/memory.limit_in_bytes": "9223372036854771712\n",
                    "memory/memory.limit_in_bytes": "9223372036854771712\n",
                ]) == nil)
    }

    @Test func isNoneWhereNothingCanBeRead() throws {
        #expect(MemoryLimit.current(root: path("none"), membership: path("none")) == nil)
        #expect(try limit("garbage\n0:\n", [:]) == nil)
        #expect(try limit("0::/\n", ["memory.max": "not a number\n"]) == nil)
    }

    @Test func theBudgetShrinksWithTheLimit() {
        #expect(TransferBudget(memoryLimit: nil).partMemory == 16 << 20)
        #expect(TransferBudget(memoryLimit: 64 << 20).partMemory == 16 << 20)
        #expect(TransferBudget(memoryLimit: 32 << 20).partMemory == 8 << 20)
        #expect(TransferBudget(memoryLimit: 32 << 20).connections < TransferBudget(memoryLimit: nil).connections)
        #expect(TransferBudget(memoryLimit: 0).partMemory == 0)
    }
}

@Suite struct ContentTypesTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func types(_ table: String?) throws -> ContentTypes {
        if let table { try folder.write(Data(table.utf8), to: "mime.types") }
        return ContentTypes(systemTable: BytePath(folder.url.appending(path: "mime.types").path))
    }

    @Test(arguments: [
        ("a.json", "application/json"), ("a.html", "text/html; charset=utf-8"), ("a.tar.png", "image/png"),
        ("A.PNG", "image/png"), (".json", "application/json"),
    ])
    func knowsAFewByItself(name: String, type: String) throws {
        #expect(try types(nil).type(for: BytePath(name)) == type)
    }

    @Test(arguments: ["a.unknown", "noextension", "", "dir.json/file", "a."]) func doesNotGuess(name: String) throws {
        #expect(try types(nil).type(for: BytePath(name)) == nil)
    }

    @Test func theSystemsTableGoesFirst() throws {
        let types = try types(
            """
            # comment
            application/x-mine  json mine # more
            text/x-log\tlog  LOG2
            text/plain; charset=latin1 old
            broken
            """)
        #expect(types.type(for: "a.json") == "application/x-mine")
        #expect(types.type(for: "a.mine") == "application/x-mine")
        #expect(types.type(for: "a.log") == "text/x-log; charset=utf-8")
        #expect(types.type(for: "a.LOG") == "text/x-log; charset=utf-8")
        #expect(types.type(for: "a.log2") == "text/x-log; charset=utf-8")
        #expect(types.type(for: "a.more") == nil)
        #expect(types.type(for: "a.png") == "image/png")
    }

    @Test func namesThatAreNotUTF8HaveNoType() throws {
        #expect(try types(nil).type(for: BytePath(bytes: [0xE4, 0x2E, 0xFF])) == nil)
        #expect(try types(nil).type(for: BytePath(bytes: [0xE4] + Array(".png".utf8))) == "image/png")
    }
}

@Suite struct SecretFilesTests {
    @Test func readsVerbatimAndStaysInside() throws {
        let folder = try TemporaryFolder()
        try folder.write(Data("value\n".utf8), to: "secrets/name/key")
        try folder.write(Data("other".utf8), to: "outside")
        let secrets = SecretFiles(BytePath(folder.url.appending(path: "secrets").path))
        #expect(try secrets.read(name: "name", key: "key").reveal() == Array("value\n".utf8))
        for (name, key) in [
            ("..", "outside"), ("name", "../../outside"), ("", "key"), ("name", ""), ("name/..", "x"), (".", "x"),
        ] {
            #expect(throws: ArtifactError.self) { try secrets.read(name: name, key: key) }
        }
        let missing = #expect(throws: SystemError.self) { try secrets.read(name: "name", key: "none") }
        #expect(missing?.code == ENOENT)
    }
}
