import Artifacts
import Digests
import Documents
import Encodings
import HTTPTransport
import Synchronization
import SystemSupport

/// Stores one object by one request.
struct GCSPut {
    let client: GCSClient
    let key: [UInt8]

    func send(_ body: ObjectBody, contentType: String) throws {
        let subject = client.subject(key)
        let length = body.length ?? 0
        var crc: UInt64 = 0
        try body.forEachBlock { crc = CyclicChecksum.crc32c.update(crc, $0) }
        var request = GCSUpload.beginning(client, key, "media", contentType)
        request.headers.append(("X-Goog-Hash", GCSUpload.hashText(crc)))
        request.body = try body.http()
        let response = try client.send(request, "save", subject)
        try GCSUpload.check(
            response, client, key: key, length: length, crc32c: UInt32(truncatingIfNeeded: crc), "save", isFinal: false)
    }
}

/// One object to be stored by a resumable upload (Cloud Storage, "Resumable uploads"), whose chunks come one after the other.
struct GCSUploadTarget: MultipartTarget {
    let client: GCSClient
    let key: [UInt8]
    let contentType: String

    /// Chunks but the last are multiples of 256 KiB, as those of whole MiB are.
    var limits: MultipartLimits {
        MultipartLimits(minimumPart: 8 << 20, maximumPart: 5 << 30, maximumCount: 1 << 20, isSequential: true)
    }

    func begin() throws -> any MultipartUpload {
        let request = GCSUpload.beginning(client, key, "resumable", contentType)
        let response = try client.send(request, "save", client.subject(key))
        guard let location = response.headers["Location"], let session = try? response.url.resolving(location) else {
            throw ArtifactError.unintelligible(
                "save", client.subject(key), "the answer to the start of a resumable upload names no session")
        }
        return GCSUpload(client: client, key: key, session: session.target)
    }
}

/// A resumable upload that has begun. What the store has of it is asked for after each failure: it may be less than what was sent.
final class GCSUpload: MultipartUpload {
    private let client: GCSClient
    private let key: [UInt8]
    /// Path and query of the session's URL. It goes to the server that we were told to use, whatever host it names.
    private let session: String
    private let state = Mutex(State())

    private struct State {
        /// Bytes that the store has, as far as is known.
        var persisted: Int64 = 0
        /// Whether a request failed, and the store may have more.
        var isInDoubt = false
        /// Where the chunk that is due begins.
        var start: Int64 = 0
    }

    init(client: GCSClient, key: [UInt8], session: String) {
        self.client = client
        self.key = key
        self.session = session
    }

    private var subject: String { client.subject(key) }

    static func beginning(_ client: GCSClient, _ key: [UInt8], _ kind: String, _ contentType: String) -> GCSRequest {
        var request = GCSRequest("POST", "/upload" + client.objectsPath)
        request.query = [
            ("uploadType", kind), ("name", String(decoding: key, as: UTF8.self)), ("fields", GCSAnswer.fields),
        ]
        let header = kind == "media" ? "Content-Type" : "X-Upload-Content-Type"
        request.headers = [(header, contentType)]
        return request
    }

    static func hashText(_ crc32c: UInt64) -> String { "crc32c=" + Base64.encode(CyclicChecksum.crc32c.bytes(crc32c)) }

    /// Compares what the answer to an upload tells with what was sent; what it does not tell is asked for.
    static func check(
        _ response: HTTPResponse, _ client: GCSClient, key: [UInt8], length: Int64, crc32c: UInt32, _ operation: String,
        isFinal: Bool
    ) throws {
        let subject = client.subject(key)
        if let told = (try? JSONValue(parsing: response.body)).flatMap(GCSResource.init),
            try told.compare(key: key, length: length, crc32c: crc32c, operation, subject, isFinal: isFinal)
        {
            return
        }
        let found: GCSResource
        do { found = try GCSObject.resource(client, key, operation) } catch let error as ArtifactError {
            // Whoever may write need not be allowed to read.
            if case .refused(403, _) = error.code, !response.body.isEmpty { return }
            guard GCSAnswer.saysAbsent(error) else { throw error }
            throw ArtifactError.damaged(
                operation, subject, "the store has answered with success, but has no such object", isFinal: isFinal)
        }
        try found.compare(key: key, length: length, crc32c: crc32c, operation, subject, isFinal: isFinal)
    }

    // MARK: Chunks

