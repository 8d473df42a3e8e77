import Glibc
import SystemSupport

/// A source some of whose bytes have been looked at: gives these again, then the rest.
final class ReplayedSource: ByteSource {
    private let rest: any ByteSource
    private var looked: [UInt8]
    private var position = 0

    init(_ looked: [UInt8], then rest: any ByteSource) {
        self.looked = looked
        self.rest = rest
    }

    func read(into buffer: inout MutableSpan<UInt8>) throws -> Int {
        if position == looked.count { return try rest.read(into: &buffer) }
        let count = min(buffer.count, looked.count - position)
        unsafe looked.withUnsafeBytes { bytes in
            unsafe buffer.withUnsafeMutableBytes { buffer in
                if count > 0 { unsafe memcpy(buffer.baseAddress!, bytes.baseAddress! + position, count) }
            }
        }
        position += count
        if position == looked.count { (looked, position) = ([], 0) }
        return count
    }
}

/// Hands out a source's bytes and keeps them.
final class RecordingSource: ByteSource {
    private let source: any ByteSource
    private let limit: Int
    private(set) var recorded: [UInt8] = []

    /// - Parameter limit: after so many bytes it pretends to be at the end.
    init(_ source: any ByteSource, limit: Int) {
        self.source = source
        self.limit = limit
    }

    func read(into buffer: inout MutableSpan<UInt8>) throws -> Int {
        let room = min(buffer.count, limit - recorded.count)
        if room <= 0 { return 0 }
        var part = buffer._mutatingExtracting(first: room)
        let count = try source.read(into: &part)
        unsafe part.withUnsafeBytes { unsafe recorded.append(contentsOf: $0[..<count]) }
        return count
    }
}

/// Hands out a source's bytes and counts them.
final class CountingSource: ByteSource {
    private let source: any ByteSource
    private(set) var count: Int64 = 0

    init(_ source: any ByteSource) { self.source = source }

    func read(into buffer: inout MutableSpan<UInt8>) throws -> Int {
        let read = try source.read(into: &buffer)
        count += Int64(read)
        return read
    }
}
