import FileTrees
import Glibc
import SystemSupport
import Testing

@testable import Archiving

/// Where the records at the end of a zip file say less than the truth, or something else than usual, the entries are found all the
/// same, as the other tools find them; else it is an error, never a part of them.
@Suite struct ZipDirectoryTests {
    /// Helpers for programs that write zip files by hand.
    private static let writer = """
        import struct, zlib, sys
        def local(name, data, packed=None, method=0, crc=None, sizes=None):
            packed = data if packed is None else packed
            crc = zlib.crc32(data) if crc is None else crc
            p, n = sizes or (len(packed), len(data))
            return struct.pack("<IHHHHHIIIHH", 0x04034b50, 20, 0, method, 0, 33, crc, p & 0xffffffff, n & 0xffffffff, len(name), 0) + name + packed
        def central(name, data, at, packed=None, method=0, crc=None, sizes=None, extra=b"", attr=0):
            packed = data if packed is None else packed
            crc = zlib.crc32(data) if crc is None else crc
            p, n = sizes or (len(packed), len(data))
            return struct.pack("<IHHHHHHIIIHHHHHII", 0x02014b50, 0x31e, 20, 0, method, 0, 33, crc, p & 0xffffffff, n & 0xffffffff, len(name), len(extra), 0, 0, 0, attr, at & 0xffffffff) + name + extra
        def end(count, length, at, comment=b""):
            return struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, count & 0xffff, count & 0xffff, length & 0xffffffff, at & 0xffffffff, len(comment)) + comment
        def end64(count, length, at, place):
            return struct.pack("<IQHHIIQQQQ", 0x06064b50, 44, 0x31e, 45, 0, 0, count, count, length, at) + struct.pack("<IIQI", 0x07064b50, 0, place, 1)
        def save(*parts): open("a.zip", "wb").write(b"".join(parts))

        """

