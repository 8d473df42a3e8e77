import Glibc
package import SystemSupport

/// Finds the file of a program as the reference's language does it (contract 02 §4.10), with its texts.
package enum ProgramSearch {
    /// Why there is no program of that name.
    package struct Failure: ClassifiedError, Equatable, Sendable {
        /// `exec: "<name>": <reason>`.
        package let message: String
        package let isNotFound: Bool

        init(_ name: BytePath, _ reason: String, isNotFound: Bool = false) {
            message = "exec: \(GoText.quoted(name.bytes)): \(reason)"
            self.isNotFound = isNotFound
        }
    }

    /// A name with a slash must itself be executable; any other is looked for in the directories of `searchPath`, the value of
    /// PATH. A hit in a directory that depends on the working directory is refused.
    ///
    /// - Returns: the path to execute, which is also the program's own name for itself.
    package static func find(_ name: BytePath, searchPath: BytePath?) throws(Failure) -> BytePath {
        if name.bytes.contains(UInt8(ascii: "/")) {
            switch check(name) {
            case .executable: return name
            case .absent(let code): throw Failure(name, "stat \(name): \(errnoText(code))", isNotFound: code == ENOENT)
            case .unusable(let code): throw Failure(name, errnoText(code))
            }
        }
        if !["", ".", ".."].contains(name), let searchPath, !searchPath.isEmpty {
            for part in searchPath.bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false) {
                let directory: BytePath = part.isEmpty ? "." : BytePath(bytes: part)
                let candidate = directory.appending(name).cleaned
                guard case .executable = check(candidate) else { continue }
                if candidate.isAbsolute { return candidate }
                throw Failure(name, "cannot run executable found relative to current directory")
            }
        }
        throw Failure(name, "executable file not found in $PATH", isNotFound: true)
    }

    private enum Finding {
        case executable
        case absent(Int32)
        case unusable(Int32)
    }

    private static func check(_ path: BytePath) -> Finding {
        unsafe path.withCString { name in
            var information = stat()
            if unsafe stat(name, &information) == -1 { return .absent(errno) }
            if information.st_mode & S_IFMT == S_IFDIR { return .unusable(EISDIR) }
            if unsafe faccessat(AT_FDCWD, name, X_OK, AT_EACCESS) == 0 { return .executable }
            let code = errno
            // An old seccomp profile forbids the call itself: then the permission bits decide.
            if code != ENOSYS && code != EPERM { return .unusable(code) }
            return information.st_mode & 0o111 != 0 ? .executable : .unusable(EACCES)
        }
    }
}

/// Text as Go prints it.
package enum GoText {
    /// `strconv.Quote`: in double quotes, with what is not printable or not UTF-8 escaped.
    package static func quoted(_ bytes: [UInt8]) -> String {
        var text = "\""
        var rest = bytes[...]
        while let byte = rest.first {
            if byte >= 0x80 {
                let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2
                if let character = String(validating: rest.prefix(length), as: UTF8.self), character.unicodeScalars.count == 1 {
                    text += character
                    rest = rest.dropFirst(length)
                    continue
                }
            }
            rest = rest.dropFirst()
            switch byte {
            case 0x07: text += "\\a"
            case 0x08: text += "\\b"
            case 0x09: text += "\\t"
            case 0x0A: text += "\\n"
            case 0x0B: text += "\\v"
            case 0x0C: text += "\\f"
            case 0x0D: text += "\\r"
            case 0x22: text += "\\\""
            case 0x5C: text += "\\\\"
            case 0x20...0x7E: text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "\\x" + hexadecimal([byte])
            }
        }
        return text + "\""
    }
}
