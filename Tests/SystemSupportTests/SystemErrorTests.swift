import Glibc
import SystemSupport
import Testing

@Suite struct SystemErrorTests {
    @Test func saysOperationSubjectCause() {
        let error = #expect(throws: SystemError.self) { _ = try SmallFile.read("/no/such/file") }
        #expect(error?.message == "open /no/such/file: no such file or directory")
    }

    @Test func readsAndWritesSmallFiles() throws {
        let path = BytePath("/tmp/argoexec-small-\(getpid())")
        defer { unlink(path.text) }
        try SmallFile.write(path, Array("abc".utf8), mode: 0o600)
        try SmallFile.write(path, Array("z".utf8))
        #expect(try SmallFile.read(path) == [0x7A])
        #expect(throws: SystemError("read", path.text, EFBIG)) { try SmallFile.read(path, limit: 0) }
    }

    @Test func aFullDiskIsSaid() {
        let error = #expect(throws: SystemError.self) { try SmallFile.write("/dev/full", [1]) }
        #expect(error?.message == "write /dev/full: no space left on device")
    }

    @Test func keepsClassificationUnderContext() {
        let error = ExecutorError.wrapping("load artifact 'x'", ExecutorError.notFound("gone"))
        #expect(error.isNotFound && error.message == "load artifact 'x': gone")
        #expect(ExecutorError.wrapping("y", SystemError("read", "s", ECONNRESET)).isTransient)
    }

    @Test func environmentGivesValuesOnly() {
        let environment = Environment(["ARGO_INCLUDE_SCRIPT_OUTPUT": "True", "ARGOEXEC_LOCAL_STORE": "/s", "OTHER": "1"])
        #expect(!environment.isTrue(.includeScriptOutput))
        #expect(environment.own == ["ARGOEXEC_LOCAL_STORE": "/s"])
        #expect(environment.filledUp(with: ["ARGOEXEC_LOCAL_STORE": "/t", "ARGO_NODE_ID": "n"])[.localStore] == "/s")
    }
}
