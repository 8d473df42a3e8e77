import FileTrees
import Foundation
import Glibc
import Synchronization
import SystemSupport
import Testing

@testable import Archiving

/// What Python makes of an archive's entries: one line each, names as Python writes their bytes.
private let list = """
    import tarfile, sys
    for m in tarfile.open("a.tgz", encoding="utf-8", errors="surrogateescape"):
        print(m.name.encode("utf-8", "surrogateescape"), chr(m.type[0]), oct(m.mode), m.uid, m.gid, m.uname, m.gname, m.size,
              m.mtime, m.linkname, m.devmajor, m.devminor, sorted(m.pax_headers))
    """

private func pack(
    _ path: BytePath, to archive: BytePath, level: Int = -1, _ options: PackOptions = PackOptions(threads: 2, userNames: .none)
) throws {
    let file = try Descriptor.open(archive, O_WRONLY | O_CREAT | O_TRUNC)
    try TarGzip.pack(path, level: level, into: DescriptorSink(file.raw, subject: archive.text), options: options)
    try file.close(archive.text)
}

private func age(_ folder: TemporaryFolder, _ name: BytePath, _ seconds: Int64, nanoseconds: Int32 = 0) throws {
    let time = Timestamp(seconds: seconds, nanoseconds: nanoseconds)
    try DirectoryIO.setTimes(AT_FDCWD, folder[name], accessed: time, modified: time, subject: name.text)
}

@Suite struct TarHeaderTests {
    private func entries(_ headers: [TarHeader]) throws -> [String] {
        let folder = try TemporaryFolder()
        var bytes: [UInt8] = []
        for header in headers {
            bytes += header.encoded()
            bytes += [UInt8](repeating: 0x78, count: Int(min(header.size, 4096)))
        }
        try folder.file("a.tgz", bytes + [UInt8](repeating: 0, count: 1024))
        return try python(list, in: folder.path).split(separator: "\n").map(String.init)
    }

    private func isPax(_ header: TarHeader) -> Bool { header.encoded()[156] == UInt8(ascii: "x") }

