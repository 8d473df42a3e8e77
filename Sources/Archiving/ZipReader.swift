import FileTrees
import SystemSupport

/// Reads zip files by their central directory (APPNOTE 6.3): stored and deflated entries, records of 64 bits, anything before the
/// archive.
///
/// libarchive is not used here: without a UTF-8 locale, which images without locale files lack, it loses every name that is marked as
/// UTF-8, and it does not tell which entries have no mode.
final class ZipReader: EntryReader {
    private let keepsTimes: Bool
    private var directory: ZipDirectory
    private let content: ZipContent

    /// - Parameter keepsTimes: whether entries tell their times.
    /// - Throws: `wrongFormat` when the file is no zip.
    init(_ file: Int32, keepsTimes: Bool) throws {
        let file = try ZipFile(file)
        self.keepsTimes = keepsTimes
        directory = try ZipDirectory(file)
        content = ZipContent(file)
    }

    func next() throws -> ArchiveEntry? {
        guard let record = try directory.next() else { return nil }
        let name = BytePath(bytes: record.name)
        guard name.bytes.count == record.name.count, !name.isEmpty else { throw Self.error("", "an entry has no valid name") }
        if record.flags & 1 != 0 { throw Self.error(name.text, "the entry is encrypted") }
        try content.begin(record)
        let (kind, mode) = try kindAndMode(record, name)
        return ArchiveEntry(
            name: name, kind: kind, mode: mode, size: record.size, modified: keepsTimes ? record.modified : nil, accessed: nil,
            attributes: [], hasAccessList: false)
    }

    func nextPiece(_ body: (Span<UInt8>, Int64) throws -> Void) throws -> Bool { try content.nextPiece(body) }

    static func error(_ subject: String, _ cause: String, _ code: ArchiveError.Code = .corrupt) -> ArchiveError {
        ArchiveError(code, "unzip", subject, cause)
    }

    /// The longest target that a symbolic link has.
    private static let longestTarget = 64 << 10

    /// A mode counts where the entry was made on Unix or macOS and has one.
    private func kindAndMode(
        _ record: ZipDirectory.Record, _ name: BytePath
    ) throws -> (ArchiveEntry.Kind, UInt32) {
        let isDirectory = name.bytes.last == UInt8(ascii: "/")
        let mode = record.attributes >> 16
        guard [3, 19].contains(record.system), mode != 0 else {
            if isDirectory || record.attributes & 0x10 != 0 { return (.directory, 0o755) }
            return (.file, record.attributes & 0x01 != 0 ? 0o444 : 0o666)
        }
        switch mode & 0o170000 {
        case 0o040000: return (.directory, mode & 0o7777)
        case _ where isDirectory: return (.directory, mode & 0o7777)
        case 0o120000:
            guard record.size <= Self.longestTarget else { throw Self.error(name.text, "the symbolic link is too long") }
            var target: [UInt8] = []
            while try content.nextPiece({ piece, _ in for index in piece.indices { target.append(piece[index]) } }) {}
            return (.symlink(BytePath(bytes: target)), mode & 0o7777)
        // What was read from a pipe is marked as a pipe by Info-ZIP; only its content is there, in a file as for all other tools.
        default: return (.file, mode & 0o7777)
        }
    }
}

/// A zip file's bytes, by their places.
struct ZipFile {
    let raw: Int32
    let size: Int64

    init(_ raw: Int32) throws {
        self.raw = raw
        size = try FileStatus.of(raw, subject: "zip file").size
    }

    /// That many bytes at a place.
    ///
    /// - Throws: `truncated` when the file has fewer.
    func bytes(at offset: Int64, _ count: Int) throws -> [UInt8] {
        guard offset >= 0, count >= 0, offset <= size, Int64(count) <= size - offset else {
            throw ZipReader.error("", "unexpected EOF", .truncated)
        }
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            var span = bytes.mutableSpan
            var rest = span._mutatingExtracting(last: count - filled)
            let read = try DescriptorIO.read(raw, into: &rest, at: offset + Int64(filled), subject: "zip file")
            if read == 0 { throw ZipReader.error("", "unexpected EOF", .truncated) }
            filled += read
        }
        return bytes
    }
}

/// Little-endian numbers in a record.
struct ZipFields {
    let bytes: [UInt8]

    func short(_ offset: Int) -> Int { Int(bytes[offset]) | Int(bytes[offset + 1]) << 8 }
    func word(_ offset: Int) -> UInt32 { UInt32(short(offset)) | UInt32(short(offset + 2)) << 16 }

    /// nil beyond what a file's place can be.
    func long(_ offset: Int) -> Int64? {
        Int64(exactly: UInt64(word(offset)) | UInt64(word(offset + 4)) << 32)
    }
}
