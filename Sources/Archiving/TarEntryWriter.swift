import FileTrees
import Glibc
import SystemSupport

/// Makes tar entries of files (contract 03 §4).
final class TarEntryWriter: EntryWriter {
    private struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    private let writer: TarWriter
    private let options: PackOptions
    private let changes: PackChanges
    private let content = FileContent()
    /// In faithful archives, the first name of each file that has several.
    private var written: [Identity: BytePath] = [:]

    init(_ sink: any ByteSink, _ options: PackOptions, _ changes: PackChanges) {
        writer = TarWriter(sink)
        self.options = options
        self.changes = changes
    }

    func add(_ name: BytePath, _ status: FileStatus, link: BytePath?, file: Int32?, subject: String) throws {
        var header = TarHeader(name: name.bytes, kind: Self.kind(status.kind))
        header.mode = status.permissions
        header.userID = status.userID
        header.groupID = status.groupID
        header.userName = options.userNames.user(status.userID) ?? []
        header.groupName = options.userNames.group(status.groupID) ?? []
        header.modified = options.isFaithful ? status.modified : Self.rounded(status.modified)
        header.linkName = link?.bytes ?? []
        if status.kind == .characterDevice || status.kind == .blockDevice {
            header.deviceMajor = status.specialMajor
            header.deviceMinor = status.specialMinor
        }
        if options.isFaithful {
            if let first = firstName(name, status) {
                header.kind = .hardLink
                header.linkName = first.bytes
                return try writer.write(header)
            }
            if let file {
                // The keys of star, which GNU tar and bsdtar share.
                header.records = try ExtendedAttributes.read(file, subject: subject)
                    .map { (Array("SCHILY.xattr.".utf8) + $0.name, $0.value) }
            }
        }
        guard status.kind == .file, let file else { return try writer.write(header) }
        header.size = status.size
        let difference = try writer.write(header) { piece in
            try content.read(file, upTo: status.size, subject: subject, piece)
        }
        if difference != 0 { changes.change(name) }
    }

    func finish() throws { try writer.finish() }

    /// The name under which the same file was written before; nil when this is the first.
    private func firstName(_ name: BytePath, _ status: FileStatus) -> BytePath? {
        guard status.kind == .file, status.linkCount > 1 else { return nil }
        let identity = Identity(device: status.device, inode: status.inode)
        if let first = written[identity] { return first }
        written[identity] = name
        return nil
    }

    private static func kind(_ kind: FileKind) -> TarHeader.Kind {
        switch kind {
        case .directory: .directory
        case .symlink: .symlink
        case .fifo: .fifo
        case .characterDevice: .characterDevice
        case .blockDevice: .blockDevice
        case .file, .socket: .file
        }
    }

    /// To the nearest second, halves to the later one.
    private static func rounded(_ time: Timestamp) -> Timestamp {
        Timestamp(seconds: time.nanoseconds >= 500_000_000 ? time.seconds &+ 1 : time.seconds)
    }
}
