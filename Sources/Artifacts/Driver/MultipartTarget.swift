/// A place where one object can be put together from parts.
package protocol MultipartTarget: Sendable {
    var limits: MultipartLimits { get }

    /// Begins an upload; one request. Nothing can be seen of it before it is complete.
    ///
    /// - Throws: `MultipartUnsupported` where the store turns out to know no uploads in parts.
    func begin() throws -> any MultipartUpload
}

/// The store knows no uploads in parts: one request must do.
package struct MultipartUnsupported: Error {
    /// What the store said.
    package let refusal: ArtifactError

    /// Bytes that one request may store.
    package static let singleRequestLimit: Int64 = 5 << 30

    package init(refusal: ArtifactError) { self.refusal = refusal }
}

/// An upload in parts that has begun. Parts may be sent side by side, again, and in any order.
package protocol MultipartUpload: Sendable {
    /// Sends one part; one request.
    ///
    /// - Parameter number: 1 for the first.
    func put(part number: Int, _ body: ObjectBody) throws -> PartReceipt

    /// Makes the object of all parts, in order; one request. Said again after a success that was not heard of, it succeeds.
    func complete(_ parts: [PartReceipt]) throws

    /// Drops all parts; one request.
    func abort() throws
}

/// What a store allows for parts.
package struct MultipartLimits: Sendable, Equatable {
    /// Bytes of any part but the last.
    package var minimumPart: Int64
    package var maximumPart: Int64
    package var maximumCount: Int
    /// Parts must come one after the other, in their order.
    package var isSequential: Bool

    package init(minimumPart: Int64, maximumPart: Int64, maximumCount: Int, isSequential: Bool = false) {
        self.minimumPart = minimumPart
        self.maximumPart = maximumPart
        self.maximumCount = maximumCount
        self.isSequential = isSequential
    }
}

/// A part that the store has taken.
package struct PartReceipt: Sendable, Equatable {
    package let number: Int
    /// Bytes.
    package let length: Int64
    /// What the store calls the part: an ETag, a block's id.
    package let tag: String
    /// CRC32C of the part, where it was computed.
    package let crc32c: UInt32?

    package init(number: Int, length: Int64, tag: String, crc32c: UInt32?) {
        self.number = number
        self.length = length
        self.tag = tag
        self.crc32c = crc32c
    }
}