    @Test func usesUstarWhereEverythingFits() throws {
        let short = String(repeating: "n", count: 100)
        let long = String(repeating: "d", count: 155) + "/" + short
        let headers = ["a", short, long].map { TarHeader(name: Array($0.utf8), kind: .file, mode: 0o4755, userID: 0o7777777) }
        for header in headers {
            let block = header.encoded()
            #expect(block.count == 512)
            #expect(Array(block[257..<265]) == Array("ustar\0".utf8) + Array("00".utf8))
        }
        #expect(
            try entries(headers)
                == ["a", short, long].map { "b'\($0)' 0 0o4755 2097151 0   0 0  0 0 []" })
    }

    @Test func usesPaxForWhatDoesNotFit() throws {
        let long = Array(String(repeating: "n", count: 101).utf8)
        let headers = [
            TarHeader(name: long, kind: .file),
            TarHeader(name: Array((String(repeating: "d/", count: 200) + "f").utf8), kind: .file),
            TarHeader(name: Array("ä".utf8), kind: .directory),
            TarHeader(name: [0xE4], kind: .file),
            TarHeader(name: [0x61], kind: .symlink, linkName: long),
            TarHeader(name: [0x61], kind: .file, userID: 1 << 21, groupID: .max),
            TarHeader(name: [0x61], kind: .file, userName: Array("ö".utf8), groupName: long),
            TarHeader(name: [0x61], kind: .file, modified: Timestamp(seconds: -5)),
            TarHeader(name: [0x61], kind: .file, modified: Timestamp(seconds: 1 << 33)),
            TarHeader(name: [0x61], kind: .file, modified: Timestamp(seconds: -2, nanoseconds: 250_000_000)),
        ]
        for header in headers { #expect(isPax(header)) }
        let n = String(repeating: "n", count: 101)
        #expect(
            try entries(headers) == [
                "b'\(n)' 0 0o0 0 0   0 0  0 0 ['path']",
                "b'\(String(repeating: "d/", count: 200))f' 0 0o0 0 0   0 0  0 0 ['path']",
                "b'\\xc3\\xa4' 5 0o0 0 0   0 0  0 0 ['path']",
                "b'\\xe4' 0 0o0 0 0   0 0  0 0 ['path']",
                "b'a' 2 0o0 0 0   0 0 \(n) 0 0 ['linkpath']",
                "b'a' 0 0o0 2097152 4294967295   0 0  0 0 ['gid', 'uid']",
                "b'a' 0 0o0 0 0 ö \(n) 0 0  0 0 ['gname', 'uname']",
                "b'a' 0 0o0 0 0   0 -5.0  0 0 ['mtime']",
                "b'a' 0 0o0 0 0   0 8589934592.0  0 0 ['mtime']",
                "b'a' 0 0o0 0 0   0 -1.75  0 0 ['mtime']",
            ])
    }

    @Test func writesSizesFrom8GiBOnInPax() throws {
        let header = TarHeader(name: [0x61], kind: .file, size: 1 << 33)
        #expect(isPax(header))
        #expect(String(decoding: header.encoded()[512...], as: UTF8.self).hasPrefix("19 size=8589934592\n"))
        #expect(!isPax(TarHeader(name: [0x61], kind: .file, size: (1 << 33) - 1)))
    }

    @Test func usesGNUForDevicesBeyondUstar() throws {
        let long = Array(String(repeating: "n", count: 150).utf8)
        let header = TarHeader(name: long, kind: .characterDevice, deviceMajor: 1 << 21, deviceMinor: .max)
        #expect(
            try entries([header])
                == ["b'\(String(decoding: long, as: UTF8.self))' 3 0o0 0 0   0 0  2097152 4294967295 []"])
        #expect(Array(Array(header.encoded().suffix(512))[257..<265]) == Array("ustar  \0".utf8))
    }

    @Test func countsTheLengthOfItsOwnLength() throws {
        let counts = Array(85..<105) + Array(980..<1000)
        let names = counts.map { Array("ä".utf8) + [UInt8](repeating: 0x78, count: $0) }
        let lines = try entries(names.map { TarHeader(name: $0, kind: .file) })
        #expect(
            lines.map { $0.prefix { $0 != " " } }
                == counts.map { "b'\\xc3\\xa4\(String(repeating: "x", count: $0))'" })
    }
}

