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

    /// Where file systems are mounted in the process's own root; none where /proc cannot be read.
    package static func mountPoints() -> [BytePath] {
        // Read in pieces: the kernel makes the text anew for each, of no size that is known before.
        guard let table = try? SmallFile.read("/proc/self/mountinfo", limit: 16 << 20) else { return [] }
        return table.split(separator: 0x0A).compactMap { line in
            let fields = line.split(separator: 0x20, maxSplits: 5)
            return fields.count > 4 ? BytePath(bytes: unescaped(fields[4])) : nil
        }
    }

    /// Blanks and the like are written as a backslash and three octal digits.
    private static func unescaped(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3).map { Int($0) - 0x30 }
            if byte == UInt8(ascii: "\\"), digits.count == 3, digits.allSatisfy({ (0...7).contains($0) }) {
                bytes.append(UInt8(truncatingIfNeeded: digits[0] * 64 + digits[1] * 8 + digits[2]))
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
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
