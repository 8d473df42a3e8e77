import FileTrees
import Foundation
import Glibc
import SystemSupport
import Testing

@testable import Archiving

/// A tar of these entries.
func tar(_ entries: [(TarHeader, [UInt8])]) -> [UInt8] {
    var bytes: [UInt8] = []
    for (header, content) in entries {
        var header = header
        header.size = Int64(content.count)
        bytes += header.encoded() + content + [UInt8](repeating: 0, count: TarHeader.padding(Int64(content.count)))
    }
    return bytes + [UInt8](repeating: 0, count: 1024)
}

func file(_ name: String, _ content: String = "evil", mode: UInt32 = 0o644) -> (TarHeader, [UInt8]) {
    (TarHeader(name: Array(name.utf8), kind: .file, mode: mode), Array(content.utf8))
}

func link(_ name: String, to target: String, _ kind: TarHeader.Kind = .symlink) -> (TarHeader, [UInt8]) {
    (TarHeader(name: Array(name.utf8), kind: kind, linkName: Array(target.utf8), mode: 0o777), [])
}

func entryFolder(_ name: String, _ mode: UInt32 = 0o755) -> (TarHeader, [UInt8]) {
    (TarHeader(name: Array(name.utf8), kind: .directory, mode: mode), [])
}

func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
    let sink = MemorySink()
    let writer = try GzipWriter(sink, threads: 1)
    try writer.write(bytes.span)
    try writer.finish()
    return sink.bytes
}

func errorCode(_ body: () throws -> Void) -> ArchiveError.Code? {
    do {
        try body()
        return nil
    } catch { return (error as? ArchiveError)?.code }
}

@Suite struct UnpackTests {
    private func source(_ folder: TemporaryFolder, _ name: BytePath) throws -> any ByteSource {
        MemorySource(try folder.bytes(name))
    }

