import Artifacts
import Digests
import Encodings
import Foundation
import SystemSupport
import TestSupport
import Testing

@testable import GCSArtifacts

/// Objects and listings of a stand-in that answers as Cloud Storage does, its rude forms too.
@Suite struct GCSObjectTests {
    static func crc(_ bytes: [UInt8]) -> String {
        Base64.encode(CyclicChecksum.crc32c.bytes(CyclicChecksum.crc32c.update(0, bytes.span)))
    }

    /// The store at key `k`, which the script plays.
    func withStore<R>(_ script: @escaping AWSStandIn.Script, _ body: (ArtifactStore, AWSStandIn) throws -> R) throws -> R {
        let server = try AWSStandIn(script)
        let fixture = try StoreFixture(.gcsStandIn(bucket: "b"))
        return try body(fixture.store("k", endpoint: server.endpoint), server)
    }

    @Test func refusesBytesOfAnotherChecksum() throws {
        let error = try withStore { request, _ in
            request.line.contains("alt=media")
                ? .init(headers: ["x-goog-generation: 1", "x-goog-hash: crc32c=AAAAAA=="], body: "hello")
                : .init(body: #"{"name":"k","size":"5","generation":"1","crc32c":"AAAAAA=="}"#)
        } _: { store, _ in
            classifiedError { try store.load() }
        }
        #expect(error?.message.contains("checksum") == true)
    }

    @Test func takesWhatTheStoreHasDecoded() throws {
        let text = "hello, and longer than what is stored"
        let loaded = try withStore { request, _ in
            request.line.contains("alt=media")
                ? .init(
                    headers: [
                        "x-goog-generation: 1", "x-goog-hash: crc32c=AAAAAA==", "x-goog-stored-content-encoding: gzip",
                        "x-goog-stored-content-length: 9",
                    ], body: text)
                : .init(body: #"{"name":"k","size":"9","generation":"1","crc32c":"AAAAAA==","contentEncoding":"gzip"}"#)
        } _: { store, _ in
            try store.load()
        }
        #expect(loaded == Array(text.utf8))
    }

    @Test func anAbsentBucketIsNoAbsentObject() throws {
        let error = try withStore { _, _ in
            .init(
                status: 404,
                body:
                    #"{"error":{"code":404,"message":"The specified bucket does not exist.","errors":[{"reason":"notFound"}]}}"#
            )
        } _: { store, _ in
            classifiedError { try store.load() }
        }
        #expect(error?.isNotFound == false)
        #expect(error?.isTransient == false)
        #expect(error?.message == "list gs://b/k: 404 notFound: The specified bucket does not exist.")
    }

    @Test(arguments: [
        "<html>sign in</html>", "[]", #"{"kind":"storage#object","name":"k"}"#,
        #"{"kind":"storage#objects","items":[{"name":"other"}]}"#,
        #"{"kind":"storage#objects","items":[{}]}"#, #"{"kind":"storage#objects","prefixes":["k/x/"]}"#, #"{"error":"x"}"#,
    ])
    func aListThatMakesNoSenseIsAnError(body: String) throws {
        let error = try withStore { request, _ in
            request.line.contains("/o/k") ? .init(status: 404) : .init(body: body)
        } _: {
            store, _ in
            classifiedError { _ = try store.find() }
        }
        #expect((error as? ArtifactError)?.code == .unintelligible)
    }

    @Test func listsTheObjectsBelowTheKeyAlone() throws {
        try withStore { request, _ in
            if request.line.contains("/o/k") { return .init(status: 404) }
            #expect(request.line.contains("prefix=k%2F&"))
            return request.line.contains("pageToken=next%2F")
                ? .init(body: #"{"kind":"storage#objects","items":[{"name":"k/b"}]}"#)
                : .init(body: #"{"kind":"storage#objects","nextPageToken":"next/","items":[{"name":"k/"},{"name":"k/a"}]}"#)
        } _: { store, _ in
            let keys = try store.list()
            #expect(keys == ["k/a", "k/b"])
        }
    }

    @Test(arguments: [
        (403, "rateLimitExceeded", true), (403, "forbidden", false), (503, "backendError", true), (400, "invalid", false),
    ])
    func someRefusalsAreTriedAgain(status: Int, reason: String, isTried: Bool) throws {
        try withStore { _, _ in
            .init(status: status, body: #"{"error":{"code":\#(status),"message":"m","errors":[{"reason":"\#(reason)"}]}}"#)
        } _: { store, server in
            #expect(throws: (any Error).self) { try store.find() }
            #expect(server.requests.count == (isTried ? 5 : 1))
        }
    }

    @Test func anObjectReplacedOnTheWayIsAnError() throws {
        let whole = patternBytes(3 << 20)
        let server = try ScriptedServer(answering: { conversation, request in
            if !request.line.contains("alt=media") {
                return conversation.answer(200, #"{"name":"k","size":"\#(whole.count)","generation":"1"}"#)
            }
            if request.line.contains("ifGenerationMatch=1") { return conversation.answer(412) }
            conversation.send("HTTP/1.1 200 OK\r\nx-goog-generation: 1\r\nContent-Length: \(whole.count)\r\n\r\n")
            conversation.send(Array(whole.prefix(1 << 20)))
            conversation.end()
        })
        defer { server.stop() }
        let fixture = try StoreFixture(.gcsStandIn(bucket: "b"))
        let error = classifiedError { try fixture.store("k", endpoint: "127.0.0.1:\(server.port)").load() }
        #expect((error as? ArtifactError)?.code == .changed)
    }
}

/// fake-gcs-server decodes what is stored gzipped, as Cloud Storage does.
@Suite(.requires(.fakeGCS)) struct GCSTranscodingTests {
    @Test func loadsDecodedWhatIsStoredGzipped() async throws {
        let fixture = try StoreFixture(await .gcs())
        let text = Array(String(repeating: "all work and no play ", count: 5000).utf8)
        try await GCSServer.shared().putGzipped(Self.gzipped(text), bucket: fixture.bucket, key: "packed")
        #expect(try fixture.load("packed") == text)
        try fixture.load("packed", into: "packed")
        #expect(try Data(contentsOf: fixture.folder.url.appending(path: "packed")) == Data(text))
    }

    private static func gzipped(_ bytes: [UInt8]) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/gzip")
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        Thread {
            input.fileHandleForWriting.write(Data(bytes))
            try? input.fileHandleForWriting.close()
        }.start()
        let packed = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return [UInt8](packed)
    }
}
