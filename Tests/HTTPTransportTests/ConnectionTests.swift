import Foundation
import HTTPTransport
import Synchronization
import SystemSupport
import TestSupport
import Testing

@Suite struct ConnectionTests {
    @Test func keepsTheConnectionBetweenRequests() throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(200, "x") })
        defer { server.stop() }
        let client = client()
        for _ in 0..<20 { _ = try client.perform(HTTPRequest("GET", server.url)) }
        #expect(Set(server.requests.map(\.connection)) == [0])
    }

    @Test func keepsTheConnectionAfterErrorsWithABody() throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(500, "oh") })
        defer { server.stop() }
        let client = client()
        for _ in 0..<3 { _ = try client.perform(HTTPRequest("PUT", server.url), body: .bytes([1, 2])) }
        #expect(Set(server.requests.map(\.connection)) == [0])
    }

    /// The server closes an idle connection just as the next request goes out: nobody should notice.
    @Test(arguments: ["GET", "POST", "PUT"]) func repeatsOnADeadIdleConnection(method: String) throws {
        let server = try ScriptedServer { conversation in
            guard conversation.readRequest() != nil else { return }
            conversation.answer(200, "first")
            guard conversation.index > 0 || conversation.readHead() != nil else { return }
            if conversation.index > 0 { conversation.waitForClose() }
        }
        defer { server.stop() }
        let client = client()
        try withTemporaryFile(Array("content".utf8)) { file in
            let body =
                method == "GET"
                ? HTTPBody.none
                : method == "POST"
                    ? .bytes(Array("content".utf8))
                    : .file(descriptor: file, offset: 0, length: 7, subject: "f")
            for _ in 0..<2 {
                let response = try client.perform(HTTPRequest(method, server.url), body: body)
                #expect(response.status == 200)
            }
        }
        #expect(server.requests.map(\.connection) == [0, 1])
        if method != "GET" { #expect(server.requests[1].body == Array("content".utf8)) }
    }

    /// The same with a body that is still being sent when the connection breaks: it is read from its start again.
    @Test func repeatsAnUploadOnADeadIdleConnection() throws {
        let server = try ScriptedServer { conversation in
            guard conversation.readRequest() != nil else { return }
            conversation.answer(200)
            guard conversation.index == 0 else { return conversation.waitForClose() }
            _ = conversation.readHead()
            conversation.reset()
        }
        defer { server.stop() }
        let client = client()
        let content = [UInt8](repeating: 5, count: 16 << 20)
        try withTemporaryFile(content) { file in
            _ = try client.perform(HTTPRequest("GET", server.url))
            let body = HTTPBody.file(descriptor: file, offset: 0, length: 16 << 20, subject: "f")
            _ = try client.perform(HTTPRequest("PUT", server.url), body: body)
        }
        #expect(server.requests.map(\.connection) == [0, 1])
        #expect(server.requests[1].body == content)
    }

    @Test func doesNotRepeatWhatCannotBeSentTwice() throws {
        let server = try ScriptedServer { conversation in
            guard conversation.readRequest() != nil else { return }
            conversation.answer(200)
            _ = conversation.readRequest()
        }
        defer { server.stop() }
        let client = client()
        _ = try client.perform(HTTPRequest("GET", server.url))
        let error = try failure {
            _ = try client.perform(HTTPRequest("PUT", server.url), body: .source(MemorySource([1, 2, 3]), length: 3))
        }
        #expect(error.code == .broken)
        #expect(error.isTransient)
    }

    @Test func doesNotRepeatOnAFreshConnection() throws {
        let server = try ScriptedServer { conversation in _ = conversation.readRequest() }
        defer { server.stop() }
        _ = try failure { _ = try client().perform(HTTPRequest("GET", server.url)) }
        #expect(server.requests.count == 1)
    }

    @Test func manyThreadsShareOneClient() throws {
        let server = try ScriptedServer(answering: { conversation, request in conversation.answer(200, request.line) })
        defer { server.stop() }
        let client = client()
        try Parallel.forEach(count: 400, width: 8) { index in
            let response = try client.perform(HTTPRequest("GET", server.url + "/\(index)"))
            if response.body != Array("GET /\(index) HTTP/1.1".utf8) { throw ExecutorError.failed("answer of another") }
        }
        #expect(server.requests.count == 400)
        #expect(Set(server.requests.map(\.connection)).count <= 8)
    }

    @Test func endsRunningAndLaterTransfersOnCancel() throws {
        let waiting = Monitor(0)
        let server = try ScriptedServer { conversation in
            _ = conversation.readRequest()
            waiting.update { $0 += 1 }
            conversation.waitForClose()
        }
        defer { server.stop() }
        let client = client()
        let codes = Mutex<[TransferError.Code]>([])
        let canceller = try WorkerThread {
            waiting.wait { $0 == 3 ? true : nil }
            client.cancelAll()
        }
        try Parallel.forEach(count: 3, width: 3) { _ in
            do { _ = try client.perform(HTTPRequest("GET", server.url)) } catch let error as TransferError {
                codes.withLock { $0.append(error.code) }
            }
        }
        canceller.join()
        #expect(codes.withLock { $0 } == [.aborted, .aborted, .aborted])
        let later = try failure { _ = try client.perform(HTTPRequest("GET", server.url)) }
        #expect(later.code == .aborted)
        #expect(!later.isTransient)
        #expect(later.message.hasSuffix(": context canceled"))
    }

    @Test func keepsNoMoreHandlesThanAllowed() throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(200) })
        defer { server.stop() }
        let client = client { $0.maximumIdleHandles = 0 }
        for _ in 0..<3 { _ = try client.perform(HTTPRequest("GET", server.url)) }
        #expect(server.requests.map(\.connection) == [0, 1, 2])
    }

    @Test func opensNothingThatAChildInherits() async {
        await #expect(processExitsWith: .success) {
            /// Sockets and pipes that are not close-on-exec, but for those of the server.
            func inherited() -> Set<Int32> {
                Set(
                    (Int32(3)..<1024).filter { descriptor in
                        let flags = fcntl(descriptor, F_GETFD)
                        var information = stat()
                        guard flags >= 0, flags & FD_CLOEXEC == 0, fstat(descriptor, &information) == 0 else { return false }
                        return [S_IFSOCK, S_IFIFO].contains(information.st_mode & S_IFMT)
                    })
            }
            let served = Mutex<Set<Int32>>([])
            let server = try ScriptedServer { conversation in
                served.withLock { _ = $0.insert(conversation.descriptor) }
                while conversation.readRequest() != nil { conversation.answer(200) }
            }
            let before = inherited()
            let client = client()
            try Parallel.forEach(count: 40, width: 4) { _ in _ = try client.perform(HTTPRequest("GET", server.url)) }
            #expect(inherited().subtracting(before).subtracting(served.withLock { $0 }).isEmpty)
            server.stop()
        }
    }

    /// 2,000 requests through 16 handles: what one costs must not stay behind. In a process of its own: other tests use memory too.
    @Test func memoryStaysFlat() async {
        await #expect(processExitsWith: .success) {
            func resident() throws -> Int {
                let status = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
                return Int(status.split(separator: " ")[1])! * 4096
            }
            // The server records only what `readRequest` reads: its own memory would grow.
            let server = try ScriptedServer { conversation in
                while conversation.readHead() != nil { conversation.answer(200, String(repeating: "y", count: 10_000)) }
            }
            let client = client()
            func round(_ count: Int) throws {
                try Parallel.forEach(count: count, width: 16) { _ in
                    var request = HTTPRequest("GET", server.url + "/some/path?with=query")
                    request.headers = ["X-One": String(repeating: "1", count: 500)]
                    _ = try client.perform(request)
                }
            }
            try round(500)
            let before = try resident()
            try round(2000)
            #expect(try resident() - before < 4 << 20)
            server.stop()
        }
    }
}
