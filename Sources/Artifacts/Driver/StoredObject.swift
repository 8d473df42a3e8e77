package import SystemSupport

/// What stands at a location.
package enum FoundArtifact: Sendable {
    case object(any StoredObject)
    case directory(any StoredDirectory)
    /// A file or a directory that only the driver can bring: a checkout, what another program writes.
    case tree(any StoredTree)
}

/// One stored object that can be read from any offset, as often as needed.
package protocol StoredObject: Sendable {
    /// The object for messages, without secrets.
    var subject: String { get }
    /// What is known of it without asking.
    var head: ObjectHead { get }

    /// Differs where the content differs; nil where nothing is known that does.
    var identity: String? { get }

    /// Makes an empty file's content that of the object, without moving a byte.
    ///
    /// - Returns: false where the object must be read; the file is as before.
    func share(with file: Int32) throws -> Bool

    /// Whether bytes that came twice alike are taken although an ETag that looks like their MD5 differs: it is none then, and
    /// the store is remembered for it.
    func acceptsOtherETag() -> Bool

    /// All that the store tells of it; at most one request.
    func describe() throws -> ObjectHead

    /// Reads with one request.
    ///
    /// - Parameters:
    ///   - offset: where to begin; above 0 only the object that `validator` names is read on.
    ///   - length: bytes, at least 1; nil for all to the end.
    ///   - validator: the `ObjectHead.validator` seen before; nil for any.
    ///   - receive: called once, before the first byte, with what the answer says; gives the sink. The store may begin before
    ///     `offset` (`ObjectHead.offset`) and go on beyond `length`, where it knows no ranges.
    /// - Throws: a transient error when the body broke off or is shorter than announced; `ArtifactError` with code `changed` when
    ///   the validator fits no more; errors of `receive` and of the sink as they are.
    func read(
        from offset: Int64, length: Int64?, validator: String?, receive: (ObjectHead) throws -> any ByteSink
    ) throws
}

extension StoredObject {
    package func describe() throws -> ObjectHead { head }
    package var identity: String? { nil }
    package func acceptsOtherETag() -> Bool { true }
    package func share(with file: Int32) throws -> Bool { false }
}

/// What a store tells of an object.
package struct ObjectHead: Sendable, Equatable {
    /// Bytes of the whole object; nil where the store does not tell.
    package var length: Int64?
    /// Changes with the content (an ETag).
    package var validator: String?
    /// Of the whole object, the best of those told.
    package var checksum: ObjectChecksum?
    /// Whether a read can begin anywhere.
    package var supportsRanges: Bool
    /// Where the bytes of this answer begin in the object.
    package var offset: Int64

    package init(
        length: Int64? = nil, validator: String? = nil, checksum: ObjectChecksum? = nil, supportsRanges: Bool = false,
        offset: Int64 = 0
    ) {
        self.length = length
        self.validator = validator
        self.checksum = checksum
        self.supportsRanges = supportsRanges
        self.offset = offset
    }

    /// Whether both name the same content: quotes, and the mark of a weak tag that a proxy adds, do not count.
    package func names(_ other: ObjectHead) -> Bool {
        guard let validator, let known = other.validator else { return false }
        return Self.opaque(validator) == Self.opaque(known)
    }

    private static func opaque(_ tag: String) -> [UInt8] {
        Array((tag.hasPrefix("W/") ? tag.dropFirst(2) : tag[...]).utf8.filter { $0 != UInt8(ascii: "\"") })
    }
}

/// Objects that together are a directory.
package protocol StoredDirectory: Sendable {
    /// The directory for messages, without secrets.
    var subject: String { get }

    /// One page of entries; one request.
    ///
    /// - Parameter continuation: nil for the first page, else `StoredPage.next` of the one before.
    func page(after continuation: String?) throws -> StoredPage
}

/// Some entries of a directory.
package struct StoredPage: Sendable {
    package var entries: [StoredEntry]
    /// Asks for the next page; nil at the end.
    package var next: String?

    package init(entries: [StoredEntry], next: String?) {
        self.entries = entries
        self.next = next
    }
}

/// One object of a directory.
package struct StoredEntry: Sendable {
    /// Path below the directory, as stored: not yet checked for `..` and the like.
    package var name: BytePath
    package var object: any StoredObject

    package init(name: BytePath, object: any StoredObject) {
        self.name = name
        self.object = object
    }
}
