import Artifacts
import HTTPTransport
import SystemSupport

/// What is behind a URL.
struct HTTPObject: StoredObject {
    let resource: HTTPResource

    var subject: String { resource.subject }

    /// Nothing is known before the first answer, and nothing is asked before the first read: some URLs can be read once only.
    var head: ObjectHead { ObjectHead(supportsRanges: !resource.hasOwnRange) }

    /// Seconds for the answer to a question that need not be answered.
    private static let describingTimeout = 30

    /// By HEAD, which not every server allows, nor every signed URL: where it is not answered nothing is known.
    func describe() throws -> ObjectHead {
        do {
            var answer: HTTPResponseHead?
            try resource.exchange("HEAD", "find", totalTimeout: Self.describingTimeout) { head in
                answer = head
                return DiscardingSink()
            }
            guard let answer, answer.headers["Accept-Ranges"]?.lowercased() == "bytes" else { return ObjectHead() }
            return HTTPAnswer.head(answer, isRanged: false, hasOwnRange: resource.hasOwnRange)
        } catch is ArtifactError { return ObjectHead() } catch let error as TransferError where error.code != .aborted {
            return ObjectHead()
        }
    }

    func read(
        from offset: Int64, length: Int64?, validator: String?, receive: (ObjectHead) throws -> any ByteSink
    ) throws {
        var conditions: [(name: String, value: String)] = []
        let isRanged = length != nil || offset > 0
        if isRanged {
            let last = length.map { offset.addingReportingOverflow($0 - 1) }
            let end = last.map { $0.overflow ? .max : $0.partialValue }
            conditions.append(("Range", "bytes=\(offset)-" + (end.map { "\($0)" } ?? "")))
            // Another object is then answered whole, and with its own validator.
            if let validator { conditions.append(("If-Range", validator)) }
        }
        try resource.exchange("GET", "load", conditions) { answer in
            if !resource.hasOwnRange { try PartialAnswer.check(answer, subject) }
            return try receive(HTTPAnswer.head(answer, isRanged: isRanged, hasOwnRange: resource.hasOwnRange))
        }
    }
}
