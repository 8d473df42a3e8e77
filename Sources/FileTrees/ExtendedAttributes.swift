import CLinuxShims
import Glibc
package import SystemSupport

/// An extended attribute of a file.
package struct ExtendedAttribute: Sendable, Equatable {
    package let name: [UInt8]
    package let value: [UInt8]

    package init(name: [UInt8], value: [UInt8]) {
        self.name = name
        self.value = value
    }

    /// Whether the name is of those that a file's owner may set: `user.…`.
    package var isUsers: Bool { name.starts(with: Array("user.".utf8)) }
}

/// Reading and writing extended attributes of open files.
package enum ExtendedAttributes {
    /// The attributes that belong to the file's user (`user.…`); none where the file system has no such thing.
    package static func read(_ file: Int32, subject: String) throws(SystemError) -> [ExtendedAttribute] {
        let names: [UInt8]
        do {
            names = try unsafe bytes("list attributes of", subject) { unsafe linux_flistxattr(file, $0, $1) }
        } catch  where error.code == EOPNOTSUPP || error.code == ENOSYS || error.code == EPERM { return [] }
        var attributes: [ExtendedAttribute] = []
        for name in names.split(separator: 0) where name.starts(with: Array("user.".utf8)) {
            let value = try unsafe BytePath(bytes: name).withCString { (name) throws(SystemError) in
                try unsafe bytes("read attribute of", subject) { unsafe linux_fgetxattr(file, name, $0, $1) }
            }
            attributes.append(ExtendedAttribute(name: Array(name), value: value))
        }
        return attributes
    }

    package static func write(_ file: Int32, _ attribute: ExtendedAttribute, subject: String) throws(SystemError) {
        try unsafe BytePath(bytes: attribute.name).withCString { (name) throws(SystemError) in
            try unsafe attribute.value.span.withUnsafeBytes { (value) throws(SystemError) in
                _ = try checked("set attribute of", subject) {
                    unsafe linux_fsetxattr(file, name, value.baseAddress, value.count)
                }
            }
        }
    }

    /// What a call answers that tells its length when it gets no room.
    private static func bytes(
        _ operation: String, _ subject: String, _ call: (UnsafeMutablePointer<CChar>?, Int) -> Int64
    ) throws(SystemError) -> [UInt8] {
        while true {
            let length = try checked(operation, subject) { call(nil, 0) }
            if length == 0 { return [] }
            var buffer = [CChar](repeating: 0, count: Int(length))
            var span = buffer.mutableSpan
            do {
                let count = try unsafe span.withUnsafeMutableBufferPointer { (bytes) throws(SystemError) in
                    try checked(operation, subject) { unsafe call(bytes.baseAddress, bytes.count) }
                }
                return buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) }
            } catch  where error.code == ERANGE {
                // It grew meanwhile.
            }
        }
    }
}