    /// A folder with `a.zip`, made by a program.
    private func make(_ program: String) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try python(Self.writer + program, in: folder.path)
        return folder
    }

    private func names(_ folder: TemporaryFolder) throws -> [String] {
        let file = try Descriptor.open(folder["a.zip"], O_RDONLY)
        let reader = try ZipReader(file.raw, keepsTimes: false)
        var names: [String] = []
        while let entry = try reader.next() { names.append(entry.name.text) }
        return names
    }

    private func unpack(_ folder: TemporaryFolder) throws -> [String] {
        try Unpacker.unpackZip(file: folder["a.zip"], into: folder["out"])
        return try folder.listing("out")
    }

    /// Writers without zip64 let the count of 16 bits wrap.
    @Test(arguments: [65_536, 65_541]) func readsAllEntriesWhateverTheCountIs(_ count: Int) throws {
        let folder = try make(
            """
            n = \(count)
            out, cd = bytearray(), bytearray()
            for i in range(n):
                name = b"f%06d" % i
                cd += central(name, b"", len(out)); out += local(name, b"")
            save(out, cd, end(n, len(cd), len(out)))
            """)
        #expect(try names(folder).count == count)
    }

    @Test(arguments: [5, 65_540]) func refusesADirectoryThatIsBrokenWhereTheWrappedCountEnds(_ index: Int) throws {
        let folder = try make(
            """
            n = 65541
            out, cd = bytearray(), bytearray()
            for i in range(n):
                name = b"f%06d" % i
                cd += central(name, b"", len(out)); out += local(name, b"")
            cd[\(index) * 53] = 0
            save(out, cd, end(n, len(cd), len(out)))
            """)
        #expect(errorCode { _ = try names(folder) } == .corrupt)
    }

    @Test(arguments: [1, 3, 65_538]) func refusesACountThatIsNotThatOfTheRecords(_ count: Int) throws {
        let folder = try make(
            """
            a = local(b"a", b"1"); b = local(b"b", b"2")
            cd = central(b"a", b"1", 0) + central(b"b", b"2", len(a))
            save(a, b, cd, end(\(count), len(cd), len(a + b)))
            """)
        if count == 65_538 {
            #expect(try names(folder) == ["a", "b"])
        } else {
            #expect(errorCode { _ = try names(folder) } == .corrupt)
        }
    }

    /// What Info-ZIP writes for `tar c . | zip a.zip -`: 64-bit records beside plain ones that say it all, and an entry that is marked
    /// as a pipe.
    @Test(arguments: ["", "#!/bin/sh\\nexec unzip\\n"]) func reads64BitRecordsBesidePlainOnes(_ prefix: String) throws {
        let folder = try make(
            """
            a = local(b"-", b"hello"); cd = central(b"-", b"hello", 0, attr=0x11800000)
            save(b"\(prefix)", a, cd, end64(1, len(cd), len(a), len(a + cd)), end(1, len(cd), len(a)))
            """)
        #expect(try unpack(folder) == ["-"])
        #expect(try folder.text("out/-") == "hello")
    }

    @Test func readsWhatZipMakesOfItsInput() throws {
        guard isInstalled("zip") else { try Test.cancel("zip is not installed") }
        let folder = try TemporaryFolder()
        #expect(try run(["sh", "-c", "echo hello | zip -q a.zip -"], in: folder.path).status == 0)
        #expect(try unpack(folder) == ["-"])
        #expect(try folder.text("out/-") == "hello\n")
    }

    /// Only those fields are left to the 64-bit record that do not fit.
    @Test(arguments: ["count", "length", "place", "none", "all"]) func reads64BitRecordsForSomeFieldsOnly(_ field: String)
        throws
    {
        let folder = try make(
            """
            a = local(b"a", b"content"); cd = central(b"a", b"content", 0); field = "\(field)"
            def marked(name, value, mark): return mark if field in (name, "all") else value
            save(a, cd, end64(1, len(cd), len(a), len(a + cd)),
                end(marked("count", 1, 0xffff), marked("length", len(cd), 0xffffffff), marked("place", len(a), 0xffffffff)))
            """)
        #expect(try unpack(folder) == ["a"])
        #expect(try folder.text("out/a") == "content")
    }

    /// The plain record counts where something else only looks like the other one.
    @Test func passesOverA64BitRecordThatSaysSomethingElse() throws {
        let folder = try make(
            """
            a = local(b"a", b"content"); cd = central(b"a", b"content", 0)
            save(a, cd, end64(7, 9999, 5, len(a + cd)), end(1, len(cd), len(a)))
            """)
        #expect(try unpack(folder) == ["a"])
    }

    /// Something between the directory and its end: padding, a digital signature.
    @Test(arguments: ["bytes(7)", "b'PK\\x05\\x05\\x02\\x00xx'"]) func findsTheDirectoryWhereItIsSaidToBe(_ gap: String) throws
    {
        let folder = try make(
            """
            a = local(b"a", b"content"); cd = central(b"a", b"content", 0)
            save(a, cd, \(gap), end(1, len(cd), len(a)))
            """)
        #expect(try unpack(folder) == ["a"])
        let counted = try make(
            """
            a = local(b"a", b"content"); cd = central(b"a", b"content", 0) + \(gap)
            save(a, cd, end(1, len(cd), len(a)))
            """)
        #expect(try unpack(counted) == ["a"])
    }

    /// A program in front (self-extracting), whose offsets count from the file's beginning or from the archive's.
    @Test(arguments: [false, true]) func findsEntriesBehindAProgram(_ isAdjusted: Bool) throws {
        let folder = try make(
            """
            head = b"#!/bin/sh\\nPK\\x01\\x02 is no record\\n"; shift = len(head) if \(isAdjusted ? "True" : "False") else 0
            a = local(b"a", b"content"); cd = central(b"a", b"content", shift)
            save(head, a, cd, end(1, len(cd), len(a) + shift))
            """)
        #expect(try unpack(folder) == ["a"])
        #expect(try folder.text("out/a") == "content")
    }

    /// Of two archives one behind the other the last counts, though the first has records where the last is said to have them.
    @Test func readsTheLastOfTwoArchives() throws {
        let folder = try make(
            """
            def archive(data):
                a = local(b"a", data); cd = central(b"a", data, 0)
                return a + cd + end(1, len(cd), len(a))
            save(archive(b"first"), archive(b"other"))
            """)
        #expect(try unpack(folder) == ["a"])
        #expect(try folder.text("out/a") == "other")
    }

    @Test func passesOverCommentsThatLookLikeTheEnd() throws {
        let folder = try make(
            """
            a = local(b"a", b"content"); cd = central(b"a", b"content", 0)
            comment = b"PK\\x05\\x06" + b"x" * 18 + end(1, 46, 3) + b"PK\\x05\\x06" + bytes(18)
            save(a, cd, end(1, len(cd), len(a), comment))
            """)
        #expect(try unpack(folder) == ["a"])
    }

    /// Sizes and places of 32 bits that have wrapped are errors: what they name is not all of the entry.
    @Test(arguments: [
        "sizes=(len(packed) + 2**32, len(data) + 2**32)", "sizes=(len(packed), len(data) - 5)",
        "sizes=(len(packed) - 5, len(data))",
    ])
    func refusesEntriesWhoseSizesAreNotTheirs(_ sizes: String) throws {
        let folder = try make(
            """
            data = b"content" * 100; d = zlib.compressobj(wbits=-15); packed = d.compress(data) + d.flush()
            a = local(b"a", data, packed, 8); cd = central(b"a", data, 0, packed, 8, \(sizes))
            save(a, cd, end(1, len(cd), len(a)))
            """)
        if sizes.contains("2**32") {
            #expect(try unpack(folder) == ["a"])
        } else {
            #expect(errorCode { _ = try unpack(folder) } != nil)
        }
    }

    @Test func refusesEntriesThatAreNotWhereTheyAreSaidToBe() throws {
        for place in ["2**32 - 2", "1", "len(a) + 5"] {
            let folder = try make(
                """
                a = local(b"a", b"1"); b = local(b"b", b"2")
                cd = central(b"a", b"1", 0) + central(b"b", b"2", \(place))
                save(a, b, cd, end(2, len(cd), len(a + b)))
                """)
            #expect(errorCode { _ = try unpack(folder) } != nil, "\(place)")
        }
    }

    /// 64-bit fields of an entry, each only where its small one is marked.
    @Test(arguments: [(false, false, true), (true, false, false), (true, true, false), (true, true, true)])
    func reads64BitFieldsOfEntriesThatAreMarked(_ marked: (size: Bool, packed: Bool, place: Bool)) throws {
        func word(_ value: Bool) -> String { value ? "True" : "False" }
        let folder = try make(
            """
            a = local(b"a", b"first"); b = local(b"b", b"content")
            extra = b""
            if \(word(marked.size)): extra += struct.pack("<Q", 7)
            if \(word(marked.packed)): extra += struct.pack("<Q", 7)
            if \(word(marked.place)): extra += struct.pack("<Q", len(a))
            extra = struct.pack("<HH", 1, len(extra)) + extra
            cd = central(b"a", b"first", 0) + central(b"b", b"content", 2**32 - 1 if \(word(marked.place)) else len(a),
                sizes=(2**32 - 1 if \(word(marked.packed)) else 7, 2**32 - 1 if \(word(marked.size)) else 7), extra=extra)
            save(a, b, cd, end(2, len(cd), len(a + b)))
            """)
        #expect(try unpack(folder) == ["a", "b"])
        #expect(try folder.text("out/b") == "content")
    }

    /// The directory's word counts where the entry's own header says something else, as it does for all who stream.
    @Test func believesTheDirectoryWhereLocalHeadersDisagree() throws {
        let folder = try make(
            """
            a = local(b"other-name", b"content", crc=1, sizes=(0, 0)); b = local(b"b", b"2")
            cd = central(b"a", b"content", 0) + central(b"b", b"2", len(a))
            save(a, b, cd, end(2, len(cd), len(a + b)))
            """)
        #expect(try unpack(folder) == ["a", "b"])
        #expect(try folder.text("out/a") == "content")
    }
}

