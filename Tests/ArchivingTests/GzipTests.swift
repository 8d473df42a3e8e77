import FileTrees
import Foundation
import Glibc
import SystemSupport
import Testing

@testable import Archiving

private func compressed(_ bytes: [UInt8], level: Int = -1, threads: Int? = 2, piece: Int = 100_000) throws -> [UInt8] {
    let sink = MemorySink()
    let writer = try GzipWriter(sink, level: level, threads: threads)
    var start = 0
    while start < bytes.count {
        let end = min(start + piece, bytes.count)
        try writer.write(bytes.span.extracting(start..<end))
        start = end
    }
    try writer.finish()
    return sink.bytes
}

private func code(_ body: () throws -> Void) -> ArchiveError.Code? {
    do {
        try body()
        return nil
    } catch { return (error as? ArchiveError)?.code }
}

@Suite struct GzipWriterTests {
    /// Python's decompressor stops after the first member; nothing may be left then.
    @Test(arguments: -2...9) func writesOneMemberAtEveryLevel(_ level: Int) throws {
        let folder = try TemporaryFolder()
        let bytes = sample(600_000)
        try folder.file("packed", try compressed(bytes, level: level))
        try folder.file("plain", bytes)
        try python(
            """
            import zlib
            packed = open("packed", "rb").read()
            one = zlib.decompressobj(31)
            assert one.decompress(packed) == open("plain", "rb").read()
            assert one.eof and not one.unused_data
            """, in: folder.path)
    }

    @Test(arguments: [0, 1, 2, 511, 65_535, 65_536, Chunk.size - 1, Chunk.size, Chunk.size + 1, 2 * Chunk.size, 3_000_001])
    func giveSameContentWhateverTheLength(_ count: Int) throws {
        let bytes = sample(count)
        for level in [-1, 0, 1] {
            let serial = try compressed(bytes, level: level, threads: 1)
            #expect(try readAll(GzipReader(MemorySource(serial))) == bytes)
            #expect(try compressed(bytes, level: level, threads: 4, piece: 70_000) == serial)
        }
    }

    @Test func writesTheContractsHeader() throws {
        #expect(try compressed([1, 2, 3]).prefix(10) == [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255])
        #expect(try compressed([1, 2, 3], level: 9).prefix(10) == [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 255])
        #expect(try compressed([1, 2, 3], level: 1).prefix(10) == [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 4, 255])
    }

    @Test(arguments: [-3, 10, Int.max, Int.min]) func refusesOtherLevels(_ level: Int) {
        #expect(code { _ = try GzipWriter(MemorySink(), level: level) } == .invalidLevel)
    }

    @Test func storesWhatCannotBeCompressed() throws {
        var noise = Noise(7)
        let bytes = (0..<(2 * Chunk.size + 5)).map { _ in UInt8.random(in: 0...255, using: &noise) }
        let packed = try compressed(bytes)
        #expect(packed.count < bytes.count + bytes.count / 1000 + 100)
        #expect(try readAll(GzipReader(MemorySource(packed))) == bytes)
    }

    /// Level 6 must not be more than 2 % larger than zlib's own.
    @Test func compressesAsWellAsZlib() throws {
        let folder = try TemporaryFolder()
        try run(["sh", "-c", "cat /usr/include/*.h /usr/bin/perl | head -c 4000000 > plain"], in: folder.path)
        let bytes = try folder.bytes("plain")
        try #require(bytes.count > 3_000_000)
        let reference = try #require(
            Int(
                try python("import zlib; print(len(zlib.compress(open('plain', 'rb').read(), 6)))", in: folder.path)
                    .trimmingCharacters(in: .newlines)))
        #expect(try compressed(bytes, level: 6).count <= reference + reference / 50)
    }

    @Test func passesOnTheSinksFailure() throws {
        let bytes = sample(6_000_000)
        for limit in [0, 5, 300_000, 900_000] {
            let writer = try GzipWriter(GaugedSink(limit: limit), threads: 3)
            #expect(throws: SystemError("write", "sink", ENOSPC)) {
                try writer.write(bytes.span)
                try writer.finish()
            }
        }
    }

    @Test func leavesAnUnfinishedMemberUnfinished() throws {
        let sink = MemorySink()
        do {
            let writer = try GzipWriter(sink, threads: 2)
            try writer.write(sample(3_000_000).span)
        }
        #expect(code { _ = try readAll(GzipReader(MemorySource(sink.bytes))) } == .truncated)
    }

    @Test func worksWhereThreadsAreForbidden() throws {
        let bytes = sample(2_000_000)
        let expected = try compressed(bytes, threads: 1)
        try Surroundings.denying([56, 435], with: EPERM) {
            let packed = try compressed(bytes, threads: 4)
            #expect(packed == expected)
        }
    }
}

