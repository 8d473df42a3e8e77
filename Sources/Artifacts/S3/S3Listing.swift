import Artifacts
import Documents
import Encodings
import HTTPTransport
import SystemSupport

/// Pages of listings, by ListObjectsV2 and, where a store does not know that, by its predecessor.
enum S3Listing {
    struct Object {
        let key: [UInt8]
        /// Bytes; nil where the store does not tell.
        let length: Int64?
        let etag: String?
    }

    struct Page {
        var objects: [Object]
        var next: String?

        var isEmpty: Bool { objects.isEmpty && next == nil }
    }

    /// Where a listing goes on, as text that only this driver reads.
    private enum Continuation {
        case token(String)
        /// What the store names, else the last key of the page before: the first version of the request has no tokens.
        case marker([UInt8])

        private static let markerStart = "marker:"
        private static let tokenStart = "token:"

        init?(_ text: String) {
            if text.hasPrefix(Self.markerStart) {
                self = .marker(PercentEncoding.decode(Array(text.dropFirst(Self.markerStart.count).utf8)))
            } else {
                self = .token(String(text.dropFirst(Self.tokenStart.count)))
            }
        }

        static func text(token: String) -> String { tokenStart + token }
        static func text(marker: [UInt8]) -> String { markerStart + PercentEncoding.encode(marker) }
    }

    /// Asks for all keys with a prefix.
    struct Query {
        var prefix: [UInt8]
        var continuation: String?
        var maximumKeys = 1000

        /// One page, every key of which begins with the prefix.
        ///
        /// - Throws: `ArtifactError` for an answer that holds anything else: nothing is left out in silence.
        func page(_ client: S3Client, _ subject: String) throws -> Page {
            let position = continuation.flatMap { Continuation($0) }
            if case .marker(let marker) = position { return try firstVersion(client, subject, after: marker) }
            var token: String?
            if case .token(let text) = position { token = text }
            let (answer, isSecond) = try client.fallingBack(on: [.encodedListings, .secondListings]) { used in
                (try ask(client, subject, used, token: token, marker: nil), used.contains(.secondListings))
            }
            var page = Page(objects: try keys(answer, client, subject), next: nil)
            guard answer.isTruncated else { return page }
            if !isSecond {
                page.next = Continuation.text(marker: try marker(answer, after: page, nil, subject))
            } else if let next = answer.nextToken {
                guard next != token else {
                    throw ArtifactError.unintelligible("list", subject, "the store gives the same continuation token again")
                }
                page.next = Continuation.text(token: next)
            } else {
                // It may still support the first version: a page that goes on behind this one's last key shows it.
                guard token == nil, !page.objects.isEmpty else { throw Self.onlyFirstVersion(subject) }
                let second: Page
                do {
                    let marker = try marker(answer, after: page, nil, subject)
                    second = try firstVersion(client, subject, after: marker)
                } catch let error as ArtifactError {
                    throw error.isTransient ? error : Self.onlyFirstVersion(subject)
                }
                guard let first = second.objects.first, first.key != page.objects.first?.key else {
                    throw Self.onlyFirstVersion(subject)
                }
                client.note(lacking: .secondListings)
                page.objects += second.objects
                page.next = second.next
            }
            return page
        }

        private func firstVersion(_ client: S3Client, _ subject: String, after before: [UInt8]) throws -> Page {
            let answer = try client.fallingBack(on: [.encodedListings]) { used in
                try ask(client, subject, used, token: nil, marker: before)
            }
            var page = Page(objects: try keys(answer, client, subject), next: nil)
            if answer.isTruncated {
                page.next = Continuation.text(marker: try marker(answer, after: page, before, subject))
            }
            // Some begin with the marker itself instead of behind it.
            if page.objects.first?.key == before { page.objects.removeFirst() }
            // A marker of the store's own making need not be in the order of the keys.
            if let first = page.objects.first?.key, before.starts(with: prefix), !before.lexicographicallyPrecedes(first) {
                throw Self.onlyFirstVersion(subject)
            }
            return page
        }

        private static func onlyFirstVersion(_ subject: String) -> ArtifactError {
            .unintelligible(
                "list", subject,
                "the store answers ListObjectsV2 without NextContinuationToken: it knows only version 1, and that does not go on either"
            )
        }

