import CArchive
import FileTrees
import Glibc
import SystemSupport

/// Reads tar streams with libarchive. The handle's one owner.
@safe
final class ArchiveReader: EntryReader {
    enum Format {
        case tar
        /// One file of the decompressed bytes.
        case zstd
    }

    private let archive: OpaquePointer
    /// Where a stream's bytes come from; libarchive keeps a pointer to it as long as the handle lives.
    private let feed: Feed
    private let operation: String

    /// Begins to read a stream.
    ///
    /// - Throws: `wrongFormat` when it is none, what the source throws, or ENOMEM.
    init(_ source: any ByteSource, _ format: Format, operation: String) throws {
        self.operation = operation
        let feed = Feed(source)
        self.feed = feed
        unsafe archive = try Self.makeHandle()
        switch format {
        case .tar:
            unsafe archive_read_support_format_tar(archive)
            unsafe archive_read_support_format_empty(archive)
        case .zstd:
            unsafe archive_read_support_filter_zstd(archive)
            unsafe archive_read_support_format_raw(archive)
        }
        let status = unsafe archive_read_open(
            archive, Unmanaged.passUnretained(feed).toOpaque(), nil,
            { archive, feed, block in
                let feed = unsafe Unmanaged<Feed>.fromOpaque(feed!).takeUnretainedValue()
                let (bytes, count) = unsafe feed.next()
                unsafe block!.pointee = bytes
                return count
            }, nil)
        try check(status)
    }

    deinit { unsafe archive_read_free(archive) }

    private static func makeHandle() throws(SystemError) -> OpaquePointer {
        guard let archive = unsafe archive_read_new() else { throw SystemError("set up reading", "", ENOMEM) }
        return unsafe archive
    }

    func next() throws -> ArchiveEntry? {
        var raw: OpaquePointer?
        let status = unsafe archive_read_next_header(archive, &raw)
        if status == ARCHIVE_EOF {
            // libarchive does not mind when the last of the zeros at the end cannot be read.
            if let failure = feed.failure, (failure as? ArchiveError)?.code != .trailingGarbage { throw failure }
            return nil
        }
        // A warning comes with every name that the C locale cannot express; the bytes are right nevertheless.
        if status != ARCHIVE_WARN { try check(status) }
        guard let raw = unsafe raw, let name = unsafe archive_entry_pathname(raw) else {
            throw ArchiveError(.corrupt, operation, "", "an entry has no name")
        }
        return unsafe Self.entry(raw, name)
    }

    func nextPiece(_ body: (Span<UInt8>, Int64) throws -> Void) throws -> Bool {
        var start: UnsafeRawPointer?
        var (count, offset) = (0, Int64(0))
        let status = unsafe archive_read_data_block(archive, &start, &count, &offset)
        if status == ARCHIVE_EOF { return false }
        try check(status)
        if count > 0, let start = unsafe start {
            let bytes = unsafe UnsafeRawBufferPointer(start: start, count: count)
            try unsafe body(Span(_unsafeElements: bytes.assumingMemoryBound(to: UInt8.self)), offset)
        }
        return true
    }

    private func check(_ status: Int32) throws {
        if let failure = feed.failure { throw failure }
        guard status != ARCHIVE_OK else { return }
        let text = unsafe archive_error_string(archive).map { unsafe String(cString: $0) } ?? "unknown error"
        let code: ArchiveError.Code =
            text.hasPrefix("Truncated") ? .truncated : text.hasPrefix("Unrecognized") ? .wrongFormat : .corrupt
        throw ArchiveError(code, operation, "", text.prefix(1).lowercased() + text.dropFirst())
    }

    private static func entry(_ raw: OpaquePointer, _ name: UnsafePointer<CChar>) -> ArchiveEntry {
        let kind: ArchiveEntry.Kind
        if let target = unsafe archive_entry_hardlink(raw) {
            kind = .hardLink(unsafe path(target))
        } else {
            switch unsafe mode_t(archive_entry_filetype(raw)) & S_IFMT {
            case S_IFREG: kind = .file
            case S_IFDIR: kind = .directory
            case S_IFLNK: kind = .symlink(unsafe archive_entry_symlink(raw).map { unsafe path($0) } ?? "")
            default: kind = .special
            }
        }
        return ArchiveEntry(
            name: unsafe path(name), kind: kind, mode: unsafe UInt32(archive_entry_perm(raw)) & 0o7777,
            size: unsafe archive_entry_size_is_set(raw) != 0 ? archive_entry_size(raw) : nil,
            modified: unsafe archive_entry_mtime_is_set(raw) != 0
                ? time(archive_entry_mtime(raw), archive_entry_mtime_nsec(raw)) : nil,
            accessed: unsafe archive_entry_atime_is_set(raw) != 0
                ? time(archive_entry_atime(raw), archive_entry_atime_nsec(raw)) : nil,
            attributes: unsafe attributes(raw), hasAccessList: unsafe archive_entry_acl_types(raw) != 0)
    }

    private static func path(_ text: UnsafePointer<CChar>) -> BytePath {
        unsafe BytePath(bytes: Array(UnsafeRawBufferPointer(start: text, count: strlen(text))))
    }

    private static func time(_ seconds: Int, _ nanoseconds: Int) -> Timestamp {
        Timestamp(seconds: Int64(seconds), nanoseconds: Int32(min(max(nanoseconds, 0), 999_999_999)))
    }

    private static func attributes(_ raw: OpaquePointer) -> [ExtendedAttribute] {
        var attributes: [ExtendedAttribute] = []
        unsafe archive_entry_xattr_reset(raw)
        var (name, value, length) = unsafe (UnsafePointer<CChar>?.none, UnsafeRawPointer?.none, 0)
        while unsafe archive_entry_xattr_next(raw, &name, &value, &length) == ARCHIVE_OK {
            guard let name = unsafe name else { continue }
            attributes.append(
                ExtendedAttribute(
                    name: unsafe path(name).bytes, value: unsafe Array(UnsafeRawBufferPointer(start: value, count: length))))
        }
        return attributes
    }

    /// Hands a source's bytes to libarchive.
    @safe
    private final class Feed {
        private let source: any ByteSource
        private let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 256 << 10)
        private(set) var failure: (any Error)?

        init(_ source: any ByteSource) { self.source = source }

        deinit { unsafe buffer.deallocate() }

        /// - Returns: where the bytes are and how many; 0 at the end, -1 for a failure.
        func next() -> (UnsafeRawPointer?, Int) {
            if failure != nil { return (nil, -1) }
            do {
                var span = unsafe buffer.mutableSpan
                return unsafe (UnsafeRawPointer(buffer.baseAddress!), try source.read(into: &span))
            } catch {
                failure = error
                return (nil, -1)
            }
        }
    }
}
