package import Glibc

/// Small files that appear whole and with exactly the mode asked for, whatever the umask.
package enum AtomicFile {
    /// Writes a file aside and renames it over `path`, so that a reader sees the old content or the new, never a part.
    package static func write(_ path: BytePath, _ bytes: [UInt8], mode: mode_t) throws(SystemError) {
        let aside = temporaryName(for: path)
        try create(aside, bytes, mode: mode, finalName: path)
        do throws(SystemError) { try rename(aside, to: path) } catch {
            remove(aside)
            throw error
        }
    }

    /// As `write`, with content that `body` writes to a raw descriptor.
    package static func write(_ path: BytePath, mode: mode_t, _ body: (Int32) throws -> Void) throws {
        let aside = temporaryName(for: path)
        let file = try createAside(aside, mode: mode, finalName: path)
        do {
            try body(file.raw)
            try file.close(path.text)
            try rename(aside, to: path)
        } catch {
            remove(aside)
            throw error
        }
    }

    /// As `write`, but leaves a file that is there already.
    ///
    /// - Returns: whether the file is ours.
    package static func writeNew(_ path: BytePath, _ bytes: [UInt8], mode: mode_t) throws(SystemError) -> Bool {
        let aside = temporaryName(for: path)
        try create(aside, bytes, mode: mode, finalName: path)
        defer { remove(aside) }
        let linked = unsafe path.withCString { name in unsafe aside.withCString { unsafe link($0, name) } }
        if linked == 0 { return true }
        let code = errno
        if code == EEXIST { return false }
        throw SystemError("create", path.text, code)
    }

    /// The content, or nil where there is no such file.
    package static func readIfPresent(_ path: BytePath, limit: Int = 1 << 30) throws(SystemError) -> [UInt8]? {
        do throws(SystemError) { return try SmallFile.read(path, limit: limit) } catch {
            if error.code == ENOENT { return nil }
            throw error
        }
    }

    /// Whether something has this name; a symbolic link counts as itself.
    package static func exists(_ path: BytePath) -> Bool {
        var information = stat()
        return unsafe path.withCString { unsafe lstat($0, &information) } == 0
    }

    /// Renames over whatever has the new name.
    package static func rename(_ from: BytePath, to: BytePath) throws(SystemError) {
        _ = try unsafe from.withCString { (from) throws(SystemError) in
            try unsafe to.withCString { (target) throws(SystemError) in
                try checked("rename", to.text) { unsafe Glibc.rename(from, target) }
            }
        }
    }

    /// Removes a file; that it is not there is no matter.
    package static func remove(_ path: BytePath) { _ = unsafe path.withCString { unsafe unlink($0) } }

    /// Creates a directory and what is missing above it, each with exactly this mode; what exists is left as it is.
    package static func createDirectory(_ path: BytePath, mode: mode_t = 0o777) throws(SystemError) {
        let made = unsafe path.withCString { unsafe mkdir($0, mode) }
        if made == 0 {
            _ = try unsafe path.withCString { (name) throws(SystemError) in
                try checked("chmod", path.text) { unsafe chmod(name, mode) }
            }
            return
        }
        let code = errno
        switch code {
        case EEXIST:
            var information = stat()
            if unsafe path.withCString({ unsafe stat($0, &information) }) == 0, information.st_mode & S_IFMT == S_IFDIR {
                return
            }
            throw SystemError("mkdir", path.text, ENOTDIR)
        case ENOENT where path.directory != path && !path.cleaned.components.isEmpty:
            try createDirectory(path.directory, mode: mode)
            try createDirectory(path, mode: mode)
        default:
            // A read-only file system says so even where the directory exists.
            var information = stat()
            if unsafe path.withCString({ unsafe stat($0, &information) }) == 0, information.st_mode & S_IFMT == S_IFDIR {
                return
            }
            throw SystemError("mkdir", path.text, code)
        }
    }

    /// A unique name beside `path`: containers share the directory but not the numbers of their processes.
    package static func temporaryName(for path: BytePath) -> BytePath {
        let number = String(UInt64.random(in: .min ... .max), radix: 36)
        return path.directory.appending(
            BytePath(bytes: [UInt8(ascii: ".")] + path.base.bytes.prefix(64)).suffixed(".\(number).tmp"))
    }

    private static func create(
        _ path: BytePath, _ bytes: [UInt8], mode: mode_t, finalName: BytePath
    ) throws(SystemError) {
        let file = try createAside(path, mode: mode, finalName: finalName)
        do throws(SystemError) {
            try DescriptorIO.write(file.raw, bytes.span, subject: finalName.text)
            try file.close(finalName.text)
        } catch {
            remove(path)
            throw error
        }
    }

    /// Creates a file that must not exist. Errors name the file that it is for.
    private static func createAside(_ path: BytePath, mode: mode_t, finalName: BytePath) throws(SystemError) -> Descriptor {
        do throws(SystemError) {
            let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: mode)
            let raw = file.raw
            try checked("chmod", "") { fchmod(raw, mode) }
            return file
        } catch { throw SystemError(error.operation == "open" ? "create" : error.operation, finalName.text, error.code) }
    }
}
