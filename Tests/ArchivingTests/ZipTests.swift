import FileTrees
import Foundation
import Glibc
import SystemSupport
import Testing

@testable import Archiving

@Suite struct ZipPackTests {
    private func pack(_ folder: TemporaryFolder, _ name: BytePath, _ options: PackOptions = PackOptions(threads: 2)) throws {
        let sink = MemorySink()
        try Zip.pack(folder[name], into: sink, options: options)
        try folder.file("a.zip", sink.bytes)
    }

    private func tree() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.file("d/f", "content", mode: 0o640)
        try folder.file("d/run", sample(1_200_000), mode: 0o755)
        try folder.file("d/empty", "")
        try folder.file("d/ä", "utf-8")
        try folder.folder("d/void", mode: 0o750)
        return folder
    }

    private let list = """
        import zipfile
        z = zipfile.ZipFile("a.zip")
        assert z.testzip() is None
        for i in z.infolist():
            print(i.filename, oct(i.external_attr >> 16), i.file_size, i.create_system, i.is_dir())
        """

    @Test func keepsModesAndEmptyDirectories() throws {
        let folder = try tree()
        try pack(folder, "d")
        #expect(
            try python(list, in: folder.path).split(separator: "\n").map(String.init) == [
                "d/ 0o40755 0 3 True", "d/empty 0o100644 0 3 False", "d/f 0o100640 7 3 False", "d/run 0o100755 1200000 3 False",
                "d/void/ 0o40750 0 3 True", "d/ä 0o100644 5 3 False",
            ])
    }

    @Test(arguments: ["unzip", "bsdtar"]) func isUnpackedByOthers(_ tool: String) throws {
        guard isInstalled(tool) else { try Test.cancel("\(tool) is not installed") }
        let folder = try tree()
        try pack(folder, "d")
        try folder.folder("out")
        let command = tool == "unzip" ? ["unzip", "-q", "../a.zip"] : ["bsdtar", "-xf", "../a.zip"]
        let outcome = try run(command, in: folder["out"], environment: ["LC_ALL": "C.UTF-8"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try folder.listing("out/d") == folder.listing("d"))
        #expect(try folder.bytes("out/d/run") == sample(1_200_000))
        #expect(try folder.status("out/d/run").permissions == 0o755)
    }

    /// The reference names it by its whole path.
    @Test func packsASingleFileUnderItsBaseName() throws {
        let folder = try TemporaryFolder()
        try folder.file("deep/file.txt", "text")
        try pack(folder, "deep/file.txt")
        #expect(try python(list, in: folder.path) == "file.txt 0o100644 4 3 False\n")
    }

    @Test func comesBackTheSame() throws {
        let folder = try tree()
        try folder.link("d/link", to: "/etc/hostname")
        try folder.file(BytePath(bytes: Array("d/".utf8) + [0xE4]), "latin")
        try pack(folder, "d", PackOptions(threads: 1, isFaithful: true))
        let summary = try Unpacker.unpackZip(file: folder["a.zip"], into: folder["out"])
        #expect(summary.symlinks == 1)
        #expect(try folder.listing("out/d") == folder.listing("d"))
        #expect(try folder.target("out/d/link") == "/etc/hostname")
        for name: BytePath in ["d/f", "d/run", "d/void"] {
            #expect(try folder.status(BytePath("out").appending(name)).permissions == folder.status(name).permissions)
        }
        #expect(try folder.bytes("out/d/run") == folder.bytes("d/run"))
    }

    @Test func writes64BitRecordsForManyEntries() throws {
        let folder = try TemporaryFolder()
        let archive = try Descriptor.open(folder["a.zip"], O_RDWR | O_CREAT)
        let sink = DescriptorSink(archive.raw, subject: "a.zip")
        let writer = try ZipEntryWriter(sink, PackOptions(threads: 1), PackChanges())
        var status = try folder.status(".")
        status.kind = .directory
        for index in 0..<65_600 { try writer.add(BytePath(String(index)), status, link: nil, file: nil, subject: "") }
        try writer.finish()
        #expect(
            try python("import zipfile; print(len(zipfile.ZipFile('a.zip').namelist()))", in: folder.path) == "65600\n")
        #expect(try run(["unzip", "-tq", "a.zip"], in: folder.path).status == 0)
        let reader = try ZipReader(archive.raw, keepsTimes: false)
        var count = 0
        while try reader.next() != nil { count += 1 }
        #expect(count == 65_600)
    }

    @Test func writes64BitSizesInTheRecords() throws {
        let status = try FileStatus.of("/", followingLinks: true)
        var entry = ZipEntry("f", status, offset: 5 << 32)
        entry.isStreamed = true
        entry.hasLargeSizes = true
        entry.size = 6 << 32
        entry.packedSize = 7 << 32
        #expect(entry.descriptor().count == 24)
        let central = entry.centralHeader()
        #expect(Array(central[20..<28]) == [UInt8](repeating: 0xFF, count: 8))
        // Tag, length, then size, packed size and offset in this order (APPNOTE 4.5.3).
        #expect(Array(central[47..<51]) == [1, 0, 24, 0])
        #expect(central[55] == 6 && central[63] == 7 && central[71] == 5)
        let end = ZipEntry.end(entries: 3, directory: 9 << 32, length: 100)
        #expect(end.count == 56 + 20 + 22)
        #expect(end[48 + 4] == 9)
    }

    @Test func leavesOutSpecialFilesWithAWarning() throws {
        let folder = try TemporaryFolder()
        try folder.file("d/f")
        try DirectoryIO.makeFIFO(AT_FDCWD, folder["d/pipe"], mode: 0o644, subject: "")
        let lines = Lines()
        try pack(folder, "d", PackOptions(threads: 1, log: lines.log))
        #expect(try python(list, in: folder.path).split(separator: "\n").count == 2)
        #expect(lines.all.count == 1)
        #expect(lines.all[0].contains("specials=1"))
    }

    @Test func tellsWhatIsMissing() throws {
        let error = #expect(throws: ArchiveError.self) { try Zip.pack("/nowhere/at/all", into: MemorySink()) }
        #expect(error?.isNotFound == true)
        #expect(error?.message == "zip /nowhere/at/all: no such file or directory")
    }
}

