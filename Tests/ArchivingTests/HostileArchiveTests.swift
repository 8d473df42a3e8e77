import FileTrees
import Foundation
import Glibc
import SystemSupport
import Testing

@testable import Archiving

/// Whatever an archive holds, nothing is created or changed outside the target.
@Suite struct HostileArchiveTests {
    /// `jail/out` is the target; around it stands what must stay as it is.
    private func jail() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.file("secret", "secret", mode: 0o600)
        try folder.file("jail/neighbour", "neighbour", mode: 0o600)
        try folder.folder("jail/out")
        return folder
    }

    private func expectUntouched(_ folder: TemporaryFolder, _ comment: Comment) throws {
        let around = try folder.listing().filter { !$0.hasPrefix("jail/out/") }
        #expect(around == ["jail/", "jail/neighbour", "secret"], comment)
        #expect(try folder.text("secret") == "secret", comment)
        #expect(try folder.text("jail/neighbour") == "neighbour", comment)
        for name: BytePath in ["secret", "jail/neighbour"] {
            let status = try folder.status(name)
            #expect(status.permissions == 0o600, comment)
            #expect(status.linkCount == 1, comment)
        }
    }

    /// Entries, and what becomes of them: the error, and what is there afterwards.
    private struct Attack: Sendable, CustomTestStringConvertible {
        let name: String
        let entries: [(TarHeader, [UInt8])]
        var code: ArchiveError.Code?
        let left: [String]

        var testDescription: String { name }
    }

    private static let long = String(repeating: "n", count: 300)

    private static let attacks: [Attack] = [
        .init(name: "parent", entries: [file("../evil")], code: .escapes, left: []),
        .init(name: "parent inside", entries: [file("a/../../evil")], code: .escapes, left: []),
        .init(name: "parent alone", entries: [entryFolder("..")], code: .escapes, left: []),
        .init(
            name: "parent of a skipped entry", entries: [(TarHeader(name: Array("../pipe".utf8), kind: .fifo), [])],
            code: .escapes, left: []),
        .init(name: "parent of a link", entries: [link("../evil", to: "x")], code: .escapes, left: []),
        .init(
            name: "parent of a hard link", entries: [file("f"), link("../evil", to: "f", .hardLink)], code: .escapes,
            left: ["f"]),
        .init(name: "parent that cancels out", entries: [file("a/../b/./c")], left: ["b/", "b/c"]),
        .init(name: "the target as a file", entries: [file("a/..")], code: .escapes, left: []),
        .init(name: "the target as a link", entries: [link(".", to: "/")], code: .escapes, left: []),
        .init(name: "absolute", entries: [file("/abs/f"), file("//more")], left: ["abs/", "abs/f", "more"]),
        .init(name: "absolute parent", entries: [file("/../evil")], code: .escapes, left: []),
        .init(
            name: "through an absolute link", entries: [link("d", to: "/tmp"), file("d/evil")], code: .escapes, left: ["d@"]),
        .init(
            name: "through a relative link", entries: [link("d", to: ".."), file("d/neighbour")], code: .escapes, left: ["d@"]),
        .init(
            name: "through a chain of links",
            entries: [entryFolder("a"), link("a/b", to: ".."), link("c", to: "a/b/.."), file("c/neighbour")], code: .escapes,
            left: ["a/", "a/b@", "c@"]),
        .init(
            name: "through a link inside", entries: [entryFolder("a"), link("b", to: "a"), file("b/f")],
            left: ["a/", "a/f", "b@"]),
        .init(
            name: "through a link inside that steps up",
            entries: [entryFolder("a/b"), link("a/b/up", to: ".."), file("a/b/up/f")],
            left: ["a/", "a/b/", "a/b/up@", "a/f"]),
        .init(
            name: "through links inside that lead out together",
            entries: [
                entryFolder("a/b"), link("in", to: "a/b"), link("in/up", to: "../../.."), file("in/f"), file("in/up/neighbour"),
            ],
            code: .escapes, left: ["a/", "a/b/", "a/b/f", "a/b/up@", "in@"]),
        .init(
            name: "through a link that steps out and in again",
            entries: [link("d", to: "../out"), file("d/f")], code: .escapes, left: ["d@"]),
        .init(
            name: "through an absolute link to the target", entries: [link("d", to: "/jail/out"), file("d/f")], code: .escapes,
            left: ["d@"]),
        .init(
            name: "through links in a circle", entries: [link("a", to: "b"), link("b", to: "a"), file("a/f")], code: .escapes,
            left: ["a@", "b@"]),
        .init(
            name: "through a link changed for a way out",
            entries: [entryFolder("a"), link("d", to: "a"), file("d/f"), link("d", to: ".."), file("d/neighbour")],
            code: .escapes, left: ["a/", "a/f", "d@"]),
        .init(
            name: "a folder through a link to a folder outside",
            entries: [link("d", to: ".."), entryFolder("d", 0o777), link("d/f", to: "x")], left: ["d/", "d/f@"]),
        .init(
            name: "a hard link through a link inside to a way out",
            entries: [
                entryFolder("a"), link("a/up", to: "../.."), link("b", to: "a"), link("h", to: "b/up/neighbour", .hardLink),
            ],
            left: ["a/", "a/up@", "b@"]),
        .init(
            name: "a folder through a link", entries: [link("d", to: ".."), entryFolder("d/new")], code: .escapes, left: ["d@"]),
        .init(
            name: "a link through a link", entries: [link("d", to: ".."), link("d/neighbour", to: "x")], code: .escapes,
            left: ["d@"]),
        .init(name: "a file over a link", entries: [link("f", to: "../neighbour"), file("f")], left: ["f"]),
        .init(name: "a file over an absolute link", entries: [link("f", to: "/etc/passwd"), file("f")], left: ["f"]),
        .init(
            name: "a folder over a link", entries: [link("d", to: ".."), entryFolder("d"), file("d/neighbour")],
            left: ["d/", "d/neighbour"]),
        .init(
            name: "a link over a link", entries: [link("l", to: ".."), link("l", to: "x"), file("l/f")], code: .escapes,
            left: ["l@"]),
        .init(name: "a hard link out", entries: [link("h", to: "../neighbour", .hardLink), file("h", "evil")], left: ["h"]),
        .init(name: "an absolute hard link", entries: [link("h", to: "/etc/passwd", .hardLink)], left: []),
        .init(
            name: "a hard link through a link",
            entries: [link("d", to: ".."), link("h", to: "d/neighbour", .hardLink), file("h")], left: ["d@", "h"]),
        .init(
            name: "a hard link to a link, then a file",
            entries: [link("l", to: "../neighbour"), link("h", to: "l", .hardLink), file("h")], left: ["h", "l@"]),
        .init(name: "a hard link to a folder", entries: [entryFolder("d"), link("h", to: "d", .hardLink)], left: ["d/"]),
        .init(name: "a hard link to the target", entries: [link("h", to: ".", .hardLink)], left: []),
        .init(name: "through a file", entries: [file("f"), file("f/g")], code: .escapes, left: ["f"]),
        .init(
            name: "devices",
            entries: [(TarHeader(name: Array("null".utf8), kind: .characterDevice, deviceMajor: 1, deviceMinor: 3), [])],
            left: []),
        .init(name: "duplicates", entries: [file("f", "a"), file("f", "b"), link("f", to: "f", .hardLink)], left: ["f"]),
        .init(name: "nothing but slashes", entries: [entryFolder("///"), entryFolder("./.")], left: []),
        .init(name: "backslashes", entries: [file("..\\evil")], left: ["..\\evil"]),
    ]

    @Test(arguments: attacks) private func staysInside(_ attack: Attack) throws {
        for isFaithful in [false, true] {
            for resolver in [[] as [UInt32], [437]] {
                let folder = try jail()
                try Surroundings.denying(resolver, with: ENOSYS) {
                    let code = errorCode {
                        try Unpacker.unpack(
                            MemorySource(tar(attack.entries)), as: .tar, into: folder["jail/out"],
                            options: UnpackOptions(isFaithful: isFaithful))
                    }
                    #expect(code == attack.code)
                }
                try expectUntouched(folder, "\(attack.name)")
                #expect(try folder.listing("jail/out") == attack.left)
            }
        }
    }

    @Test func saysWhichEntryIsRefusedAndWhy() throws {
        let folder = try jail()
        let first = #expect(throws: ArchiveError.self) {
            try Unpacker.unpack(MemorySource(tar([file("../evil")])), as: .tar, into: folder["jail/out"])
        }
        #expect(first?.message == "untar ../evil: it leads out of the target directory")
        let second = #expect(throws: ArchiveError.self) {
            try Unpacker.unpack(
                MemorySource(tar([link("d", to: "/"), file("d/evil")])), as: .tar, into: folder["jail/out"])
        }
        #expect(second?.message == "untar d/evil: its path leads through a link out of the target directory")
        let third = #expect(throws: ArchiveError.self) {
            try Unpacker.unpack(MemorySource(tar([file("f"), file("f/g")])), as: .tar, into: folder["jail/out"])
        }
        #expect(third?.message == "untar f/g: a parent of its path is not a directory")
    }

    @Test func refusesNamesThatAreTooLong() throws {
        let folder = try jail()
        let component = [file(Self.long)]
        #expect(
            failingCode { try Unpacker.unpack(MemorySource(tar(component)), as: .tar, into: folder["jail/out"]) }
                == ENAMETOOLONG)
        // Longer than any path of the kernel, but with short components: possible.
        let deep = String(repeating: "deep/", count: 900) + "f"
        try Unpacker.unpack(MemorySource(tar([file(deep)])), as: .tar, into: folder["jail/out"])
        try expectUntouched(folder, "deep")
    }

    /// Links that others left in the target before (a surviving volume) are no way out either.
    @Test func passesThroughNoLinkThatWasThereBefore() throws {
        let folder = try jail()
        try folder.link("jail/out/d", to: "..")
        try folder.link("jail/out/f", to: "../neighbour")
        #expect(
            errorCode {
                try Unpacker.unpack(MemorySource(tar([file("d/neighbour")])), as: .tar, into: folder["jail/out"])
            } == .escapes)
        try Unpacker.unpack(MemorySource(tar([file("f")])), as: .tar, into: folder["jail/out"])
        try expectUntouched(folder, "links before")
    }

    @Test func isCutOffAnywhereWithoutHarm() throws {
        let whole = try gzip(
            tar([
                entryFolder("d"), file("d/f", "content"), link("d/l", to: "f"),
                (TarHeader(name: Array("ä".utf8), kind: .file), sample(3000)),
            ]))
        let folder = try jail()
        for count in 0..<whole.count {
            let code = errorCode {
                try Unpacker.unpack(MemorySource(Array(whole[..<count])), as: .tarGzip, into: folder["jail/out"])
            }
            #expect(code == .truncated || count < 4 && code == .wrongFormat, "\(count): \(String(describing: code))")
        }
        try expectUntouched(folder, "cut off")
    }

    /// Noise in the headers: any outcome but a trap, a hang or harm will do.
    @Test(arguments: 0..<8) func survivesNoiseInTars(_ seed: UInt64) throws {
        var noise = Noise(seed)
        let whole = tar([
            entryFolder("d"), file("d/f", "content"), link("d/l", to: "../.."), link("h", to: "d/f", .hardLink),
            (
                TarHeader(name: Array("ä\(Self.long)".utf8), kind: .file, modified: Timestamp(seconds: 1, nanoseconds: 5)),
                sample(700)
            ),
            (
                TarHeader(
                    name: Array("x".utf8), kind: .file,
                    records: [
                        (Array("SCHILY.xattr.user.k".utf8), Array("v".utf8)), (Array("GNU.sparse.major".utf8), Array("1".utf8)),
                        (Array("GNU.sparse.minor".utf8), Array("0".utf8)),
                        (Array("GNU.sparse.realsize".utf8), Array("9000".utf8)),
                        (Array("GNU.sparse.name".utf8), Array("real".utf8)),
                    ]), Array("1\n4096\n5\n".utf8) + [UInt8](repeating: 0, count: 503) + Array("hello".utf8)
            ),
        ])
        let folder = try jail()
        for round in 0..<100 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...6, using: &noise) {
                let at = Int.random(in: 0..<bytes.count, using: &noise)
                bytes[at] =
                    Bool.random(using: &noise)
                    ? UInt8.random(in: 0...255, using: &noise) : bytes[at] ^ (1 << UInt8.random(in: 0...7, using: &noise))
            }
            // Checksums are made good again, or hardly any header would be looked at.
            for start in stride(from: 0, to: bytes.count - 511, by: 512)
            where bytes[start + 257..<start + 262].elementsEqual("ustar".utf8) {
                repair(&bytes, start)
            }
            let out = folder[BytePath("jail/out/\(round)")]
            _ = try? Unpacker.unpack(
                MemorySource(bytes), as: .tar, into: out,
                options: UnpackOptions(limits: .init(bytes: 1 << 24), isFaithful: round % 2 == 0))
            _ = try ArchiveDetector.detect(MemorySource(try gzip(bytes)))
            try? TreeRemoval.remove(out)
        }
        try expectUntouched(folder, "noise \(seed)")
    }

    private func repair(_ bytes: inout [UInt8], _ start: Int) {
        for index in start + 148..<start + 156 { bytes[index] = 0x20 }
        var sum = bytes[start..<start + 512].reduce(0) { $0 + Int($1) }
        for index in (start + 148..<start + 154).reversed() {
            bytes[index] = 0x30 + UInt8(sum & 7)
            sum >>= 3
        }
        bytes[start + 154] = 0
    }
}
