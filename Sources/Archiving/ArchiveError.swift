import SystemSupport

/// An archive that cannot be written or read.
package struct ArchiveError: ClassifiedError, Sendable {
    package enum Code: Sendable {
        /// What shall be packed does not exist.
        case notFound
        /// What shall be packed is neither file nor directory.
        case unsupportedKind
        /// A compression level outside -2…9.
        case invalidLevel
        /// The bytes are no archive of that kind.
        case wrongFormat
        /// The stream ends too early.
        case truncated
        /// A checksum differs, or the structure makes no sense.
        case corrupt
        /// After the last member of a gzip stream comes something else.
        case trailingGarbage
        /// An entry would be created outside the target, or through a symbolic link.
        case escapes
        /// A limit that the user has set is passed.
        case limitExceeded
    }

    package let code: Code
    package let message: String
    package var isNotFound: Bool { code == .notFound }
    /// Whether the bytes made no sense, as those of an archive that was changed on its way do not.
    package var isOfBrokenBytes: Bool { [.wrongFormat, .truncated, .corrupt, .trailingGarbage].contains(code) }

    /// - Parameters:
    ///   - operation: what was tried, e.g. `untar`.
    ///   - subject: the entry or file; may be empty.
    ///   - cause: what stood in the way.
    init(_ code: Code, _ operation: String, _ subject: String, _ cause: String) {
        self.code = code
        message = subject.isEmpty ? "\(operation): \(cause)" : "\(operation) \(subject): \(cause)"
    }
}
