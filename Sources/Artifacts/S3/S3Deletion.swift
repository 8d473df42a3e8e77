import Artifacts
import Documents
import Encodings
import HTTPTransport
import SystemSupport

/// Removes objects, many by one request where the store can do that.
struct S3Deletion {
    let client: S3Client
    let subject: String

    /// Removes one object; an absent one is no error.
    func delete(_ key: [UInt8]) throws {
        let request = S3Request("DELETE", key: key)
        do {
            let response = try client.send(request, "delete", subject)
            try S3Document.checkNone(response.body, "delete", subject) {
                try client.error($0, to: request, "delete", subject)
            }
        } catch let error as ArtifactError {
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
            if let text = String(validating: key, as: UTF8.self), XMLElement.escape(text) != nil {
                many.append(text)
            } else {
                single.append(key)
            }
        }
        if !client.has(.deletionTogether) {
            single = keys
        } else if !(try deleteTogether(many)) {
            single = keys
        }
        for key in single { try delete(key) }
        return page.next
    }

    /// - Returns: false where the store refuses the request as a whole.
    private func deleteTogether(_ keys: [String]) throws -> Bool {
        if keys.isEmpty { return true }
        guard let failures = try failures(ofDeleting: keys) else { return false }
        if let first = failures.first {
            throw try error(of: first, otherFailures: failures.count - 1)
        }
        return true
    }

    /// Removes objects by one request, and tells of each that was not removed.
    ///
    /// - Returns: errors by key; nil where the store refuses the request as a whole.
    func errors(ofDeleting keys: [String]) throws -> [String: any Error]? {
        guard let failures = try failures(ofDeleting: keys) else { return nil }
        var asked: [[UInt8]: String] = [:]
        for key in keys { asked[Self.plain(key)] = key }
        var errors: [String: any Error] = [:]
        for failure in failures {
            let told = failure["Key"]?.text ?? ""
            guard let key = Self.readings(of: told).compactMap({ asked[Self.plain($0)] }).first else {
                throw ArtifactError.unintelligible(
                    "delete", subject,
                    "the store reports that it could not delete '\(told.prefix(200))', which was not requested")
            }
            errors[key] = try error(of: failure)
        }
        return errors
    }

    private func error(of failure: XMLElement, otherFailures: Int? = nil) throws -> ArtifactError {
        let subject = "s3://\(client.endpoint.bucket)/\(failure["Key"]?.text ?? "")"
        let others = otherFailures.map { " (and \($0) more)" } ?? ""
        return try client.error(failure, to: S3Request("POST"), "delete", subject + others)
    }

    /// - Returns: what the store tells of those that it has not removed; nil where it refuses the request as a whole: some know none,
    ///   want another hash of it, or forbid it to those who may delete one by one.
    private func failures(ofDeleting keys: [String]) throws -> [XMLElement]? {
        var text = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>"
        for key in keys { text += "<Object><Key>\(XMLElement.escape(key) ?? "")</Key></Object>" }
        var request = S3Request("POST")
        request.query = [("delete", "")]
        request.setDocument(text + "</Delete>")
        let response: HTTPResponse
        do { response = try client.send(request, "delete", subject) } catch let error as ArtifactError {
            guard case .refused(let status, let word) = error.code, !error.isTransient, word != "NoSuchBucket" else {
                throw error
            }
            if [405, 501].contains(status) { client.note(lacking: .deletionTogether) }
            return nil
        }
        let root = try S3Document.read(
            response.body, root: "DeleteResult", "the outcome of a deletion", "delete", subject
        ) { try client.error($0, to: request, "delete", subject) }
        let asked = Set(keys.map(Self.plain))
        for told in root.all("Deleted").compactMap({ $0["Key"]?.text }) where !told.isEmpty {
            if !Self.readings(of: told).contains(where: { asked.contains(Self.plain($0)) }) {
                throw ArtifactError.unintelligible(
                    "delete", subject, "the store has deleted '\(told.prefix(200))', which was not requested")
            }
        }
        return root.all("Error").filter { $0["Code"]?.text != "NoSuchKey" }
    }

    /// What a key in an answer may mean: some stores encode it.
    private static func readings(of told: String) -> [String] {
        [
            told, String(decoding: PercentEncoding.decode(Array(told.utf8), plusIsSpace: true), as: UTF8.self),
            String(decoding: PercentEncoding.decode(Array(told.utf8)), as: UTF8.self),
        ]
    }

    /// A key as it can be compared with one in an answer: XML knows one kind of line break.
    private static func plain(_ key: String) -> [UInt8] { key.utf8.filter { $0 >= 0x20 } }
}
