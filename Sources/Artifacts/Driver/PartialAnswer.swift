package import HTTPTransport

/// Answers that hold a stretch of an object (status 206).
package enum PartialAnswer {
    /// Throws for one that does not say which stretch it holds: its bytes could stand anywhere.
    ///
    /// - Throws: a transient `ArtifactError`.
    package static func check(_ answer: HTTPResponseHead, _ subject: String) throws {
        guard answer.status == 206, answer.headers.contentRange == nil else { return }
        throw ArtifactError.cut("load", subject, "the answer to a range does not say which one it is")
    }
}

extension ObjectHead {
    /// Where an answer of status 206 begins, and what it tells of the whole object's length.
    package mutating func take(_ range: ContentRange?) {
        offset = range?.start ?? 0
        length = range?.total
    }
}
