package import Artifacts
import HTTPTransport
package import SystemSupport

/// Artifacts in S3 and in stores that speak its protocol (contract 03 §6.1).
package struct S3Driver: ArtifactDriver {
    let client: S3Client
    /// As in the location.
    package let key: String
    private let creation: BucketCreation?
    private let contentTypes: ContentTypes
    private let maximumParts: Int
    private let slow: Backoff
    private let quick: Backoff?

    /// How the bucket is to be made if it is not there.
    package struct BucketCreation: Sendable {
        package var objectLocking: Bool
        package init(objectLocking: Bool) { self.objectLocking = objectLocking }
    }

    package init(client: S3Client, key: String, creation: BucketCreation?, context: DriverContext) {
        self.client = client
        self.key = key
        self.creation = creation
        contentTypes = context.contentTypes
        maximumParts = context.uploads.maximumParts
        slow = context.executorBackoff
        quick = context.requestBackoff
    }

    package var loadedModes: LoadedModes { .ownerOnly }
    package var subject: String { subject(of: Array(key.utf8)) }
    package var needs: DriverNeeds { DriverNeeds(length: true) }

    package func schedule(for verb: ArtifactVerb) -> RetrySchedule {
        verb == .delete ? RetrySchedule(RetrySchedule.delete.slow, quick: quick) : RetrySchedule(slow, quick: quick)
    }

    // MARK: Loading

    package func find() throws -> FoundArtifact {
        if !isDirectoryKey {
            let object = S3Object(
                client: client, key: Array(key.utf8), subject: subject,
                head: ObjectHead(supportsRanges: client.has(.ranges)))
            do { return .object(try object.described()) } catch let error as ArtifactError where error.isNotFound {
                // Perhaps a directory.
            }
        }
        let directory = S3Directory(client: client, prefix: directoryPrefix, subject: subject)
        let first = try directory.listing(after: nil)
        guard !first.isEmpty else { throw ArtifactError.notFound("find", subject, "404 NoSuchKey") }
        return .directory(directory.beginning(with: first))
    }

    package func isDirectory() throws -> Bool {
        let listing = S3Listing.Query(prefix: directoryPrefix, maximumKeys: 1)
        return try !listing.page(client, subject).isEmpty
    }

    package func list(after continuation: String?) throws -> KeyPage {
        let page = try S3Listing.Query(prefix: directoryPrefix, continuation: continuation).page(client, subject)
        let keys = page.objects.map { String(decoding: $0.key, as: UTF8.self) }.filter { !$0.hasSuffix("/") }
        if page.isEmpty, continuation == nil, !isDirectoryKey {
            // Nothing below, not even a marker: an object of exactly this name is an empty list, none at all is an error.
            _ = try S3Object(client: client, key: Array(key.utf8), subject: subject, head: ObjectHead()).described()
        }
        return KeyPage(keys: keys, next: page.next)
    }

    // MARK: Saving

    package func prepareSave() throws {
        guard let creation, !client.bucketState.isKnownToExist else { return }
        try S3Bucket(client: client).makeIfAbsent(objectLocking: creation.objectLocking)
        client.bucketState.isKnownToExist = true
    }

    package func put(_ content: ObjectContent, at relative: BytePath?) throws {
        let key = try key(at: relative)
        try S3Put(client: client, key: key, subject: subject(of: key)).send(
            content.body, contentType: contentType(content.fileName))
    }

    package func multipart(at relative: BytePath?, fileName: BytePath) throws -> (any MultipartTarget)? {
        if client.endpoint.lacksMultipart || !client.has(.multipart) { return nil }
        let key = try key(at: relative)
        return S3MultipartTarget(
            client: client, key: key, subject: subject(of: key), contentType: contentType(fileName),
            maximumParts: maximumParts)
    }

    private func contentType(_ fileName: BytePath) -> String {
        contentTypes.type(for: fileName) ?? "application/octet-stream"
    }

    // MARK: Deleting

    package func delete(after continuation: String?) throws -> String? {
        guard !key.isEmpty else { throw ArtifactError.invalid("delete", subject, "the key is empty") }
        let deletion = S3Deletion(client: client, subject: subject)
        if continuation == nil, !isDirectoryKey {
            do {
                _ = try S3Object(client: client, key: Array(key.utf8), subject: subject, head: ObjectHead()).described()
            } catch let error as ArtifactError where error.isNotFound {
                return try deletion.deletePage(below: directoryPrefix, after: nil)
            } catch let error as ArtifactError {
                // Whoever may delete need not be allowed to look.
                guard case .refused(403, _) = error.code else { throw error }
            }
            try deletion.delete(Array(key.utf8))
            return nil
        }
        return try deletion.deletePage(below: directoryPrefix, after: continuation)
    }

    // MARK: Keys

    /// Whether the key can only mean what stands below it.
    private var isDirectoryKey: Bool { key.isEmpty || key.hasSuffix("/") }

    /// What the keys of a directory's files begin with.
    private var directoryPrefix: [UInt8] { key.isEmpty ? [] : BytePath(key).cleaned.bytes + [UInt8(ascii: "/")] }

    private func key(at relative: BytePath?) throws -> [UInt8] {
        guard let relative else { return Array(key.utf8) }
        guard relative.validText != nil else {
            throw ArtifactError.invalid("save", subject, "the name '\(relative)' is not UTF-8, as S3's keys must be")
        }
        return BytePath(key).appending(relative).cleaned.bytes
    }

    private func subject(of key: [UInt8]) -> String {
        "s3://\(client.endpoint.bucket)/\(String(decoding: key, as: UTF8.self))"
    }
}