    func put(part number: Int, _ body: ObjectBody) throws -> PartReceipt {
        let operation = "save part \(number) of"
        let length = body.length ?? 0
        var crc: UInt64 = 0
        try body.forEachBlock { crc = CyclicChecksum.crc32c.update(crc, $0) }
        if state.withLock({ $0.isInDoubt }) { try resume(operation) }
        let receipt = PartReceipt(
            number: number, length: length, tag: "", crc32c: UInt32(truncatingIfNeeded: crc))
        let start = state.withLock { $0.start }
        let end = start + length
        var persisted = state.withLock { $0.persisted }
        guard persisted >= start, persisted <= end else { throw lost(operation, persisted, start) }
        while persisted < end {
            let now = try send(body, from: persisted - start, at: persisted, operation)
            guard now <= end, now >= persisted else { throw lost(operation, now, persisted) }
            state.withLock { $0.persisted = now }
            guard now > persisted else {
                state.withLock { $0.isInDoubt = true }
                throw ArtifactError.cut(operation, subject, "the store has kept none of \(end - persisted) bytes")
            }
            persisted = now
        }
        state.withLock { $0.start = end }
        return receipt
    }

    /// Sends what is left of a chunk.
    ///
    /// - Returns: bytes of the object that the store has now.
    private func send(_ body: ObjectBody, from skipped: Int64, at offset: Int64, _ operation: String) throws -> Int64 {
        let rest = Self.rest(of: body, from: skipped)
        let count = rest.length ?? 0
        let response = try answer("bytes \(offset)-\(offset + count - 1)/*", try rest.http(), operation) {
            state.withLock { $0.isInDoubt = true }
        }
        return try unfinished(response, operation)
    }

    /// Asks how much of the upload the store has.
    private func resume(_ operation: String) throws {
        let persisted = try unfinished(try answer("bytes */*", .bytes([]), operation), operation)
        state.withLock { state in
            state.persisted = persisted
            state.isInDoubt = false
        }
    }

    /// Sends one request of the session.
    ///
    /// - Parameter onFailure: is called before the error of a request that failed is thrown.
    private func answer(
        _ range: String, _ body: HTTPBody, _ operation: String, hash: String? = nil, onFailure: () -> Void = {}
    ) throws -> HTTPResponse {
        var request = GCSRequest("PUT", session)
        request.headers = [("Content-Range", range)]
        if let hash { request.headers.append(("X-Goog-Hash", hash)) }
        request.body = body
        request.alsoTakes = [308]
        do { return try client.send(request, operation, subject) } catch {
            onFailure()
            throw gone(error, operation)
        }
    }

    /// Bytes that the store has of an upload that is not complete.
    private func unfinished(_ response: HTTPResponse, _ operation: String) throws -> Int64 {
        guard response.status == 308 else {
            throw ArtifactError.unintelligible(operation, subject, "the store has ended the upload before its end")
        }
        return Self.persisted(response)
    }

    /// An answer without a range tells that the store has nothing yet.
    private static func persisted(_ response: HTTPResponse) -> Int64 {
        guard let range = response.headers["Range"], let dash = range.lastIndex(of: "-"),
            let last = Int64(range[range.index(after: dash)...]), last >= 0
        else { return 0 }
        return last + 1
    }

    private func lost(_ operation: String, _ persisted: Int64, _ expected: Int64) -> ArtifactError {
        state.withLock { $0.isInDoubt = true }
        return .damaged(
            operation, subject, "the store has \(persisted) bytes of the upload, of which \(expected) were there already")
    }

    private func gone(_ error: any Error, _ operation: String) -> any Error {
        guard case .refused(let status, _) = (error as? ArtifactError)?.code, [404, 410].contains(status) else { return error }
        return ArtifactError.unintelligible(operation, subject, "\(status): the store has given up the upload")
    }

    private static func rest(of body: ObjectBody, from offset: Int64) -> ObjectBody {
        if offset == 0 { return body }
        switch body {
        case .bytes(let bytes): return .bytes(Array(bytes[Int(offset)...]))
        case .file(let stretch):
            return .file(FileStretch(stretch.file, offset: stretch.offset + offset, length: stretch.length - offset))
        case .stream: return body
        }
    }

    // MARK: The end

    func complete(_ parts: [PartReceipt]) throws {
        var length: Int64 = 0
        var crc: UInt64 = 0
        for part in parts {
            crc = CyclicChecksum.crc32c.combine(crc, UInt64(part.crc32c ?? 0), secondLength: part.length)
            length += part.length
        }
        // Said again after a success that was not heard of, the store tells of the object.
        let response = try answer("bytes */\(length)", .bytes([]), "complete", hash: Self.hashText(crc))
        guard response.status != 308 else {
            throw ArtifactError.cut(
                "complete", subject, "the store has \(Self.persisted(response)) bytes of \(length)")
        }
        try Self.check(
            response, client, key: key, length: length, crc32c: UInt32(truncatingIfNeeded: crc), "complete", isFinal: true)
    }

    func abort() throws {
        var request = GCSRequest("DELETE", session)
        request.isCleanup = true
        // 499 is how the store says that it has given up the upload.
        request.alsoTakes = [404, 410, 499]
        try client.send(request, "abort", subject)
    }
}
