package import ExecutorCore

/// Copying the content of files, by sharing blocks where the file system can.
package enum FileCopy {
    /// Copies all that follows in the source to the target, both at their current offset, which for the source must be its start:
    /// FICLONE, else copy_file_range, else read and write. Holes stay holes.
    ///
    /// - Returns: the number of bytes copied, holes included.
    @discardableResult
    package static func copy(
        _ source: Int32, to target: Int32, subject: @autoclosure () -> String
    ) throws(SystemError) -> Int64 {
        fatalError()
    }

    /// Copies a regular file so that the target is either complete or as before: written aside, then renamed.
    package static func copy(_ source: BytePath, to target: BytePath, mode: UInt32) throws(SystemError) {
        fatalError()
    }
}
