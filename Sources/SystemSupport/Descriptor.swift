package import Glibc

/// An open file descriptor with one owner, closed when the owner goes.
///
/// A written file is closed by `close(_:)`, which tells what the kernel still had to say (EIO, ENOSPC, EDQUOT); `deinit` only
/// abandons. Every descriptor is opened close-on-exec.
package struct Descriptor: ~Copyable, Sendable {
    package let raw: Int32

    /// Takes over an open descriptor.
    package init(owning raw: Int32) { self.raw = raw }

    deinit { _ = Glibc.close(raw) }

    /// Gives the descriptor away without closing it.
    package consuming func release() -> Int32 {
        let raw = self.raw
        discard self
        return raw
    }

    /// Closes a written file, and throws what the kernel still had to say.
    package consuming func close(_ subject: @autoclosure () -> String) throws(SystemError) {
        let raw = release()
        try checked("close", subject(), repeating: false) { Glibc.close(raw) }
    }

    /// Opens a path; O_CLOEXEC is always added.
    package static func open(_ path: BytePath, _ flags: Int32, mode: mode_t = 0o666) throws(SystemError) -> Descriptor {
        let raw = try unsafe path.withCString { (name) throws(SystemError) in
            try checked("open", path.text) { unsafe Glibc.open(name, flags | O_CLOEXEC, mode) }
        }
        return Descriptor(owning: raw)
    }
}

/// Reading and writing whole buffers on a raw descriptor that the caller owns.
package enum DescriptorIO {
    /// Reads at most `buffer.count` bytes; 0 is the end.
    package static func read(
        _ raw: Int32, into buffer: inout MutableSpan<UInt8>, subject: @autoclosure () -> String
    ) throws(SystemError) -> Int {
        if buffer.isEmpty { return 0 }
        return try unsafe buffer.withUnsafeMutableBytes { (bytes) throws(SystemError) in
            try checked("read", subject()) { unsafe Glibc.read(raw, bytes.baseAddress!, bytes.count) }
        }
    }

    /// Reads at an offset; 0 is the end.
    package static func read(
        _ raw: Int32, into buffer: inout MutableSpan<UInt8>, at offset: Int64, subject: @autoclosure () -> String
    ) throws(SystemError) -> Int {
        if buffer.isEmpty { return 0 }
        return try unsafe buffer.withUnsafeMutableBytes { (bytes) throws(SystemError) in
            try checked("read", subject()) { unsafe pread(raw, bytes.baseAddress!, bytes.count, Int(offset)) }
        }
    }

    /// Writes all of the bytes.
    package static func write(
        _ raw: Int32, _ bytes: Span<UInt8>, subject: @autoclosure () -> String
    ) throws(SystemError) {
        try unsafe bytes.withUnsafeBytes { (buffer) throws(SystemError) in
            var done = 0
            while done < buffer.count {
                done += try checked("write", subject()) {
                    unsafe Glibc.write(raw, buffer.baseAddress! + done, buffer.count - done)
                }
            }
        }
    }

    /// Writes all of the bytes at an offset.
    package static func write(
        _ raw: Int32, _ bytes: Span<UInt8>, at offset: Int64, subject: @autoclosure () -> String
    ) throws(SystemError) {
        try unsafe bytes.withUnsafeBytes { (buffer) throws(SystemError) in
            var done = 0
            while done < buffer.count {
                done += try checked("write", subject()) {
                    unsafe pwrite(raw, buffer.baseAddress! + done, buffer.count - done, Int(offset) + done)
                }
            }
        }
    }

    /// The whole rest of a file, at most `limit` bytes.
    ///
    /// - Throws: EFBIG when there is more than the limit.
    package static func readAll(
        _ raw: Int32, limit: Int = 1 << 30, subject: @autoclosure () -> String
    ) throws(SystemError) -> [UInt8] {
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            var span = chunk.mutableSpan
            let count = try read(raw, into: &span, subject: subject())
            if count == 0 { return all }
            if all.count + count > limit { throw SystemError("read", subject(), EFBIG) }
            all.append(contentsOf: chunk[..<count])
        }
    }
}

/// Whole small files.
package enum SmallFile {
    /// The content of a file, at most `limit` bytes.
    package static func read(_ path: BytePath, limit: Int = 1 << 30) throws(SystemError) -> [UInt8] {
        let file = try Descriptor.open(path, O_RDONLY)
        return try DescriptorIO.readAll(file.raw, limit: limit, subject: path.text)
    }

    /// Writes a file, truncating what was there.
    package static func write(_ path: BytePath, _ bytes: [UInt8], mode: mode_t = 0o644) throws(SystemError) {
        let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
        try DescriptorIO.write(file.raw, bytes.span, subject: path.text)
        try file.close(path.text)
    }
}
