import CZlib

/// What a body that was compressed for the way only may decode to; nil for no limit. Collected bodies have their own limit as
/// well, which counts decoded bytes.
package struct DecodingLimits: Sendable, Equatable {
    package var bytes: Int64?
    /// Bytes decoded for each byte that came; looked at once more than 1 MiB is decoded.
    package var ratio: Int64?

    package init(bytes: Int64? = nil, ratio: Int64? = nil) {
        self.bytes = bytes
        self.ratio = ratio
    }
}

/// Decodes a body that was compressed for the way only (`Content-Encoding: gzip`), of any number of members, as it comes.
///
/// Not left to libcurl, which refuses codings that it does not know: a server that names one without being asked for it has its
/// body kept as it is, as Go's client does.
@safe
final class GzipDecoder {
    enum Fault: Error {
        case outOfMemory, invalidData
        /// More came out than the limits allow, in these words.
        case tooMuch(String)

        func transferError(bytesReceived: Int64) -> TransferError {
            let (code, cause): (TransferError.Code, String) =
                switch self {
                case .outOfMemory: (.other, "gzip: out of memory")
                case .invalidData: (.malformed, "gzip: invalid data")
                case .tooMuch(let words): (.tooLarge, "gzip: \(words)")
                }
            return .made(code, cause, bytesReceived: bytesReceived)
        }
    }

    /// Below so many bytes the ratio says nothing.
    private static let ratioFloor: Int64 = 1 << 20

    private let stream: UnsafeMutablePointer<z_stream>
    private var block = [UInt8](repeating: 0, count: 64 << 10)
    private var isBetweenMembers = true
    private let limits: DecodingLimits
    private var coded: Int64 = 0
    private var decoded: Int64 = 0

    init(_ limits: DecodingLimits = DecodingLimits()) throws(Fault) {
        self.limits = limits
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // Window bits above 15 ask for gzip's wrapping.
        let status = unsafe inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { throw .outOfMemory }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Whether what has come so far may be the whole.
    var isComplete: Bool { isBetweenMembers }

    /// Decodes some bytes and hands on what they mean.
    ///
    /// - Parameter give: false ends the decoding.
    /// - Returns: whether `give` took all.
    func decode(_ bytes: Span<UInt8>, _ give: (Span<UInt8>) -> Bool) throws(Fault) -> Bool {
        coded += Int64(bytes.count)
        return try unsafe bytes.withUnsafeBufferPointer { (bytes) throws(Fault) in
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
            unsafe stream.pointee.avail_in = UInt32(bytes.count)
            var isFull = false
            while unsafe stream.pointee.avail_in > 0 || isFull {
                if isBetweenMembers {
                    unsafe inflateReset(stream)
                    isBetweenMembers = false
                }
                let (status, count) = inflateOnce()
                isFull = count == block.count
                try note(count)
                if count > 0, !give(block.span.extracting(first: count)) { return false }
                switch status {
                case Z_STREAM_END:
                    isBetweenMembers = true
                    isFull = false
                case Z_OK, Z_BUF_ERROR: break
                case Z_MEM_ERROR: throw .outOfMemory
                default: throw .invalidData
                }
            }
            return true
        }
    }

    private func note(_ count: Int) throws(Fault) {
        decoded += Int64(count)
        if let limit = limits.bytes, decoded > limit { throw .tooMuch("more than \(limit) bytes decoded") }
        if let limit = limits.ratio, decoded > Self.ratioFloor, decoded / max(1, limit) > coded {
            throw .tooMuch("more than \(limit) bytes decoded for each byte that came")
        }
    }

    private func inflateOnce() -> (Int32, Int) {
        unsafe block.withUnsafeMutableBufferPointer { block in
            unsafe stream.pointee.next_out = block.baseAddress
            unsafe stream.pointee.avail_out = UInt32(block.count)
            let status = unsafe inflate(stream, Z_NO_FLUSH)
            return unsafe (status, block.count - Int(stream.pointee.avail_out))
        }
    }
}
