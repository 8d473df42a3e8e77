import Artifacts
import Digests
import Encodings
import Foundation
import Synchronization
import SystemSupport
import TestSupport
import Testing

@testable import GCSArtifacts

/// Resumable uploads to a stand-in that answers as Cloud Storage's documentation and its clients' bug reports tell.
@Suite struct GCSUploadTests {
    /// Plays Cloud Storage for one upload: keeps what it takes, in multiples of 256 KiB as the real one does.
    final class Session: Sendable {
        struct State {
            var kept: [UInt8] = []
            var chunks = 0
            var queries = 0
            var isDropped = false
        }
        let state = Mutex(State())
        /// What becomes of the chunk of that number, from 1 on: bytes of it that are kept, and the status; nil to take it all.
        let fault: @Sendable (_ chunk: Int) -> (kept: Int, status: Int)?
        /// What is told of the object at the end instead of the truth.
        let toldCRC: String?

        init(toldCRC: String? = nil, _ fault: @escaping @Sendable (Int) -> (kept: Int, status: Int)? = { _ in nil }) {
            self.fault = fault
            self.toldCRC = toldCRC
        }

        func answer(_ request: ScriptedServer.SeenRequest) -> AWSStandIn.Answer {
            if request.line.hasPrefix("POST ") {
                // The host is another one: nothing may go there.
                return .init(headers: ["Location: http://elsewhere.invalid/upload/session?upload_id=x"])
            }
            if request.line.hasPrefix("DELETE ") {
                state.withLock { $0.isDropped = true }
                return .init(status: 499)
            }
            let range = request.header("Content-Range") ?? ""
            return state.withLock { state in
                if range == "bytes */*" {
                    state.queries += 1
                    return incomplete(state)
                }
                if range == "bytes */\(state.kept.count)" { return whole(state, request) }
                guard range.hasPrefix("bytes \(state.kept.count)-"), range.hasSuffix("/*") else { return .init(status: 400) }
                state.chunks += 1
                let fault = fault(state.chunks)
                state.kept += request.body.prefix(fault?.kept ?? .max)
                return fault.map { $0.status == 308 ? incomplete(state) : .init(status: $0.status) } ?? incomplete(state)
            }
        }

        /// A store that has nothing yet names no range.
        private func incomplete(_ state: State) -> AWSStandIn.Answer {
            .init(status: 308, headers: state.kept.isEmpty ? [] : ["Range: bytes=0-\(state.kept.count - 1)"])
        }

        private func whole(_ state: State, _ request: ScriptedServer.SeenRequest) -> AWSStandIn.Answer {
            let crc = Base64.encode(CyclicChecksum.crc32c.bytes(CyclicChecksum.crc32c.update(0, state.kept.span)))
            guard request.header("X-Goog-Hash") == "crc32c=\(crc)" else { return .init(status: 400) }
            return .init(
                body: #"{"name":"k","size":"\#(state.kept.count)","generation":"7","crc32c":"\#(toldCRC ?? crc)"}"#)
        }
    }

    static let bytes = patternBytes(20_000_003)

    func save(_ session: Session) throws -> TransferRecord {
        let server = try AWSStandIn { request, _ in session.answer(request) }
        let fixture = try StoreFixture(.gcsStandIn(bucket: "b"))
        return try fixture.store("k", endpoint: server.endpoint).upload.stream(PatternSource(Self.bytes), fileName: "k")
    }

    @Test func sendsChunksInOrder() throws {
        let session = Session()
        #expect(try save(session).bytes == Int64(Self.bytes.count))
        #expect(session.state.withLock { $0.kept } == Self.bytes)
        #expect(session.state.withLock { $0.chunks } == 3)
        #expect(session.state.withLock { $0.queries } == 0)
    }

    @Test(arguments: [1, 2, 3], [(0, 503), (1 << 20, 503), (1 << 20, 308), (8 << 20, 500), (0, 308), (256 << 10, 429)])
    func goesOnFromWhereTheStoreIs(chunk: Int, fault: (kept: Int, status: Int)) throws {
        let session = Session { $0 == chunk ? fault : nil }
        #expect(try save(session).bytes == Int64(Self.bytes.count))
        #expect(session.state.withLock { $0.kept } == Self.bytes)
        if fault.status != 308 { #expect(session.state.withLock { $0.queries } == 1) }
    }

    @Test(arguments: [404, 410]) func saysThatTheStoreHasGivenUpTheUpload(status: Int) throws {
        let session = Session { $0 == 2 ? (0, status) : nil }
        let error = #expect(throws: ArtifactError.self) { try save(session) }
        #expect(error?.message.contains("save part 2 of gs://b/k: \(status): the store has given up the upload") == true)
        #expect(session.state.withLock { $0.isDropped })
    }

    @Test func refusesWhatTheStoreHoldsInsteadOfWhatWasSent() throws {
        let error = #expect(throws: ArtifactError.self) { try save(Session(toldCRC: "AAAAAA==")) }
        #expect(error?.code == .damaged)
        #expect(error?.message.contains("CRC32C") == true)
    }

    @Test func dropsAnUploadThatFails() throws {
        let session = Session { _ in (0, 403) }
        let error = #expect(throws: ArtifactError.self) { try save(session) }
        #expect(error?.code == .refused(status: 403, word: "Forbidden") || error?.code == .refused(status: 403, word: ""))
        #expect(session.state.withLock { $0.isDropped })
    }
}
