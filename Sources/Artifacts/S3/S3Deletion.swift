import ExecutorCore
import Formats
import HTTPTransport
import RequestSigning

/// Removes objects, many by one request where the store can do that.
struct S3Deletion {
    let client: S3Client
    let subject: String

    /// Removes one object; an absent one is no error.
    func delete(_ key: [UInt8]) throws {
        do { _ = try client.send(S3Request("DELETE", key: key), "delete", subject) } catch let error as ArtifactError {
            if !error.isNotFound { throw error }
        }
    }

    /// Removes up to a page of the objects with a prefix.
    ///
    /// - Returns: where the next page begins; nil when this was the last.
    func deletePage(below prefix: [UInt8], after continuation: String?) throws -> String? {
        let page = try S3Listing.Query(prefix: prefix, continuation: continuation).page(client, subject)
        let keys = page.objects.map(\.key)
        if keys.isEmpty { return page.next }
        // What XML cannot hold goes one by one.
        var single: [[UInt8]] = []
        var many: [String] = []
        for key in keys {
            if let text = String(validating: key, as: UTF8.self).flatMap(XMLElement.escape) {
                many.append(text)
            } else {
                single.append(key)
            }
        }
        if !(try deleteTogether(many)) { single = keys }
        for key in single { try delete(key) }
        return page.next
    }

    /// - Returns: false where the store refuses the request as a whole: some know none, want another hash of it, or forbid it to
    ///   those who may delete one by one.
    private func deleteTogether(_ escapedKeys: [String]) throws -> Bool {
        if escapedKeys.isEmpty { return true }
        var text = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>"
        for key in escapedKeys { text += "<Object><Key>\(key)</Key></Object>" }
        var request = S3Request("POST")
        request.query = [("delete", "")]
        request.setDocument(text + "</Delete>")
        let response: HTTPResponse
        do { response = try client.send(request, "delete", subject) } catch let error as ArtifactError {
            guard case .refused(_, let word) = error.code, !error.isTransient, word != "NoSuchBucket" else { throw error }
            return false
        }
        guard let root = XMLElement.parse(response.body) else { return true }
        let failures = root.all("Error").filter { $0["Code"]?.text != "NoSuchKey" }
        if let first = failures.first {
            let key = first["Key"]?.text ?? ""
            throw try client.error(
                first, to: request, "delete", "s3://\(client.endpoint.bucket)/\(key) (and \(failures.count - 1) more)")
        }
        return true
    }
}
