import Glibc
package import SystemSupport

/// The names in an open directory, in the file system's order.
@safe
final class DirectoryListing {
    private let stream: OpaquePointer
    private let subject: String

    /// Lists from the beginning, whatever was read from `directory` before; its own offset stays.
    init(_ directory: Int32, subject: String) throws(SystemError) {
        let file = try DirectoryIO.open(directory, ".", O_RDONLY | O_DIRECTORY, subject: subject)
        let raw = file.release()
        guard let stream = unsafe fdopendir(raw) else {
            let code = errno
            close(raw)
            throw SystemError("list", subject, code)
        }
        unsafe self.stream = stream
        self.subject = subject
    }

    deinit { unsafe closedir(stream) }

    /// Lends the next name but `.` and `..` to `body`.
    ///
    /// - Returns: false at the end.
    func next(_ body: (UnsafeRawBufferPointer) -> Void) throws(SystemError) -> Bool {
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                let code = errno
                if code != 0 { throw SystemError("list", subject, code) }
                return false
            }
            let name = unsafe UnsafeRawPointer(entry) + MemoryLayout<dirent>.offset(of: \.d_name)!
            let length = unsafe strlen(name.assumingMemoryBound(to: CChar.self))
            let bytes = unsafe UnsafeRawBufferPointer(start: name, count: length)
            let isDot = unsafe bytes.allSatisfy { $0 == UInt8(ascii: ".") } && length <= 2
            if isDot { continue }
            unsafe body(bytes)
            return true
        }
    }
}

extension DirectoryIO {
    /// At most two of the names in an open directory: enough to tell none, one and several apart.
    package static func firstNames(_ directory: Int32, subject: String) throws(SystemError) -> [BytePath] {
        let listing = try DirectoryListing(directory, subject: subject)
        var names: [BytePath] = []
        while names.count < 2 {
            guard try unsafe listing.next({ names.append(BytePath(bytes: unsafe Array($0))) }) else { break }
        }
        return names
    }
}
