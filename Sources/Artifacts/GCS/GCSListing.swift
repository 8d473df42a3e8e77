import Artifacts
import Documents
import HTTPTransport
import SystemSupport

/// Pages of the objects whose keys begin with a prefix.
struct GCSListing: Sendable {
    let client: GCSClient
    let prefix: [UInt8]
    let subject: String

    struct Page: Sendable {
        var objects: [GCSResource]
        var next: String?

        var isEmpty: Bool { objects.isEmpty && next == nil }
    }

    /// Seconds for a page (contract 03 §6.2) are those without a byte.
    func page(after token: String?, atMost count: Int = 1000) throws -> Page {
        var request = GCSRequest("GET", client.objectsPath)
        request.query = [
            ("prefix", String(decoding: prefix, as: UTF8.self)), ("maxResults", String(count)),
            ("fields", "kind,nextPageToken,prefixes,items(\(GCSAnswer.fields))"),
        ]
        if let token { request.query.append(("pageToken", token)) }
        let document = try GCSAnswer.document(
            try client.send(request, "list", subject), "a list of objects", "list", subject)
        guard document["kind"]?.string ?? "storage#objects" == "storage#objects", document["error"] == nil else {
            throw ArtifactError.unintelligible("list", subject, "the answer is not a list of objects")
        }
        if let rolled = document["prefixes"]?.array?.first?.string {
            throw ArtifactError.unintelligible(
                "list", subject, "the store lists '\(rolled.prefix(200))' in place of the keys below it")
        }
        let objects = try (document["items"]?.array ?? []).map { item in
            guard let resource = GCSResource(item) else {
                throw ArtifactError.unintelligible("list", subject, "the store lists an object without a name")
            }
            guard resource.name.utf8.starts(with: prefix) else {
                throw ArtifactError.strayKey(resource.name, below: prefix, of: subject)
            }
            return resource
        }
        let next = document["nextPageToken"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        guard next == nil || next != token else {
            throw ArtifactError.unintelligible("list", subject, "the store gives the same page token again")
        }
        return Page(objects: objects, next: next)
    }
}

/// All objects below a key.
struct GCSDirectory: StoredDirectory {
    let listing: GCSListing
    /// The first page, which is known already.
    let first: GCSListing.Page

    var subject: String { listing.subject }

    func page(after continuation: String?) throws -> StoredPage {
        let page = continuation == nil ? first : try listing.page(after: continuation)
        var entries: [StoredEntry] = []
        for object in page.objects {
            let key = Array(object.name.utf8)
            let place = listing.client.subject(key)
            if key.last == UInt8(ascii: "/") {
                // Markers of directories, not files (contract 03 §6.2); what is in one is seldom meant.
                if let size = object.size, size > 0 {
                    listing.client.log.warn(
                        "left out an object whose key ends in a slash", ["object": .text(place), "bytes": .integer(size)])
                }
                continue
            }
            if key.contains(0) { throw ArtifactError.keyWithNUL(at: place, of: subject) }
            entries.append(
                StoredEntry(
                    name: BytePath(bytes: key[listing.prefix.count...]),
                    object: GCSObject(client: listing.client, key: key, resource: object)))
        }
        return StoredPage(entries: entries, next: page.next)
    }
}