    private func tree() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.file("d/f", "content", mode: 0o640)
        try folder.file("d/run", "#!/bin/sh\n", mode: 0o755)
        try folder.file("d/ä.txt", "utf-8")
        try folder.file("d/new\nline", "odd")
        try folder.file(BytePath(bytes: Array("d/".utf8) + [0xE4, 0x2E, 0x74]), "latin")
        try folder.file(BytePath("d/" + String(repeating: "long-name/", count: 30) + "f"), "deep")
        try folder.file("d/big", sample(300_000))
        try folder.file("d/empty")
        try folder.folder("d/void")
        try folder.link("d/link", to: "f")
        try folder.link("d/absolute", to: "/etc/hostname")
        try folder.link("d/up", to: "../../..")
        try DirectoryIO.makeLink(AT_FDCWD, folder["d/hard"], to: folder["d/f"], in: AT_FDCWD, subject: "")
        let old = Timestamp(seconds: 1_500_000_000)
        try DirectoryIO.setTimes(AT_FDCWD, folder["d/f"], accessed: old, modified: old, subject: "")
        return folder
    }

    @Test(arguments: [
        "tar --format=gnu", "tar --format=pax", "tar --format=ustar", "tar --format=oldgnu", "bsdtar --format=pax",
        "bsdtar --format=gnutar",
    ])
    func unpacksWhatOthersPack(_ command: String) throws {
        let words = command.split(separator: " ").map(String.init)
        guard isInstalled(words[0]) else { try Test.cancel("\(words[0]) is not installed") }
        let folder = try tree()
        if command.hasSuffix("ustar") { try TreeRemoval.remove(folder["d/long-name"]) }
        let outcome = try run(words + ["-czf", "a.tgz", "d"], in: folder.path)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let summary = try Unpacker.unpack(source(folder, "a.tgz"), as: .tarGzip, into: folder["out"])
        #expect(try folder.listing("out/d") == folder.listing("d"))
        #expect(summary.hardLinks == 1)
        #expect(summary.symlinks == 3)
        #expect(try folder.text("out/d/hard") == "content")
        #expect(try folder.status("out/d/hard").inode == folder.status("out/d/f").inode)
        #expect(try folder.bytes("out/d/big") == sample(300_000))
        #expect(try folder.text("out/d/ä.txt") == "utf-8")
        #expect(try folder.target("out/d/absolute") == "/etc/hostname")
        #expect(try folder.target("out/d/up") == "../../..")
        #expect(try folder.status("out/d/f").permissions == 0o640)
        #expect(try folder.status("out/d/run").permissions == 0o755)
        #expect(try folder.status("out/d/f").modified.seconds == 1_500_000_000)
    }

    /// The locale of the tests is C, as everywhere without locale files: names are bytes all the same.
    @Test func keepsNamesInTheCLocale() throws {
        #expect(String(cString: setlocale(LC_ALL, nil)) == "C")
        let folder = try TemporaryFolder()
        let names: [[UInt8]] = [
            Array("ä.txt".utf8), Array("a\u{308}.txt".utf8), [0xE4, 0x2E, 0x74, 0x78, 0x74], Array("new\nline".utf8),
            [0xFF, 0xFE],
            Array("日本語".utf8), Array(String(repeating: "ö", count: 120).utf8),
        ]
        let long = [UInt8](repeating: 0x6C, count: 120)
        let entries =
            names.map { (TarHeader(name: $0, kind: .file), Array("x".utf8)) }
            + names.map { (TarHeader(name: Array("link-".utf8) + $0, kind: .symlink, linkName: $0 + long), []) }
        let summary = try Unpacker.unpack(MemorySource(tar(entries)), as: .tar, into: folder["out"])
        #expect(summary.files == names.count)
        for name in names {
            #expect(try folder.text(BytePath("out").appending(BytePath(bytes: name))) == "x")
            #expect(
                try folder.target(BytePath(bytes: Array("out/link-".utf8) + name)) == BytePath(bytes: name + long))
        }
    }

    @Test func acceptsTheCurrentDirectoryAsEntry() throws {
        let folder = try tree()
        try run(["tar", "-czf", "../a.tgz", "."], in: folder["d"])
        try Unpacker.unpack(source(folder, "a.tgz"), as: .tarGzip, into: folder["out"])
        #expect(try folder.listing("out") == folder.listing("d"))
    }

    @Test(arguments: [
        "--format=gnu", "--format=pax --sparse-version=0.0", "--format=pax --sparse-version=0.1",
        "--format=pax --sparse-version=1.0",
    ])
    func unpacksSparseFilesUnderTheirRealNames(_ flags: String) throws {
        let folder = try TemporaryFolder()
        let file = try Descriptor.open(folder["holes"], O_RDWR | O_CREAT)
        try DescriptorIO.write(file.raw, Array("middle".utf8).span, at: 5 << 20, subject: "")
        try checked("truncate") { ftruncate(file.raw, 20 << 20) }
        try run(["tar", "-S", "-cf", "a.tar", "holes"] + flags.split(separator: " ").map(String.init), in: folder.path)
        #expect(try folder.status("a.tar").size < 1 << 20)
        try Unpacker.unpack(source(folder, "a.tar"), as: .tar, into: folder["out"])
        let status = try folder.status("out/holes")
        #expect(status.size == 20 << 20)
        #expect(status.allocated < 1 << 20)
        #expect(try run(["cmp", "holes", "out/holes"], in: folder.path).status == 0)
    }

    @Test func makesHolesOfZerosInFaithfulTrees() throws {
        let folder = try TemporaryFolder()
        var bytes = [UInt8](repeating: 0, count: 3 << 20)
        bytes.replaceSubrange(1_000_000..<1_000_006, with: Array("middle".utf8))
        bytes[bytes.count - 1] = 1
        try folder.file("f", bytes)
        let sink = MemorySink()
        try Tar.pack(folder["f"], into: sink)
        for (isFaithful, isSparse) in [(true, true), (false, false)] {
            try Unpacker.unpack(
                DripSource(sink.bytes, size: 10_007), as: .tar, into: folder["out"],
                options: UnpackOptions(isFaithful: isFaithful))
            #expect(try folder.bytes("out/f") == bytes)
            #expect(try (folder.status("out/f").allocated < 1 << 20) == isSparse)
        }
        try folder.file("zeros", [UInt8](repeating: 0, count: 100_000))
        let zeros = MemorySink()
        try Tar.pack(folder["zeros"], into: zeros)
        try Unpacker.unpack(MemorySource(zeros.bytes), as: .tar, into: folder["out"], options: UnpackOptions(isFaithful: true))
        #expect(try folder.status("out/zeros").size == 100_000)
    }

    @Test func readsArchivesWithoutEntriesOrEnd() throws {
        let folder = try TemporaryFolder()
        for (index, bytes) in [[], [UInt8](repeating: 0, count: 512), [UInt8](repeating: 0, count: 10_240)].enumerated() {
            let out = folder[BytePath("out\(index)")]
            #expect(try Unpacker.unpack(MemorySource(bytes), as: .tar, into: out) == UnpackSummary())
            #expect(try FileStatus.of(out, followingLinks: false).kind == .directory)
            #expect(try Unpacker.unpack(MemorySource(try gzip(bytes)), as: .tarGzip, into: out) == UnpackSummary())
        }
        let whole = tar([file("f", "content")])
        try Unpacker.unpack(MemorySource(Array(whole.dropLast(1024))), as: .tar, into: folder["open"])
        #expect(try folder.text("open/f") == "content")
    }

    @Test func ignoresModesOfDirectoriesAndSpecialBits() throws {
        let folder = try TemporaryFolder()
        let bytes = tar([entryFolder("d", 0), file("d/f", "x", mode: 0o7777)])
        try Unpacker.unpack(MemorySource(bytes), as: .tar, into: folder["out"])
        #expect(try folder.status("out/d").permissions == 0o755)
        #expect(try folder.status("out/d/f").permissions == 0o777 & ~mask)
        try Unpacker.unpack(MemorySource(bytes), as: .tar, into: folder["all"], options: UnpackOptions(isFaithful: true))
        #expect(try folder.status("all/d").permissions == 0)
        #expect(try folder.status("all/d/f").permissions == 0o7777)
    }

    @Test func tellsOnceWhatItLeavesOut() throws {
        let folder = try TemporaryFolder()
        let lines = Lines()
        let summary = try Unpacker.unpack(
            MemorySource(
                tar([
                    (TarHeader(name: Array("dev".utf8), kind: .blockDevice, deviceMajor: 8), []),
                    (TarHeader(name: Array("tty".utf8), kind: .characterDevice, deviceMajor: 4), []),
                    (TarHeader(name: Array("pipe".utf8), kind: .fifo), []), link("lost", to: "nowhere", .hardLink),
                    (
                        TarHeader(
                            name: Array("x".utf8), kind: .file,
                            records: [(Array("SCHILY.xattr.user.k".utf8), Array("v".utf8))]), []
                    ), file("f"),
                ])), as: .tar, into: folder["out"], options: UnpackOptions(log: lines.log))
        #expect(summary.droppedSpecials == 3)
        #expect(summary.droppedLinks == 1)
        #expect(summary.droppedAttributes == 1)
        #expect(try folder.listing("out") == ["f", "x"])
        #expect(lines.all.count == 1)
        #expect(lines.all[0].contains("specials=3 hardLinks=1 attributes=1"))
    }

    @Test func letsLaterEntriesTakeThePlaceOfEarlierOnes() throws {
        let folder = try TemporaryFolder()
        try folder.file("out/left", "a much longer text than the new one")
        try Unpacker.unpack(
            MemorySource(
                tar([
                    file("left", "new"), file("a", "first"), link("b", to: "a", .hardLink), file("a", "second"), file("c"),
                    link("c", to: "a"), link("d", to: "a"), entryFolder("d", 0o755), file("d/f", "in d"), link("e", to: "a"),
                    file("e", "no link"), entryFolder("d", 0o755), link("b", to: "b", .hardLink),
                ])), as: .tar, into: folder["out"])
        #expect(try folder.text("out/left") == "new")
        #expect(try folder.text("out/a") == "second")
        #expect(try folder.text("out/b") == "first")
        #expect(try folder.target("out/c") == "a")
        #expect(try folder.text("out/d/f") == "in d")
        #expect(try folder.text("out/e") == "no link")
        #expect(failingCode { try Unpacker.unpack(MemorySource(tar([file("d")])), as: .tar, into: folder["out"]) } == EISDIR)
    }

    @Test func copiesWhereHardLinksAreForbidden() throws {
        let folder = try TemporaryFolder()
        let bytes = tar([file("a", "content", mode: 0o600), link("b", to: "a", .hardLink)])
        for code in [EPERM, EMLINK, EOPNOTSUPP] {
            try Surroundings.denying([265], with: code) {
                try Unpacker.unpack(MemorySource(bytes), as: .tar, into: folder["out"])
                #expect(try folder.text("out/b") == "content")
                #expect(try folder.status("out/b").permissions == 0o600)
                #expect(try folder.status("out/b").linkCount == 1)
                try TreeRemoval.remove(folder["out"])
            }
        }
    }

    @Test func refusesWhatIsNoTar() throws {
        let folder = try TemporaryFolder()
        let noise = sample(20_000)
        #expect(errorCode { try Unpacker.unpack(MemorySource(noise), as: .tar, into: folder["out"]) } == .wrongFormat)
        #expect(errorCode { try Unpacker.unpack(MemorySource(noise), as: .tarGzip, into: folder["out"]) } == .wrongFormat)
        #expect(
            errorCode { try Unpacker.unpack(MemorySource(try gzip(noise)), as: .tarGzip, into: folder["out"]) } == .wrongFormat)
        #expect(errorCode { try Unpacker.unpack(MemorySource(noise), as: .tarZstd, into: folder["out"]) } == .wrongFormat)
    }

    /// The reference never reads so far, and takes a broken archive for a whole one.
    @Test func verifiesTheChecksumBehindTheArchive() throws {
        let folder = try TemporaryFolder()
        var packed = try gzip(tar([file("f", "content")]))
        let good = packed
        packed[packed.count - 8] ^= 1
        #expect(errorCode { try Unpacker.unpack(MemorySource(packed), as: .tarGzip, into: folder["out"]) } == .corrupt)
        #expect(
            errorCode { try Unpacker.unpack(MemorySource(good.dropLast(1)), as: .tarGzip, into: folder["out"]) } == .truncated)
        let lines = Lines()
        try Unpacker.unpack(
            MemorySource(good + Array("garbage".utf8)), as: .tarGzip, into: folder["out"],
            options: UnpackOptions(log: lines.log))
        #expect(lines.all.count == 1)
        #expect(throws: SystemError("read", "the network", ECONNRESET)) {
            try Unpacker.unpack(FailingSource(good.dropLast(9)), as: .tarGzip, into: folder["out"])
        }
    }

    @Test func unpacksZstd() throws {
        guard isInstalled("zstd") else { try Test.cancel("zstd is not installed") }
        let folder = try tree()
        try run(["sh", "-c", "tar -c d | zstd -q > a.tar.zst"], in: folder.path)
        let found = try ArchiveDetector.detect(source(folder, "a.tar.zst"))
        #expect(found.kind == .tarZstd)
        #expect(!found.isTarGzip)
        try Unpacker.unpack(found.source, as: .tarZstd, into: folder["out"])
        #expect(try folder.listing("out/d") == folder.listing("d"))
    }

    @Test(.enabled(if: Surroundings.isRoot, "needs root to mount a small file system"))
    func namesTheFileWhenTheDiskIsFull() throws {
        let folder = try TemporaryFolder()
        try folder.folder("small")
        try #require(mount("tmpfs", folder["small"].text, "tmpfs", 0, "size=256k") == 0)
        defer { umount2(folder["small"].text, 2) }
        let bytes = tar([file("a", "fits"), (TarHeader(name: Array("big".utf8), kind: .file), sample(600_000))])
        let error = #expect(throws: SystemError.self) {
            try Unpacker.unpack(MemorySource(bytes), as: .tar, into: folder["small/out"])
        }
        #expect(error?.message == "write \(folder["small/out/big"]): no space left on device")
    }

    @Test func holdsTheLimitsThatAreSet() throws {
        let folder = try TemporaryFolder()
        let bytes = tar([file("a", "12345"), file("b", "12345"), entryFolder("c", 0o755)])
        func unpack(_ limits: UnpackOptions.Limits) -> ArchiveError.Code? {
            errorCode {
                try Unpacker.unpack(MemorySource(bytes), as: .tar, into: folder["out"], options: UnpackOptions(limits: limits))
            }
        }
        #expect(unpack(.init(entries: 2)) == .limitExceeded)
        #expect(unpack(.init(entries: 3)) == nil)
        #expect(unpack(.init(bytes: 9)) == .limitExceeded)
        #expect(unpack(.init(bytes: 1 << 16)) == nil)
        let bomb = try gzip(tar([(TarHeader(name: Array("zeros".utf8), kind: .file), [UInt8](repeating: 0, count: 8 << 20))]))
        let options = { (ratio: Int64) in UnpackOptions(limits: .init(ratio: ratio)) }
        #expect(
            errorCode {
                try Unpacker.unpack(MemorySource(bomb), as: .tarGzip, into: folder["out"], options: options(50))
            } == .limitExceeded)
        try Unpacker.unpack(MemorySource(bomb), as: .tarGzip, into: folder["out"], options: options(100_000))
    }

    @Test func stopsASizeThatIsOnlyClaimed() throws {
        let folder = try TemporaryFolder()
        var header = TarHeader(name: Array("huge".utf8), kind: .file)
        header.size = 1 << 50
        let error = errorCode {
            try Unpacker.unpack(
                MemorySource(header.encoded() + [1, 2, 3]), as: .tar, into: folder["out"],
                options: UnpackOptions(limits: .init(bytes: 1 << 40)))
        }
        #expect(error == .limitExceeded)
        #expect(
            errorCode {
                try Unpacker.unpack(MemorySource(header.encoded() + [1, 2, 3]), as: .tar, into: folder["out"])
            } == .truncated)
    }
}

