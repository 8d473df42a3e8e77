import Artifacts
import HTTPTransport
import SystemSupport

/// One object in a bucket.
struct S3Object: StoredObject {
    let client: S3Client
    let key: [UInt8]
    let subject: String
    let head: ObjectHead
    /// One version of the object; nil for the newest.
    var version: String?

    /// The same object with all that HEAD tells.
    func described() throws -> S3Object {
        S3Object(client: client, key: key, subject: subject, head: try describe(), version: version)
    }

    func describe() throws -> ObjectHead { head.checksum != nil ? head : try ask() }

    /// By HEAD, or where a store refuses that by a GET of which only the head is read.
    private func ask() throws -> ObjectHead {
        var refusal: ArtifactError?
        do {
            return try client.fallingBack(on: [.toldChecksums, .heads]) { used in
                var request = try request(used.contains(.heads) ? "HEAD" : "GET", used)
                if used.contains(.heads) {
                    do {
                        let response = try client.send(request, "find", subject)
                        return answered(response.status, response.headers)
                    } catch let error as ArtifactError {
                        refusal = refusal ?? error
                        throw error
                    }
                }
                request.expectsLargeBody = head.length ?? .max > Self.largeBody
                do {
                    _ = try client.download(request, "find", subject) { answer in
                        throw HeadOnly(head: answered(answer.status, answer.headers))
                    }
                } catch let answer as HeadOnly { return answer.head }
                return ObjectHead()
            }
        } catch let error as ArtifactError {
            // Whoever may not read may often not look either: the first answer is the one to tell.
            if let refusal, case .refused(403, _) = refusal.code, case .refused(403, _) = error.code { throw refusal }
            throw error
        }
    }

    /// Ends a GET of which only the head is wanted.
    private struct HeadOnly: Error {
        let head: ObjectHead
    }

    func read(
        from offset: Int64, length: Int64?, validator: String?, receive: (ObjectHead) throws -> any ByteSink
    ) throws {
        let isRanged = length != nil || offset > 0
        var optional: [S3Extension] = [.toldChecksums]
        if validator != nil { optional.insert(.conditions, at: 0) }
        if isRanged { optional.append(.ranges) }
        var isConditional = false
        do {
            try client.fallingBack(on: optional) { used in
                isConditional = used.contains(.conditions)
                try get(from: offset, length: length, validator: validator, used, receive: receive)
            }
        } catch let error as ArtifactError {
            guard let validator, case .refused(412, _) = error.code else { throw error }
            // A store that has that very object has not understood the condition. Another read may have found that out meanwhile.
            guard isConditional, try ask().names(ObjectHead(validator: validator)) else {
                throw ArtifactError.changed("load", subject)
            }
            client.note(lacking: .conditions)
            try read(from: offset, length: length, validator: validator, receive: receive)
        }
    }

    private func get(
        from offset: Int64, length: Int64?, validator: String?, _ used: Set<S3Extension>,
        receive: (ObjectHead) throws -> any ByteSink
    ) throws {
        var request = try request("GET", used)
        if used.contains(.ranges) {
            if let length {
                let (last, overflow) = offset.addingReportingOverflow(length - 1)
                request.headers.append(("Range", "bytes=\(offset)-\(overflow ? .max : last)"))
            } else {
                request.headers.append(("Range", "bytes=\(offset)-"))
            }
        }
        if let validator, used.contains(.conditions) { request.headers.append(("If-Match", validator)) }
        request.expectsLargeBody = (length ?? head.length.map { $0 - offset } ?? .max) > Self.largeBody
        var isUnsure = false
        _ = try client.download(request, "load", subject) { answer in
            var head = answered(answer.status, answer.headers, isWhole: !used.contains(.ranges) && offset == 0)
            do { try PartialAnswer.check(answer, subject) } catch {
                if used.contains(.ranges) { client.note(lacking: .ranges) }
                throw error
            }
            if length != nil || offset > 0, answer.status == 200 {
                // Whoever answers a range with the whole knows no ranges, whatever its headers say.
                head.supportsRanges = false
                client.note(lacking: .ranges)
            }
            try compare(head)
            isUnsure = validator != nil && head.validator == nil && !used.contains(.conditions)
            return try receive(head)
        }
        // Neither the request nor the answer has named the object.
        if isUnsure, let validator, try !ask().names(ObjectHead(validator: validator)) {
            throw ArtifactError.changed("load", subject)
        }
    }

    /// Throws where the answer tells another length of the very object that was found before.
    private func compare(_ answer: ObjectHead) throws {
        // Without its name it may come from another server, e.g. a proxy's page.
        // Some stores and proxies answer HEAD with a length of 0.
        guard let known = head.length, known > 0, let told = answer.length, known != told, head.validator != nil,
            answer.validator == nil || answer.names(head)
        else { return }
        throw ArtifactError.damaged(
            "load", subject, "the store tells two lengths of one object: \(known) bytes before, \(told) bytes now")
    }

    private func request(_ method: String, _ used: Set<S3Extension>) throws -> S3Request {
        var request = S3Request(method, key: key)
        if let version { request.query = [("versionId", version)] }
        if used.contains(.toldChecksums) { request.headers = [("x-amz-checksum-mode", "ENABLED")] }
        request.headers += try client.encryption.headers(for: .read, key: key)
        return request
    }

    /// What an answer tells, less what the store is known not to mean.
    ///
    /// - Parameter isWhole: whether it is the answer to a GET of the whole object. One that tells no length, as proxies send, then
    ///   has that of the object that was found, unless it names another.
    private func answered(_ status: Int, _ headers: HTTPHeaders, isWhole: Bool = false) -> ObjectHead {
        let isOther = headers["ETag"].map { tag in self.head.validator != nil && !self.head.names(ObjectHead(validator: tag)) }
        let found = isWhole && isOther != true ? self.head.length.flatMap { $0 > 0 ? $0 : nil } : nil
        var head = S3Answer.head(status: status, headers: headers, found: found, anySize: client.verifiesAlways)
        if !client.has(.ranges) { head.supportsRanges = false }
        if case .etag? = head.checksum, !client.has(.hashETags), !client.verifiesAlways { head.checksum = nil }
        return head
    }

    func acceptsOtherETag() -> Bool {
        if client.verifiesAlways { return false }
        client.noteETagIsNoMD5(.hashETags)
        return true
    }

    private static let largeBody: Int64 = 1 << 20
}
