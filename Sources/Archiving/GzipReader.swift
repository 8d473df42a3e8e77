import CISAL
package import SystemSupport

/// Decompresses a gzip stream of any number of members; zeros after the last are passed over. Checksums are verified.
///
/// ISA-L decodes what is between header and end of a member; headers are read here, because ISA-L forgets their flags when one is
/// split between two of its inputs.
package final class GzipReader: ByteSource {
    private enum State {
        case beforeMember(isFirst: Bool)
        case inMember
        case ended
        case failed(any Error)
    }

    private let inflater: Inflater
    private var state = State.beforeMember(isFirst: true)

    package init(_ source: any ByteSource) { inflater = Inflater(source) }

    /// - Throws: `ArchiveError` with `wrongFormat`, `truncated`, `corrupt` or `trailingGarbage`, or what the source throws; the same
    ///   again at each later call.
    package func read(into buffer: inout MutableSpan<UInt8>) throws -> Int {
        if buffer.isEmpty { return 0 }
        do {
            while true {
                switch state {
                case .ended: return 0
                case .failed(let error): throw error
                case .beforeMember(let isFirst):
                    guard try readHeader(isFirst: isFirst) else {
                        state = .ended
                        return 0
                    }
                    inflater.start(.gzipTrailer)
                    state = .inMember
                case .inMember:
                    let (count, fault) = try inflater.read(into: &buffer)
                    if let fault { state = .failed(Self.error(fault)) }
                    if inflater.isFinished { state = .beforeMember(isFirst: false) }
                    if count > 0 { return count }
                }
            }
        } catch {
            state = .failed(error)
            throw error
        }
    }

    // MARK: Headers (RFC 1952)

    /// - Returns: false when the stream ends, as it may before all members but the first.
    private func readHeader(isFirst: Bool) throws -> Bool {
        guard var byte = try nextByte() else {
            if isFirst { throw Self.error(.wrongFormat, "the stream is empty") }
            return false
        }
        if !isFirst {
            let isPadding = byte == 0
            while byte == 0 {
                guard let next = try nextByte() else { return false }
                byte = next
            }
            if isPadding { throw Self.error(.trailingGarbage, "data after the end of the stream") }
        }
        guard byte == 0x1F, try nextByte() == 0x8B else {
            throw isFirst
                ? Self.error(.wrongFormat, "invalid header")
                : Self.error(.trailingGarbage, "data after the end of the stream")
        }
        var header: [UInt8] = [0x1F, 0x8B]
        func next() throws -> UInt8 {
            guard let byte = try nextByte() else { throw Self.error(.truncated, "unexpected EOF") }
            header.append(byte)
            return byte
        }
        guard try next() == 8 else { throw Self.error(.wrongFormat, "invalid header") }
        let flags = try next()
        for _ in 0..<6 { _ = try next() }
        if flags & 4 != 0 {
            let low = try next()
            let length = try Int(low) | Int(next()) << 8
            for _ in 0..<length { _ = try next() }
        }
        // Name and comment, each up to a NUL.
        for flag: UInt8 in [8, 16] where flags & flag != 0 {
            var length = 0
            while try next() != 0 {
                length += 1
                if length > Self.textLimit { throw Self.error(.wrongFormat, "invalid header") }
            }
        }
        if flags & 2 != 0 {
            let checksum = unsafe header.withUnsafeBufferPointer { header in
                unsafe crc32_gzip_refl(0, header.baseAddress!, UInt64(header.count))
            }
            let low = try next()
            guard try UInt32(low) | UInt32(next()) << 8 == checksum & 0xFFFF else {
                throw Self.error(.corrupt, "invalid header checksum")
            }
        }
        return true
    }

    /// The longest name or comment that a header may have.
    private static let textLimit = 64 << 10

    private func nextByte() throws -> UInt8? { try inflater.nextByte() }

    private static func error(_ fault: Inflater.Fault) -> ArchiveError {
        switch fault {
        case .invalidData: error(.corrupt, "invalid compressed data")
        case .invalidChecksum: error(.corrupt, "invalid checksum")
        case .endsTooEarly: error(.truncated, "unexpected EOF")
        }
    }

    private static func error(_ code: ArchiveError.Code, _ cause: String) -> ArchiveError {
        ArchiveError(code, "gunzip", "", cause)
    }
}
