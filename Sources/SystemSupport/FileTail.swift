import Glibc

/// The end of a file that may be of any size.
package enum FileTail {
    /// The last `count` bytes, or all where it is shorter.
    ///
    /// A link is not followed: user code must not point us elsewhere.
    package static func read(_ path: BytePath, count: Int) throws(SystemError) -> [UInt8] {
        let file = try Descriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        return try read(file.raw, count: count, subject: path.text)
    }

    /// The same of an open file.
    package static func read(
        _ raw: Int32, count: Int, subject: @autoclosure () -> String
    ) throws(SystemError) -> [UInt8] {
        let size = try checked("seek", subject()) { lseek(raw, 0, SEEK_END) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: min(count, size))
        var offset = size - chunk.count
        while bytes.count < count {
            var span = chunk.mutableSpan
            let got = try DescriptorIO.read(raw, into: &span, at: Int64(offset), subject: subject())
            if got == 0 { break }
            bytes += chunk[..<min(got, count - bytes.count)]
            offset += got
        }
        return bytes
    }
}