@Suite struct ZipUnpackTests {
    private func make(_ program: String) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try python(
            "import zipfile\nz = zipfile.ZipFile('a.zip', 'w', zipfile.ZIP_DEFLATED)\n" + program + "\nz.close()",
            in: folder.path)
        return folder
    }

    @Test(arguments: ["zip -qr a.zip d", "zip -qry a.zip d", "zip -qr0 a.zip d", "zip -qrfz a.zip d"])
    func unpacksWhatZipPacks(_ command: String) throws {
        guard isInstalled("zip") else { try Test.cancel("zip is not installed") }
        let folder = try TemporaryFolder()
        try folder.file("d/f", sample(200_000), mode: 0o640)
        try folder.file("d/ä", "utf-8")
        try folder.folder("d/void", mode: 0o500)
        try folder.link("d/link", to: "f")
        #expect(
            try run(command.split(separator: " ").map(String.init), in: folder.path, environment: ["LC_ALL": "C.UTF-8"]).status
                == 0)
        try Unpacker.unpackZip(file: folder["a.zip"], into: folder["out"])
        #expect(try folder.bytes("out/d/f") == sample(200_000))
        #expect(try folder.text("out/d/ä") == "utf-8")
        #expect(try folder.status("out/d/f").permissions == 0o640)
        #expect(try folder.status("out/d/void").permissions == 0o500)
        #expect(try folder.bytes("out/d/link") == sample(200_000) || folder.target("out/d/link") == "f")
    }

    /// What the reference writes: made on FAT, no modes.
    @Test func givesModesToEntriesWithoutAny() throws {
        let folder = try make(
            """
            for name, data in [("d/", b""), ("d/f", b"text")]:
                i = zipfile.ZipInfo(name); i.create_system = 0; i.external_attr = 0x10 if name.endswith("/") else 0
                z.writestr(i, data)
            """)
        let file = try Descriptor.open(folder["a.zip"], O_RDONLY)
        let reader = try ZipReader(file.raw, keepsTimes: false)
        #expect(try reader.next()?.mode == 0o755)
        #expect(try reader.next()?.mode == 0o666)
        #expect(try reader.next()?.name == nil)
    }

    @Test func readsWhatHasSomethingBeforeOrAfterIt() throws {
        let folder = try make("z.writestr('f', 'content'); z.comment = b'PK\\x05\\x06 a comment'")
        let whole = try folder.bytes("a.zip")
        for bytes in [whole, Array("#!/bin/sh\nexit\n".utf8) + whole] {
            try folder.file("b.zip", bytes)
            try Unpacker.unpackZip(file: folder["b.zip"], into: folder["out"])
            #expect(try folder.text("out/f") == "content")
        }
    }

    /// Sizes and places of 64 bits, as a writer that cannot seek marks them.
    @Test func reads64BitRecords() throws {
        let folder = try TemporaryFolder()
        try python(
            """
            import zipfile
            class Pipe:
                def __init__(self): self.file = open("a.zip", "wb")
                def write(self, data): return self.file.write(data)
                def flush(self): self.file.flush()
            z = zipfile.ZipFile(Pipe(), "w", zipfile.ZIP_DEFLATED)
            with z.open("large", "w", force_zip64=True) as f: f.write(b"content" * 1000)
            z.close()
            """, in: folder.path)
        try Unpacker.unpackZip(file: folder["a.zip"], into: folder["out"])
        #expect(try folder.text("out/large") == String(repeating: "content", count: 1000))
    }

    @Test func namesMethodsThatItDoesNotKnow() throws {
        let folder = try make("z.writestr('f', 'content' * 100, compress_type=zipfile.ZIP_BZIP2)")
        let error = #expect(throws: ArchiveError.self) {
            try Unpacker.unpackZip(file: folder["a.zip"], into: folder["out"])
        }
        #expect(error?.message == "unzip f: unsupported compression method 12")
    }

    @Test func refusesNamesThatLeadOut() throws {
        for name in ["../evil", "d/../../evil", ".."] {
            let folder = try make("z.writestr('\(name)', 'evil')")
            #expect(errorCode { try Unpacker.unpackZip(file: folder["a.zip"], into: folder["jail/out"]) } == .escapes)
            #expect(try folder.listing("jail") == ["out/"])
        }
        let folder = try make("z.writestr('/abs/f', 'x')")
        try Unpacker.unpackZip(file: folder["a.zip"], into: folder["out"])
        #expect(try folder.listing("out") == ["abs/", "abs/f"])
    }

    @Test func followsNoLinkOfTheArchive() throws {
        let folder = try make(
            """
            i = zipfile.ZipInfo("d"); i.create_system = 3; i.external_attr = 0o120777 << 16
            z.writestr(i, "..")
            z.writestr("d/evil", "evil")
            """)
        #expect(errorCode { try Unpacker.unpackZip(file: folder["a.zip"], into: folder["jail/out"]) } == .escapes)
        #expect(try folder.listing("jail") == ["out/", "out/d@"])
    }

    @Test func refusesWhatIsNoZip() throws {
        let folder = try TemporaryFolder()
        for bytes in [[], Array("text".utf8), sample(100_000), try gzip(sample(100))] {
            try folder.file("a.zip", bytes)
            #expect(errorCode { try Unpacker.unpackZip(file: folder["a.zip"], into: folder["out"]) } == .wrongFormat)
        }
        #expect(failingCode { try Unpacker.unpackZip(file: folder["none"], into: folder["out"]) } == ENOENT)
    }

    @Test func readsEncryptedEntriesAsErrors() throws {
        guard isInstalled("zip") else { try Test.cancel("zip is not installed") }
        let folder = try TemporaryFolder()
        try folder.file("f", "secret")
        try run(["zip", "-q", "-P", "password", "a.zip", "f"], in: folder.path)
        let error = #expect(throws: ArchiveError.self) {
            try Unpacker.unpackZip(file: folder["a.zip"], into: folder["out"])
        }
        #expect(error?.message == "unzip f: the entry is encrypted")
    }

    @Test func noticesWhatIsCutOrFlipped() throws {
        let folder = try make("z.writestr('d/f', 'content' * 20); z.writestr('g', 'x')")
        let whole = try folder.bytes("a.zip")
        for count in 0..<whole.count {
            try folder.file("b.zip", Array(whole[..<count]))
            #expect(errorCode { try Unpacker.unpackZip(file: folder["b.zip"], into: folder["out"]) } != nil, "\(count)")
        }
        for bit in stride(from: 0, to: whole.count * 8, by: 3) {
            var broken = whole
            broken[bit / 8] ^= 1 << UInt8(bit % 8)
            try folder.file("b.zip", broken)
            try TreeRemoval.remove(folder["jail/out"])
            do {
                try Unpacker.unpackZip(file: folder["b.zip"], into: folder["jail/out"])
                if folder.exists("jail/out/d/f") {
                    #expect(try folder.text("jail/out/d/f") == String(repeating: "content", count: 20), "bit \(bit)")
                }
            } catch { #expect(error is ArchiveError || error is SystemError) }
            #expect(try folder.listing("jail").filter { !$0.hasPrefix("out/") } == [], "bit \(bit)")
        }
    }
}