@Suite struct TarPackTests {
    private func tree() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.file("d/n1", "one\n", mode: 0o600)
        try folder.file("d/n2", "two\n", mode: 0o4755)
        try folder.file("d/sub/x", sample(5000))
        try folder.folder("d/sub/empty", mode: 0o1777)
        try folder.folder("d/sub", mode: 0o750)
        try folder.link("d/link", to: "n1")
        try folder.link("d/absolute", to: "/etc/hostname")
        try folder.link("d/dangling", to: "missing")
        try DirectoryIO.makeLink(AT_FDCWD, folder["d/hard"], to: folder["d/n1"], in: AT_FDCWD, subject: "")
        try DirectoryIO.makeFIFO(AT_FDCWD, folder["d/pipe"], mode: 0o644, subject: "")
        for name: BytePath in [
            "d/n1", "d/n2", "d/sub/x", "d/sub/empty", "d/sub", "d/link", "d/absolute", "d/dangling", "d/pipe", "d",
        ] { try age(folder, name, 1_600_000_000) }
        return folder
    }

    /// Contract 03 §4, the content of recorded archives.
    @Test func writesTheContractsEntries() throws {
        let folder = try tree()
        try age(folder, "d/n2", 1_600_000_000, nanoseconds: 500_000_000)
        try age(folder, "d/sub/x", 1_600_000_000, nanoseconds: 499_999_999)
        try pack(folder["d"], to: folder["a.tgz"])
        let owner = "\(geteuid()) \(getegid())"
        #expect(
            try python(list, in: folder.path).split(separator: "\n").map(String.init) == [
                "b'd' 5 0o755 \(owner)   0 1600000000  0 0 []",
                "b'd/absolute' 2 0o777 \(owner)   0 1600000000 /etc/hostname 0 0 []",
                "b'd/dangling' 2 0o777 \(owner)   0 1600000000 missing 0 0 []",
                "b'd/hard' 0 0o600 \(owner)   4 1600000000  0 0 []",
                "b'd/link' 2 0o777 \(owner)   0 1600000000 n1 0 0 []",
                "b'd/n1' 0 0o600 \(owner)   4 1600000000  0 0 []",
                "b'd/n2' 0 0o4755 \(owner)   4 1600000001  0 0 []",
                "b'd/pipe' 6 0o644 \(owner)   0 1600000000  0 0 []",
                "b'd/sub' 5 0o750 \(owner)   0 1600000000  0 0 []",
                "b'd/sub/empty' 5 0o1777 \(owner)   0 1600000000  0 0 []",
                "b'd/sub/x' 0 0o644 \(owner)   5000 1600000000  0 0 []",
            ])
        // Directories without a trailing slash, which Python hides.
        let plain = try readAll(GzipReader(MemorySource(try folder.bytes("a.tgz"))))
        #expect(Array(plain[..<2]) == Array("d\0".utf8))
        #expect(plain.count % 512 == 0)
        #expect(plain.suffix(1024).allSatisfy { $0 == 0 })
    }

    @Test(arguments: ["tar", "bsdtar"]) func isUnpackedByOthers(_ tool: String) throws {
        guard isInstalled(tool) else { try Test.cancel("\(tool) is not installed") }
        let folder = try tree()
        let latin = BytePath(bytes: Array("d/".utf8) + [0xE4, 0x2E, 0x74])
        // bsdtar unpacks it too, but complains.
        if tool == "tar" { try folder.file(latin, "latin") }
        try folder.file("d/ä", "utf-8")
        try folder.file("d/new\nline", "odd")
        try folder.file(BytePath("d/" + String(repeating: "long/", count: 60) + "f"), "deep")
        for level in [-1, 0] {
            try pack(folder["d"], to: folder["a.tgz"], level: level)
            try TreeRemoval.remove(folder["out"])
            try folder.folder("out")
            let outcome = try run([tool, "-xpzf", "../a.tgz"], in: folder["out"], environment: ["LC_ALL": "C.UTF-8"])
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(try folder.listing("out/d") == folder.listing("d"))
            #expect(try folder.bytes("out/d/sub/x") == sample(5000))
            #expect(try folder.status("out/d/sub").permissions == 0o750)
            #expect(try folder.status("out/d/n2").permissions == 0o4755)
            #expect(try folder.target("out/d/absolute") == "/etc/hostname")
        }
    }

    @Test func packsASingleFileUnderItsBaseName() throws {
        let folder = try TemporaryFolder()
        try folder.file("some/file.txt", "text")
        try folder.link("link", to: "some/file.txt")
        try folder.file("empty")
        for (path, line) in [
            ("some/file.txt", "b'file.txt' 0"), ("link", "b'link' 0"), ("empty", "b'empty' 0"),
            ("some//./file.txt", "b'file.txt' 0"),
        ] {
            try pack(folder[BytePath(path)], to: folder["a.tgz"])
            let lines = try python(list, in: folder.path).split(separator: "\n")
            #expect(lines.count == 1)
            #expect(lines[0].hasPrefix(line))
        }
    }

    /// The reference stores only the link, and the content is lost.
    @Test func followsALinkToADirectoryAtTheRoot() throws {
        let folder = try TemporaryFolder()
        try folder.file("real/f", "content")
        try folder.link("alias", to: "real")
        try pack(folder["alias"], to: folder["a.tgz"])
        let names = try python(list, in: folder.path).split(separator: "\n").map { $0.prefix { $0 != " " } }
        #expect(names == ["b'alias'", "b'alias/f'"])
    }

    @Test func resolvesMirroredPathsAsTheContainerWould() throws {
        let folder = try TemporaryFolder()
        try folder.file("secret", "secret")
        try folder.file("mirror/data/f", "inside")
        try folder.link("mirror/absolute", to: "/data")
        try folder.link("mirror/out", to: "../secret")
        let mirror = try ContainedDirectory(folder["mirror"], resolution: .inRoot)
        let sink = MemorySink()
        try Tar.pack("absolute", in: mirror, named: "named", into: sink)
        try folder.file("a.tgz", sink.bytes)
        #expect(
            try python(list, in: folder.path).split(separator: "\n").map { $0.prefix { $0 != " " } } == [
                "b'named'", "b'named/f'",
            ])
        let error = #expect(throws: ArchiveError.self) { try Tar.pack("out", in: mirror, named: "x", into: MemorySink()) }
        #expect(error?.isNotFound == true)
    }

    @Test func tellsWhatCannotBePacked() throws {
        let folder = try TemporaryFolder()
        try folder.link("dangling", to: "nowhere")
        for name: BytePath in ["missing", "dangling"] {
            let error = #expect(throws: ArchiveError.self) { try TarGzip.pack(folder[name], into: MemorySink()) }
            #expect(error?.isNotFound == true)
            #expect(error?.message == "tar \(folder[name]): no such file or directory")
        }
        try DirectoryIO.makeFIFO(AT_FDCWD, folder["pipe"], mode: 0o644, subject: "")
        let error = #expect(throws: ArchiveError.self) { try TarGzip.pack(folder["pipe"], into: MemorySink()) }
        #expect(error?.code == .unsupportedKind)
        #expect(throws: ArchiveError.self) { try TarGzip.pack(folder["missing"], level: 10, into: MemorySink()) }
    }

    /// In the reference a socket fails the whole artifact.
    @Test func leavesOutSocketsWithAWarning() throws {
        let folder = try TemporaryFolder()
        try folder.file("d/f")
        try python("import socket; socket.socket(socket.AF_UNIX).bind('d/socket')", in: folder.path)
        let lines = Lines()
        try pack(folder["d"], to: folder["a.tgz"], PackOptions(threads: 1, log: lines.log))
        #expect(try python(list, in: folder.path).split(separator: "\n").count == 2)
        #expect(lines.all.count == 1)
        #expect(lines.all[0].contains("sockets=1"))
    }

    /// A size that differs from what is read when the content comes: the reference fails or writes a broken archive.
    @Test(arguments: [-3000, -1, 1, 3000]) func keepsTheArchiveWholeWhenAFileChanges(_ difference: Int64) throws {
        let folder = try TemporaryFolder()
        try folder.file("f", sample(5000))
        let sink = MemorySink()
        let lines = Lines()
        let changes = PackChanges()
        let writer = TarEntryWriter(sink, PackOptions(log: lines.log, userNames: .none), changes)
        let file = try Descriptor.open(folder["f"], O_RDONLY)
        var status = try folder.status("f")
        status.size -= difference
        try writer.add("f", status, link: nil, file: file.raw, subject: "f")
        try writer.finish()
        changes.report(to: lines.log, "tar", "f")
        try folder.file("a.tgz", sink.bytes)
        #expect(try python(list, in: folder.path).contains(" \(5000 - difference) "))
        #expect(try run(["tar", "-xOf", "a.tgz"], in: folder.path).status == 0)
        #expect(lines.all.first?.contains("changedFiles=1") == true)
    }

    @Test func passesOnEveryFailureOfTheSink() throws {
        let folder = try tree()
        let whole = GaugedSink()
        try Tar.pack(folder["d"], into: whole)
        for limit in stride(from: 0, to: whole.count, by: 512) {
            #expect(throws: SystemError("write", "sink", ENOSPC)) {
                try Tar.pack(folder["d"], into: GaugedSink(limit: limit))
            }
        }
    }

    @Test func writesContentBeyond8GiB() throws {
        let size: Int64 = 8 << 30 + 5
        let sink = GaugedSink()
        let piece = [UInt8](repeating: 7, count: 64 << 20)
        let difference = try TarWriter(sink).write(TarHeader(name: [0x61], kind: .file, size: size)) { write in
            for _ in 0..<128 { try write(piece.span) }
            try write(piece.span.extracting(first: 5))
        }
        #expect(difference == 0)
        #expect(sink.count == 3 * 512 + Int(size) + 507)
    }

    @Test func namesOwnersWherePasswdDoes() throws {
        let folder = try TemporaryFolder()
        try folder.file("passwd", "somebody:x:\(geteuid()):0::/:/bin/sh\n")
        try folder.file("group", "some:x:\(getegid()):\n")
        try folder.file("f")
        let names = ResolvedUserNames(passwd: folder["passwd"], group: folder["group"])
        try pack(folder["f"], to: folder["a.tgz"], PackOptions(threads: 1, userNames: names))
        #expect(try python(list, in: folder.path).contains(" somebody some "))
    }

    @Test func keepsMoreInFaithfulArchives() throws {
        let folder = try tree()
        try age(folder, "d/n2", 1_600_000_000, nanoseconds: 123_456_789)
        let file = try Descriptor.open(folder["d/n2"], O_RDWR)
        try ExtendedAttributes.write(file.raw, ExtendedAttribute(name: Array("user.k".utf8), value: [0, 255, 10]), subject: "")
        try pack(folder["d"], to: folder["a.tgz"], PackOptions(threads: 1, userNames: .none, isFaithful: true))
        let lines = try python(list, in: folder.path)
        #expect(lines.contains("b'd/n1' 1 "))
        #expect(lines.contains(" d/hard "))
        #expect(lines.contains("['SCHILY.xattr.user.k', 'mtime']"))
        try Unpacker.unpack(
            DescriptorSource(try Descriptor.open(folder["a.tgz"], O_RDONLY).release(), subject: ""), as: .tarGzip,
            into: folder["out"], options: UnpackOptions(isFaithful: true))
        #expect(try folder.listing("out/d") == folder.listing("d").filter { $0 != "pipe" })
        #expect(try folder.status("out/d/n1").inode == folder.status("out/d/hard").inode)
        let copy = try Descriptor.open(folder["out/d/n2"], O_RDONLY)
        #expect(try ExtendedAttributes.read(copy.raw, subject: "").map(\.value) == [[0, 255, 10]])
        for name: BytePath in ["d/n2", "d/sub", "d/sub/empty", "d/link", "d"] {
            #expect(try folder.status(BytePath("out").appending(name)).modified == folder.status(name).modified, "\(name)")
            #expect(
                try folder.status(BytePath("out").appending(name)).permissions == folder.status(name).permissions, "\(name)")
        }
    }
}