@Suite struct GzipReaderTests {
    @Test(arguments: ["gzip -1", "gzip -9", "pigz -6", "pigz -0", "pigz -i"]) func readsWhatOthersWrite(_ tool: String) throws {
        let words = tool.split(separator: " ").map(String.init)
        guard isInstalled(words[0]) else { try Test.cancel("\(words[0]) is not installed") }
        let folder = try TemporaryFolder()
        let bytes = sample(700_000)
        try folder.file("plain", bytes)
        try run(words + ["-k", "plain"], in: folder.path)
        #expect(try readAll(GzipReader(MemorySource(try folder.bytes("plain.gz")))) == bytes)
    }

    /// Every optional field there is, in pieces of every small size.
    @Test func readsHeadersSplitAnywhere() throws {
        let plain = Array("content".utf8)
        let simple = try compressed(plain)
        var header: [UInt8] = [0x1F, 0x8B, 8, 2 | 4 | 8 | 16, 1, 2, 3, 4, 0, 3]
        header += [5, 0, 1, 2, 3, 4, 5] + Array("name\0".utf8) + Array("comment\0".utf8)
        let folder = try TemporaryFolder()
        try folder.file("header", header)
        let sum = try #require(
            Int(
                try python("import zlib; print(zlib.crc32(open('header','rb').read()) & 0xFFFF)", in: folder.path)
                    .trimmingCharacters(in: .newlines)))
        let member = header + [UInt8(sum & 0xFF), UInt8(sum >> 8)] + simple[10...]
        for size in 1...9 {
            #expect(try readAll(GzipReader(DripSource(member + member + simple, size: size))) == plain + plain + plain)
        }
        var broken = member
        broken[header.count] ^= 1
        #expect(code { _ = try readAll(GzipReader(MemorySource(broken))) } == .corrupt)
    }

    @Test func readsAnyNumberOfMembersAndPadding() throws {
        let parts = [sample(10), [], sample(200_000, seed: 3), sample(1)]
        let members = try parts.map { try compressed($0) }
        let whole = Array(members.joined())
        let expected = Array(parts.joined())
        for size in [1, 3, 4096] where size > 1 || whole.count < 200_000 {
            #expect(try readAll(GzipReader(DripSource(whole, size: size))) == expected)
        }
        #expect(try readAll(GzipReader(MemorySource(whole + [UInt8](repeating: 0, count: 10_000)))) == expected)
        for garbage: [UInt8] in [[1], [0, 0, 1], [0x1F], Array("garbage".utf8), [0x1F, 0x8C]] {
            let reader = GzipReader(MemorySource(whole + garbage))
            #expect(code { _ = try readAll(reader) } == .trailingGarbage)
        }
        #expect(code { _ = try readAll(GzipReader(MemorySource(whole + [0x1F, 0x8B, 8]))) } == .truncated)
    }

    @Test func refusesWhatIsNoGzip() throws {
        for bytes: [UInt8] in [[], [0x1F], [0x1F, 0x8C, 8], Array("plain text".utf8), [0x1F, 0x8B, 7, 0, 0, 0]] {
            #expect(code { _ = try readAll(GzipReader(MemorySource(bytes))) } == .wrongFormat)
        }
    }

    @Test func noticesTruncationAtEveryByte() throws {
        let packed = try compressed(sample(3000))
        for count in 3..<packed.count {
            let error = #expect(throws: ArchiveError.self) {
                _ = try readAll(GzipReader(DripSource(Array(packed[..<count]), size: 100)))
            }
            #expect(error?.code == .truncated, "\(count)")
            #expect(error?.message == "gunzip: unexpected EOF")
        }
    }

    /// A flipped bit is an error, or says nothing of the content (a time in the header, padding before a byte boundary).
    @Test func noticesEveryFlippedBit() throws {
        let plain = sample(600)
        let packed = try compressed(plain)
        for bit in 0..<packed.count * 8 {
            var broken = packed
            broken[bit / 8] ^= 1 << UInt8(bit % 8)
            do {
                #expect(try readAll(GzipReader(MemorySource(broken))) == plain, "bit \(bit)")
            } catch { #expect(error is ArchiveError) }
        }
    }

    @Test func givesWhatComesBeforeAFault() throws {
        let plain = sample(400_000)
        var packed = try compressed(plain, level: 1)
        packed[packed.count - 6] ^= 0xFF
        let reader = GzipReader(MemorySource(packed))
        var read: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        #expect(
            code {
                while true {
                    var span = buffer.mutableSpan
                    let count = try reader.read(into: &span)
                    read += buffer[..<count]
                }
            } == .corrupt)
        #expect(read == plain)
        #expect(code { _ = try readAll(reader) } == .corrupt)
    }

    @Test func passesOnTheSourcesFailure() throws {
        let packed = try compressed(sample(400_000))
        #expect(throws: SystemError("read", "the network", ECONNRESET)) {
            _ = try readAll(GzipReader(FailingSource(Array(packed.prefix(10_000)))))
        }
    }
}
