package import Glibc

extension SmallFile {
    /// Writes a file aside and renames it over `path`: a reader sees the old content or the new, never a part, and where the
    /// writing fails the old content stays.
    package static func replace(_ path: BytePath, _ bytes: [UInt8], mode: mode_t = 0o644) throws(SystemError) {
        let number = String(UInt64.random(in: .min ... .max), radix: 36)
        let aside = path.directory.appending(BytePath("." + number + ".tmp"))
        do throws(SystemError) {
            try write(aside, bytes, mode: mode)
            _ = try unsafe aside.withCString { (from) throws(SystemError) in
                try unsafe path.withCString { (to) throws(SystemError) in
                    try checked("rename") { unsafe rename(from, to) }
                }
            }
        } catch {
            _ = unsafe aside.withCString { unsafe unlink($0) }
            throw SystemError(error.operation, path.text, error.code)
        }
    }
}