        /// Where the next page of the first version begins: where the store says, else behind the last key.
        private func marker(_ answer: Answer, after page: Page, _ before: [UInt8]?, _ subject: String) throws -> [UInt8] {
            let last = page.objects.last?.key
            if let told = answer.nextMarker, told != answer.entries.last?.text {
                let marker = (answer.saysEncoded ? KeyReading.formDecoded : .asIs).read(told)
                guard marker != before else {
                    throw ArtifactError.unintelligible("list", subject, "the store gives the same NextMarker again")
                }
                return marker
            }
            guard let last, before.map({ !$0.starts(with: prefix) || $0.lexicographicallyPrecedes(last) }) ?? true else {
                throw ArtifactError.unintelligible("list", subject, "the list goes on without a key to go on from")
            }
            return last
        }

        private func ask(
            _ client: S3Client, _ subject: String, _ used: Set<S3Extension>, token: String?, marker: [UInt8]?
        ) throws -> Answer {
            var request = S3Request("GET")
            if used.contains(.secondListings) { request.query.append(("list-type", "2")) }
            if used.contains(.encodedListings) { request.query.append(("encoding-type", "url")) }
            request.query += [
                ("prefix", String(decoding: prefix, as: UTF8.self)), ("max-keys", String(maximumKeys)),
            ]
            if let token { request.query.append(("continuation-token", token)) }
            if let marker { request.query.append(("marker", String(decoding: marker, as: UTF8.self))) }
            let response = try client.send(request, "list", subject)
            let root = try S3Document.read(response.body, root: "ListBucketResult", "a list of objects", "list", subject) {
                try client.error($0, to: request, "list", subject)
            }
            return try Answer(root, subject)
        }

        /// The objects, whose keys are decoded as the store encodes them.
        private func keys(_ answer: Answer, _ client: S3Client, _ subject: String) throws -> [Object] {
            if answer.entries.isEmpty { return [] }
            let readings: [KeyReading]
            if answer.saysEncoded {
                readings = [.formDecoded, .percentDecoded, .asIs]
            } else if let silent = client.bucketState.encodesSilently {
                readings = silent ? [answer.silentReading, .percentDecoded, .formDecoded] : [.asIs]
            } else if answer.entries.allSatisfy({ KeyReading.asIs.read($0.text).starts(with: prefix) }) {
                readings = [try isEncodedSilently(answer, client, subject) ? answer.silentReading : .asIs]
            } else {
                readings = [answer.silentReading, .percentDecoded]
            }
            let fitting = readings.first { reading in
                answer.entries.allSatisfy { reading.read($0.text).starts(with: prefix) }
            }
            guard let fitting else {
                let stray = answer.entries.first { !readings[0].read($0.text).starts(with: prefix) }?.text ?? ""
                throw ArtifactError.strayKey(stray, below: prefix, of: subject)
            }
            if !answer.saysEncoded, fitting != .asIs, client.bucketState.encodesSilently == nil {
                client.bucketState.encodesSilently = true
                client.log.debug("the store encodes the keys of listings without saying so", ["artifact": .text(subject)])
            }
            return answer.entries.map { Object(key: fitting.read($0.text), length: $0.length, etag: $0.etag) }
        }

        /// Whether keys that could be meant either way are encoded: asked for as it is, one of them is there or is not.
        private func isEncodedSilently(_ answer: Answer, _ client: S3Client, _ subject: String) throws -> Bool {
            guard let text = answer.entries.first(where: { KeyReading.hasEscape($0.text) })?.text else { return false }
            let probe = Query(prefix: Array(text.utf8), maximumKeys: 1)
            let found = try client.fallingBack(on: [.encodedListings, .secondListings]) { used in
                try probe.ask(client, subject, used, token: nil, marker: nil)
            }
            client.bucketState.encodesSilently = found.entries.isEmpty
            return found.entries.isEmpty
        }
    }

    /// How the text of a key is to be read.
    fileprivate enum KeyReading {
        /// Percent-decoded, with `+` for a blank: how Amazon encodes.
        case formDecoded
        /// Percent-decoded.
        case percentDecoded
        case asIs

        func read(_ text: String) -> [UInt8] {
            switch self {
            case .formDecoded: PercentEncoding.decode(Array(text.utf8), plusIsSpace: true)
            case .percentDecoded: PercentEncoding.decode(Array(text.utf8))
            case .asIs: Array(text.utf8)
            }
        }

        static func hasEscape(_ text: String) -> Bool { percentDecoded.read(text) != asIs.read(text) }
    }