/// What the umask takes away, read without changing it under the other tests.
private let mask: UInt32 = {
    let lines = String(decoding: (try? SmallFile.read("/proc/self/status")) ?? [], as: UTF8.self).split(separator: "\n")
    return lines.first { $0.hasPrefix("Umask:") }.flatMap {
        UInt32($0.dropFirst(6).trimmingCharacters(in: .whitespaces), radix: 8)
    } ?? 0
}()

func failingCode(_ body: () throws -> Void) -> Int32? {
    do {
        try body()
        return nil
    } catch { return (error as? SystemError)?.code }
}

@Suite struct DetectorTests {
    private func isTar(_ bytes: [UInt8], size: Int = 1000) throws -> Bool {
        let found = try ArchiveDetector.detect(DripSource(bytes, size: size))
        #expect(try readAll(found.source) == bytes)
        return found.isTarGzip
    }

    @Test func knowsGzippedTarsAndGivesThemBackWhole() throws {
        let simple = tar([file("f", "content")])
        #expect(try isTar(gzip(simple)))
        #expect(try isTar(gzip(simple), size: 1))
        // Members with nothing in them, and the header split between members.
        #expect(try isTar(gzip([]) + gzip([]) + gzip(Array(simple[..<100])) + gzip(Array(simple[100...]))))
        let big = tar([(TarHeader(name: Array("f".utf8), kind: .file), sample(3_000_000))])
        #expect(try isTar(gzip(big), size: 1 << 20))
        let pax = tar([(TarHeader(name: Array("ä".utf8), kind: .file), sample(10))])
        #expect(try isTar(gzip(pax)))
        // An extended header longer than what is looked at.
        let deep = [UInt8](repeating: 0x78, count: 200_000)
        #expect(try isTar(gzip(tar([(TarHeader(name: deep, kind: .file), [])]))))
        // Nothing but the header is asked for: the reference reads no further.
        #expect(try isTar(Array(gzip(big).prefix(30_000))))
        #expect(try isTar(gzip(Array(simple[..<512]))))
    }

