package import Artifacts
import HTTPTransport
package import SystemSupport

/// Artifacts in Google Cloud Storage, by its JSON interface (contract 03 §6.2).
package struct GCSDriver: ArtifactDriver {
    let client: GCSClient
    /// As in the location.
    private let key: String
    private let contentTypes: ContentTypes
    private let attempts: RetrySchedule

    init(client: GCSClient, key: String, context: DriverContext) {
        self.client = client
        self.key = key
        contentTypes = context.contentTypes
        attempts = context.google.schedule
    }

    package var loadedModes: LoadedModes { LoadedModes(file: 0o666, directory: 0o700) }
    package var subject: String { client.subject(Array(key.utf8)) }
    package var needs: DriverNeeds { DriverNeeds(length: true) }
    package func schedule(for verb: ArtifactVerb) -> RetrySchedule { attempts }

    // MARK: Loading

    package func find() throws -> FoundArtifact {
        if !isDirectoryKey {
            do {
                return .object(GCSObject(client: client, key: objectKey, resource: try GCSObject.resource(client, objectKey)))
            } catch let error as ArtifactError where GCSAnswer.saysAbsent(error) {
                // Perhaps a directory; where the bucket is absent the list tells.
            }
        }
        let listing = listing(directoryPrefix)
        let first = try listing.page(after: nil)
        guard !first.isEmpty else { throw ArtifactError.notFound("find", subject, "404 Not Found") }
        return .directory(GCSDirectory(listing: listing, first: first))
    }

    package func isDirectory() throws -> Bool { try !listing(directoryPrefix).page(after: nil, atMost: 1).isEmpty }

    /// The object itself where there is one, else those below the key. Nothing is an empty list, and no error.
    package func list(after continuation: String?) throws -> KeyPage {
        if continuation == nil, !isDirectoryKey {
            do {
                _ = try GCSObject.resource(client, objectKey, "list")
                return KeyPage(keys: [String(decoding: objectKey, as: UTF8.self)], next: nil)
            } catch let error as ArtifactError where GCSAnswer.saysAbsent(error) {}
        }
        let page = try listing(directoryPrefix).page(after: continuation)
        return KeyPage(keys: page.objects.map(\.name).filter { !$0.hasSuffix("/") }, next: page.next)
    }

    // MARK: Saving

    package func put(_ content: ObjectContent, at relative: BytePath?) throws {
        try GCSPut(client: client, key: key(at: relative)).send(content.body, contentType: contentType(content.fileName))
    }

    package func multipart(at relative: BytePath?, fileName: BytePath) throws -> (any MultipartTarget)? {
        GCSUploadTarget(client: client, key: try key(at: relative), contentType: contentType(fileName))
    }

    private func contentType(_ fileName: BytePath) -> String {
        contentTypes.type(for: fileName) ?? "application/octet-stream"
    }

    // MARK: Deleting

    package func delete(after continuation: String?) throws -> String? {
        guard !key.isEmpty else { throw ArtifactError.invalid("delete", subject, "the key is empty") }
        if continuation == nil, !isDirectoryKey, try remove(objectKey) { return nil }
        let page = try listing(directoryPrefix).page(after: continuation, atMost: Self.deletedAtOnce)
        let keys = page.objects.map { Array($0.name.utf8) }
        try Parallel.forEach(count: keys.count, width: Self.deletionWidth) { index in _ = try remove(keys[index]) }
        return page.next
    }

    private static let deletedAtOnce = 100
    private static let deletionWidth = 8

    /// - Returns: false where there is no such object.
    private func remove(_ key: [UInt8]) throws -> Bool {
        do { try client.send(GCSRequest("DELETE", client.objectPath(key)), "delete", client.subject(key)) } catch let error
            as ArtifactError where GCSAnswer.saysAbsent(error)
        {
            return false
        }
        return true
    }

    // MARK: Keys

    /// Whether the key can only mean what stands below it.
    private var isDirectoryKey: Bool { key.isEmpty || key.hasSuffix("/") }

    private var objectKey: [UInt8] { BytePath(key).cleaned.bytes }

    /// What the keys of a directory's files begin with: with a slash, so that nothing beside it is meant (contract 05 C18).
    private var directoryPrefix: [UInt8] { key.isEmpty ? [] : objectKey + [UInt8(ascii: "/")] }

    private func listing(_ prefix: [UInt8]) -> GCSListing { GCSListing(client: client, prefix: prefix, subject: subject) }

    private func key(at relative: BytePath?) throws -> [UInt8] {
        guard let relative else { return objectKey }
        guard relative.validText != nil else {
            throw ArtifactError.invalid(
                "save", subject, "the name '\(relative)' is not UTF-8, as names in Cloud Storage must be")
        }
        return BytePath(key).appending(relative).cleaned.bytes
    }
}
