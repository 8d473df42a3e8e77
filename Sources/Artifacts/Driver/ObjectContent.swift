import Glibc
package import SystemSupport

/// The bytes of one object to be stored, and the name of the file that they come from.
package struct ObjectContent {
    package var body: ObjectBody
    /// Last component of the local file's name: stores that want a content type take it from there.
    package var fileName: BytePath

    package init(_ body: ObjectBody, fileName: BytePath) {
        self.body = body
        self.fileName = fileName
    }
}

/// Where the bytes of an object, or of a part of one, come from.
package enum ObjectBody {
    case bytes([UInt8])
    /// Can be read again.
    case file(FileStretch)
    /// Can be read once, and its length is unknown: only for drivers that need none.
    case stream(any ByteSource)

    /// Bytes; nil where unknown.
    package var length: Int64? {
        switch self {
        case .bytes(let bytes): Int64(bytes.count)
        case .file(let stretch): stretch.length
        case .stream: nil
        }
    }
}

/// An open file that several threads read at offsets of their own.
package final class OpenFile: Sendable {
    package let descriptor: Descriptor
    /// For messages.
    package let subject: String

    package init(_ descriptor: consuming Descriptor, subject: String) {
        self.descriptor = descriptor
        self.subject = subject
    }

    /// Throws what the kernel still has to say about the bytes written, as a `close` would: network file systems and quotas speak
    /// up only then. The file stays open.
    package func settle() throws(SystemError) {
        let second = try checked("duplicate", subject) { fcntl(descriptor.raw, F_DUPFD_CLOEXEC, 0) }
        try Descriptor(owning: second).close(subject)
    }
}

/// A part of an open file.
package struct FileStretch: Sendable {
    package let file: OpenFile
    package let offset: Int64
    package let length: Int64

    package init(_ file: OpenFile, offset: Int64, length: Int64) {
        self.file = file
        self.offset = offset
        self.length = length
    }
}
