import ExecutorCore
import Formats
import HTTPTransport
import RequestSigning

/// Pages of ListObjectsV2.
enum S3Listing {
    struct Object {
        let key: [UInt8]
        let length: Int64?
        let etag: String?
    }

    struct Page {
        var objects: [Object]
        var next: String?

        var isEmpty: Bool { objects.isEmpty && next == nil }
    }

    /// Asks for all keys with a prefix.
    struct Query {
        var prefix: [UInt8]
        var continuation: String?
        var maximumKeys = 1000

        func page(_ client: S3Client, _ subject: String) throws -> Page {
            var request = S3Request("GET")
            request.query = [
                ("list-type", "2"), ("encoding-type", "url"), ("prefix", String(decoding: prefix, as: UTF8.self)),
                ("max-keys", String(maximumKeys)),
            ]
            if let continuation { request.query.append(("continuation-token", continuation)) }
            let response = try client.send(request, "list", subject)
            guard let page = parse(response.body) else {
                throw ArtifactError.damaged("list", subject, "the answer is not a list of objects")
            }
            return page
        }
    }

    /// Reads a page; nil where the bytes are none.
    static func parse(_ bytes: [UInt8]) -> Page? {
        guard let root = XMLElement.parse(bytes), root.name == "ListBucketResult" else { return nil }
        // Keys may hold what XML cannot: where the store does as it is asked, they are percent-encoded.
        let isEncoded = root["EncodingType"]?.text == "url"
        var objects: [Object] = []
        for contents in root.all("Contents") {
            guard let text = contents["Key"]?.text else { return nil }
            let key = isEncoded ? PercentEncoding.decode(Array(text.utf8), plusIsSpace: true) : Array(text.utf8)
            objects.append(
                Object(
                    key: key, length: contents["Size"].flatMap { Int64($0.text) }.flatMap { $0 < 0 ? nil : $0 },
                    etag: contents["ETag"]?.text))
        }
        guard root["IsTruncated"]?.text == "true" else { return Page(objects: objects, next: nil) }
        guard let next = root["NextContinuationToken"]?.text, !next.isEmpty else { return nil }
        return Page(objects: objects, next: next)
    }
}

/// All objects below a key.
struct S3Directory: StoredDirectory {
    let client: S3Client
    let prefix: [UInt8]
    let subject: String
    /// The first page, where it is known already.
    private var first: S3Listing.Page?

    init(client: S3Client, prefix: [UInt8], subject: String) {
        self.client = client
        self.prefix = prefix
        self.subject = subject
    }

    /// The same directory, whose first page need not be asked for again.
    func beginning(with page: S3Listing.Page) -> S3Directory {
        var directory = self
        directory.first = page
        return directory
    }

    func listing(after continuation: String?) throws -> S3Listing.Page {
        try S3Listing.Query(prefix: prefix, continuation: continuation).page(client, subject)
    }

    func page(after continuation: String?) throws -> StoredPage {
        let page: S3Listing.Page
        if continuation == nil, let first { page = first } else { page = try listing(after: continuation) }
        // Keys that end in a slash are markers of directories, not files.
        let entries = page.objects.filter { $0.key.last != UInt8(ascii: "/") && $0.key.starts(with: prefix) }.map { object in
            StoredEntry(
                name: BytePath(bytes: object.key.dropFirst(prefix.count)),
                object: S3Object(
                    client: client, key: object.key,
                    subject: "s3://\(client.endpoint.bucket)/\(String(decoding: object.key, as: UTF8.self))",
                    head: ObjectHead(length: object.length, validator: object.etag, supportsRanges: true)))
        }
        return StoredPage(entries: entries, next: page.next)
    }
}