    @Test func takesEverythingElseForAFile() throws {
        let simple = tar([file("f", "content")])
        for bytes in [
            [], [0x1F], [0x1F, 0x8B], simple, try gzip([]), try gzip(sample(100_000)),
            try gzip([UInt8](repeating: 0, count: 10_240)),
            try gzip(Array(simple[..<511])), sample(100_000), Array("PK\u{3}\u{4}".utf8), [0x28, 0xB5, 0x2F, 0xFD, 1, 2, 3],
            [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255, 1, 2, 3, 4],
        ] {
            #expect(try !isTar(bytes))
        }
        var broken = simple
        broken[10] ^= 1
        #expect(try !isTar(gzip(broken)))
        var pax = tar([(TarHeader(name: Array("ä".utf8), kind: .file), sample(10))])
        pax[512] = UInt8(ascii: "x")
        #expect(try !isTar(gzip(pax)))
        // An extended header, and then the end.
        #expect(try !isTar(gzip(Array(tar([(TarHeader(name: Array("ä".utf8), kind: .file), [])])[..<1024]))))
    }

    @Test(arguments: [
        "--format=v7", "--format=gnu", "--format=oldgnu", "--format=ustar", "--format=pax", "--format=pax --label=x",
    ])
    func knowsEveryDialect(_ flags: String) throws {
        let folder = try TemporaryFolder()
        try folder.file("f", "content")
        try run(["tar", "-czf", "a.tgz", "f"] + flags.split(separator: " ").map(String.init), in: folder.path)
        #expect(try isTar(folder.bytes("a.tgz")))
    }

