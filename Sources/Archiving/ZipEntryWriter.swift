import CDeflate
import FileTrees
import SystemSupport

/// Makes zip entries of files, as a stream: sizes and checksums follow each file's content (APPNOTE 4.3.9), and sizes are of 64 bits
/// where a file or the archive needs it (4.5.3).
///
/// Modes are Unix's, times are in UTC; directories are entries; symbolic links are so only in faithful trees, else empty files; special files are
/// left out (contract 03 §4, 05 C12).
final class ZipEntryWriter: EntryWriter {
    private let sink: any ByteSink
    private let changes: PackChanges
    private let isFaithful: Bool
    private let content = FileContent()
    private let stream: DeflateStream
    private let counter: CountingSink
    /// The central directory, as it will follow the entries.
    private var directory: [UInt8] = []
    private var entryCount: UInt64 = 0

    init(_ sink: any ByteSink, _ options: PackOptions, _ changes: PackChanges) throws {
        let counter = CountingSink(sink)
        self.sink = counter
        self.counter = counter
        self.changes = changes
        isFaithful = options.isFaithful
        stream = try DeflateStream(level: -1, threads: options.threads) { try counter.write($0) }
    }

    func add(_ name: BytePath, _ status: FileStatus, link: BytePath?, file: Int32?, subject: String) throws {
        guard name.bytes.count < Int(UInt16.max) else {
            throw ArchiveError(.unsupportedKind, "zip", subject, "the name is longer than a zip file can hold")
        }
        switch status.kind {
        case .directory: try stored(ZipEntry(name.suffixed("/"), status, offset: counter.count), [])
        case .symlink where isFaithful: try stored(ZipEntry(name, status, offset: counter.count), link?.bytes ?? [])
        case .symlink:
            // The reference's readers know no links in zip files: to them one is an empty file (contract 03 §4).
            var empty = status
            empty.kind = .file
            empty.permissions = 0o666
            try stored(ZipEntry(name, empty, offset: counter.count), [])
            changes.skip(name, .symlink)
        case .file:
            guard let file else { return }
            try deflated(ZipEntry(name, status, offset: counter.count), status, file, subject)
        case .socket, .fifo, .characterDevice, .blockDevice: changes.skip(name, status.kind)
        }
    }

    func finish() throws {
        let start = counter.count
        let directory = directory
        try sink.write(directory.span)
        try sink.write(ZipEntry.end(entries: entryCount, directory: start, length: UInt64(directory.count)).span)
    }

    private func stored(_ entry: consuming ZipEntry, _ bytes: [UInt8]) throws {
        entry.size = UInt64(bytes.count)
        entry.packedSize = entry.size
        entry.checksum = unsafe bytes.withUnsafeBytes { unsafe libdeflate_crc32(0, $0.baseAddress, $0.count) }
        try sink.write(entry.localHeader().span)
        try sink.write(bytes.span)
        record(entry)
    }

    private func deflated(
        _ entry: consuming ZipEntry, _ status: FileStatus, _ file: Int32, _ subject: String
    ) throws {
        entry.isStreamed = true
        // What it takes packed is not known yet; it may be a little more than the file itself.
        entry.hasLargeSizes = status.size > Int64(UInt32.max) - (1 << 24)
        try sink.write(entry.localHeader().span)
        let start = counter.count
        var (checksum, length) = (UInt32(0), Int64(0))
        try content.read(file, upTo: status.size, subject: subject) { piece in
            let part = piece.extracting(first: Int(min(Int64(piece.count), max(0, status.size - length))))
            length += Int64(piece.count)
            if part.isEmpty { return }
            unsafe part.withUnsafeBytes { bytes in
                checksum = unsafe libdeflate_crc32(checksum, bytes.baseAddress, bytes.count)
            }
            try stream.write(part)
        }
        try stream.finish()
        if length != status.size { changes.change(entry.name) }
        entry.checksum = checksum
        entry.size = UInt64(min(length, status.size))
        entry.packedSize = counter.count - start
        try sink.write(entry.descriptor().span)
        record(entry)
    }

    private func record(_ entry: borrowing ZipEntry) {
        directory += entry.centralHeader()
        entryCount += 1
    }
}

/// Passes bytes on and counts them.
final class CountingSink: ByteSink {
    private let sink: any ByteSink
    private(set) var count: UInt64 = 0

    init(_ sink: any ByteSink) { self.sink = sink }

    func write(_ bytes: Span<UInt8>) throws {
        try sink.write(bytes)
        count += UInt64(bytes.count)
    }
}