/// Sizes that do not fit the octal digits of a tar header.
@Suite struct LargeSizeTests {
    @Test func readsTarSizesInBase256() throws {
        let folder = try TemporaryFolder()
        var bytes = tar([file("f", "content"), file("g", "after")])
        bytes.replaceSubrange(124..<136, with: [0x80] + [UInt8](repeating: 0, count: 10) + [7])
        bytes.replaceSubrange(148..<156, with: [UInt8](repeating: 0x20, count: 8))
        let sum = bytes[..<512].reduce(0) { $0 + Int($1) }
        let digits = Array(String(sum, radix: 8).utf8)
        bytes.replaceSubrange(148..<156, with: [UInt8](repeating: 0x30, count: 6 - digits.count) + digits + [0, 0x20])
        try Unpacker.unpack(MemorySource(bytes), as: .tar, into: folder["out"])
        #expect(try folder.text("out/f") == "content")
        #expect(try folder.text("out/g") == "after")
        #expect(try ArchiveDetector.detect(MemorySource(try gzip(bytes))).isTarGzip)
    }

    @Test func refusesTarSizesBeyondAnyFile() throws {
        let folder = try TemporaryFolder()
        for first: UInt8 in [0x80, 0xFF] {
            var bytes = tar([file("f", "content")])
            bytes.replaceSubrange(124..<136, with: [first] + [UInt8](repeating: 0xFF, count: 11))
            bytes.replaceSubrange(148..<156, with: [UInt8](repeating: 0x20, count: 8))
            let sum = bytes[..<512].reduce(0) { $0 + Int($1) }
            let digits = Array(String(sum, radix: 8).utf8)
            bytes.replaceSubrange(148..<156, with: [UInt8](repeating: 0x30, count: 6 - digits.count) + digits + [0, 0x20])
            #expect(errorCode { try Unpacker.unpack(MemorySource(bytes), as: .tar, into: folder["out"]) } != nil)
        }
    }
}
