import CLinuxShims
import Glibc
package import SystemSupport

/// Copying the content of files, by sharing blocks where the file system can.
package enum FileCopy {
    /// Copies the whole source to the empty target: FICLONE, else copy_file_range, else read and write. Holes stay holes.
    ///
    /// - Parameter limit: bytes; of a longer source only so many are copied.
    /// - Returns: the number of bytes copied, holes included.
    @discardableResult
    package static func copy(
        _ source: Int32, to target: Int32, limit: Int64 = .max, subject: @autoclosure () -> String
    ) throws(SystemError) -> Int64 {
        if limit < .max { return try copyRange(source, target, length: limit, subject()) }
        let status = try FileStatus.of(source, subject: subject())
        if status.kind == .file {
            if linux_clone_file(source, target) == 0 { return status.size }
            if status.allocated < status.size { return try copySparse(source, target, status.size, subject()) }
        }
        return try copyRange(source, target, length: .max, subject())
    }

    /// Makes the empty target's content that of the source by sharing its blocks.
    ///
    /// - Returns: false where the file system cannot; the target is as before.
    package static func share(_ source: Int32, with target: Int32) -> Bool { linux_clone_file(source, target) == 0 }

    private static func copySparse(
        _ source: Int32, _ target: Int32, _ size: Int64, _ subject: String
    ) throws(SystemError) -> Int64 {
        var position: Int64 = 0
        while position < size {
            let start = Int64(lseek(source, Int(position), linux_seek_data()))
            // ENXIO: nothing but a hole is left. Anything else: the file system cannot tell, and all counts as data.
            let isHole = start == -1 && errno == ENXIO
            if isHole { break }
            let data = start == -1 ? position : start
            let hole = Int64(lseek(source, Int(data), linux_seek_hole()))
            let end = min(hole == -1 ? size : hole, size)
            if end <= data { break }
            try checked("seek", subject) { lseek(source, Int(data), SEEK_SET) }
            try checked("seek", subject) { lseek(target, Int(data), SEEK_SET) }
            position = data + (try copyRange(source, target, length: end - data, subject))
            if position < end { break }
        }
        try checked("truncate", subject) { ftruncate(target, Int(size)) }
        return size
    }

    /// Copies from the current offsets until `length` bytes or the end.
    private static func copyRange(
        _ source: Int32, _ target: Int32, length: Int64, _ subject: String
    ) throws(SystemError) -> Int64 {
        var done: Int64 = 0
        while done < length {
            let count = linux_copy_file_range(source, target, Int(min(length - done, 1 << 30)))
            if count > 0 {
                done += Int64(count)
                continue
            }
            if count == -1, errno == EINTR { continue }
            // 0 is the end, or a file such as those of /proc that says nothing of its length. Failures such as ENOSPC show
            // again in the plain way; ENOSYS, EPERM, EXDEV, EINVAL and the like do not.
            break
        }
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while done < length {
            let want = Int(min(length - done, Int64(buffer.count)))
            var span = buffer.mutableSpan
            var part = span._mutatingExtracting(first: want)
            let count = try DescriptorIO.read(source, into: &part, subject: subject)
            if count == 0 { break }
            try DescriptorIO.write(target, buffer.span.extracting(first: count), subject: subject)
            done += Int64(count)
        }
        return done
    }
}