/// Trees that change while they are packed.
@Suite struct VanishingTests {
    /// Removes what comes later in the tree once the content of the first file is on its way: its directory has been read by then.
    private final class RemovingSink: ByteSink {
        private let remove: () throws -> Void
        private var written = 0
        init(_ remove: @escaping () throws -> Void) { self.remove = remove }

        func write(_ bytes: Span<UInt8>) throws {
            let before = written
            written += bytes.count
            if before <= 100_000, written > 100_000 { try remove() }
        }
    }

    @Test(arguments: ["tar", "zip"]) func whatVanishesIsLeftOutWithAWarning(kind: String) throws {
        let folder = try TemporaryFolder()
        // Random, so that what comes out is as much as what goes in.
        for name in ["t/a", "t/y-file", "t/z-folder/file"] {
            try folder.file(BytePath(name), (0..<1_000_000).map { _ in UInt8.random(in: 0...255) })
        }
        let lines = Mutex<[String]>([])
        let log = Log(level: .warn, sink: { line in lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } })
        let options = PackOptions(threads: 1, log: log, userNames: .none)
        let sink = RemovingSink {
            try FileManager.default.removeItem(atPath: folder["t/y-file"].text)
            try FileManager.default.removeItem(atPath: folder["t/z-folder"].text)
        }
        if kind == "tar" {
            try Tar.pack(folder["t"], into: sink, options: options)
        } else {
            try Zip.pack(folder["t"], into: sink, options: options)
        }
        let told = lines.withLock { $0 }
        #expect(told.count == 2)
        #expect(told.contains { $0.contains("t/y-file") } && told.contains { $0.contains("t/z-folder") })
    }
}