    /// Many empty members say nothing; the search for a header ends.
    @Test func givesUpOnEndlessEmptiness() throws {
        let empty = try gzip([])
        var bytes: [UInt8] = []
        while bytes.count < 3 << 20 { bytes += empty }
        let source = DripSource(bytes + (try gzip(tar([file("f")]))), size: 1 << 16)
        #expect(try ArchiveDetector.detect(source).kind == nil)
    }

    @Test func passesOnTheSourcesFailure() throws {
        let packed = try gzip(tar([(TarHeader(name: Array("f".utf8), kind: .file), sample(200_000))]))
        #expect(throws: SystemError("read", "the network", ECONNRESET)) {
            _ = try ArchiveDetector.detect(FailingSource(Array(packed[..<50])))
        }
    }
}

@Suite struct SingleEntryRuleTests {
    @Test func namesTheOnlyEntryOrTheWhole() throws {
        let folder = try TemporaryFolder()
        try folder.file("one/f", "content")
        try folder.file("tree/d/f")
        try folder.file("tree/d/g")
        try folder.folder("empty")
        try folder.file("two/a")
        try folder.file("two/b")
        try folder.folder("link")
        try folder.link("link/l", to: "/nowhere")
        try folder.link("outside", to: "/")
        let directory = try ContainedDirectory(folder.path)
        for (unpacked, artifact) in [
            ("one", "one/f"), ("tree", "tree/d"), ("empty", "empty"), ("two", "two"), ("link", "link/l"),
        ] as [(BytePath, BytePath)] {
            #expect(try SingleEntryRule.artifact(unpacked, in: directory) == artifact)
        }
        #expect(failingCode { _ = try SingleEntryRule.artifact("absent", in: directory) } == ENOENT)
        #expect(failingCode { _ = try SingleEntryRule.artifact("outside", in: directory) } == ELOOP)
    }
}
