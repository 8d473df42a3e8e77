import CLinuxShims
import Glibc
package import SystemSupport

/// What belongs to the whole process: its working directory, its umask, its standard descriptors.
package enum ProcessAttributes {
    package static func workingDirectory() throws(SystemError) -> BytePath {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let found = unsafe buffer.withUnsafeMutableBytes {
            unsafe getcwd($0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count) != nil
        }
        let code = errno
        if !found { throw SystemError("getwd", "", code) }
        return BytePath(bytes: buffer)
    }

    package static func changeDirectory(to path: BytePath) throws(SystemError) {
        _ = try unsafe path.withCString { (name) throws(SystemError) in
            try checked("chdir", path.text) { unsafe chdir(name) }
        }
    }

    /// Files get exactly the modes that are asked for, those of children too.
    package static func clearUmask() { _ = umask(0) }

    /// Puts something harmless in the place of closed standard streams, so that no file of ours gets their numbers. A child still
    /// finds them closed.
    package static func reserveStandardDescriptors() { _ = linux_reserve_standard_descriptors() }

    /// The path with all symbolic links resolved; it must exist.
    package static func realPath(of path: BytePath) throws(SystemError) -> BytePath {
        try unsafe path.withCString { (name) throws(SystemError) in
            guard let real = unsafe realpath(name, nil) else { throw SystemError("resolve", path.text, errno) }
            defer { unsafe free(real) }
            let length = unsafe strlen(real)
            return BytePath(bytes: (0..<length).map { unsafe UInt8(bitPattern: real[$0]) })
        }
    }
}