    /// What a page says, its keys not yet decoded.
    struct Answer {
        struct Entry {
            let text: String
            let length: Int64?
            let etag: String?
        }
        let entries: [Entry]
        /// Whether the store says that the keys are encoded.
        let saysEncoded: Bool
        let isTruncated: Bool
        /// Never empty.
        let nextToken: String?
        /// As it is written; never empty.
        let nextMarker: String?

        /// - Throws: `unintelligible` for what makes no sense, or shows that keys are left out.
        init(_ root: XMLElement, _ subject: String) throws {
            saysEncoded = root["EncodingType"]?.text == "url"
            nextToken = root["NextContinuationToken"].flatMap { $0.text.isEmpty ? nil : $0.text }
            nextMarker = root["NextMarker"].flatMap { $0.text.isEmpty ? nil : $0.text }
            // As Go reads truth values; a store that names the next page without saying that there is one has one.
            switch Self.trimmed(root["IsTruncated"]?.text ?? "").lowercased() {
            case "true", "t", "1": isTruncated = true
            case "false", "f", "0": isTruncated = false
            case "": isTruncated = nextToken != nil || nextMarker != nil
            case let other:
                throw ArtifactError.unintelligible(
                    "list", subject, "the store says neither true nor false of IsTruncated, but '\(other.prefix(40))'")
            }
            entries = try root.all("Contents").map { contents in
                guard let key = contents["Key"]?.text, !key.isEmpty else {
                    throw ArtifactError.unintelligible("list", subject, "the store lists an object without a key")
                }
                var length: Int64?
                if let size = contents["Size"].map({ Self.trimmed($0.text) }), !size.isEmpty {
                    guard let bytes = Int64(size), bytes >= 0 else {
                        throw ArtifactError.unintelligible(
                            "list", subject, "the store gives '\(size.prefix(40))' as the size of '\(key.prefix(200))'")
                    }
                    length = bytes
                }
                return Entry(text: key, length: length, etag: contents["ETag"]?.text)
            }
            if let rolled = root.all("CommonPrefixes").compactMap({ $0["Prefix"]?.text }).first(where: { !$0.isEmpty }) {
                throw ArtifactError.unintelligible(
                    "list", subject,
                    "the store lists '\(rolled.prefix(200))' in place of the keys below it, although no delimiter was asked for"
                )
            }
            if !isTruncated, let count = root["KeyCount"].flatMap({ Int(Self.trimmed($0.text)) }), count > entries.count {
                throw ArtifactError.unintelligible(
                    "list", subject, "the store lists \(entries.count) keys, but counts \(count) and does not go on")
            }
        }

        /// Without the white space that some put around values.
        private static func trimmed(_ text: String) -> String {
            let isBlank: (Character) -> Bool = { $0.isWhitespace }
            guard let first = text.firstIndex(where: { !isBlank($0) }), let last = text.lastIndex(where: { !isBlank($0) })
            else {
                return ""
            }
            return String(text[first...last])
        }

        /// How keys are encoded where the store does not say so: `+` is a blank unless blanks are written otherwise.
        fileprivate var silentReading: KeyReading {
            entries.contains { $0.text.contains("%20") } ? .percentDecoded : .formDecoded
        }
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
        var entries: [StoredEntry] = []
        for object in page.objects {
            let name = object.key.dropFirst(prefix.count)
            let place = "s3://\(client.endpoint.bucket)/\(String(decoding: object.key, as: UTF8.self))"
            if object.key.last == UInt8(ascii: "/") {
                // Markers of directories, not files (contract 03 §6.1); what is in one is seldom meant.
                if let length = object.length, length > 0 {
                    client.log.warn(
                        "left out an object whose key ends in a slash", ["object": .text(place), "bytes": .integer(length)])
                }
                continue
            }
            if name.contains(0) { throw ArtifactError.keyWithNUL(at: place, of: subject) }
            entries.append(
                StoredEntry(
                    name: BytePath(bytes: name),
                    object: S3Object(
                        client: client, key: object.key, subject: place,
                        head: ObjectHead(
                            length: object.length, validator: object.etag, supportsRanges: client.has(.ranges)))))
        }
        return StoredPage(entries: entries, next: page.next)
    }
}
