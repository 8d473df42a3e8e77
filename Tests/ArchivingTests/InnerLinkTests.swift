import FileTrees
import Glibc
import SystemSupport
import Testing

@testable import Archiving

/// Root file systems that several packages make up name files through links (`lib` is `usr/lib`): these stay inside and are followed.
@Suite struct InnerLinkTests {
    @Test(arguments: [false, true]) func unpacksFilesThroughLinksInside(_ isFaithful: Bool) throws {
        for resolver in [[] as [UInt32], [437]] {
            let folder = try TemporaryFolder()
            let entries = [
                entryFolder("usr"), entryFolder("usr/lib"), link("lib", to: "usr/lib"), file("lib/f", "of lib"),
                link("usr/share", to: "../opt/share"), entryFolder("opt/share"), file("usr/share/deep/g", "of share"),
                link("lib/h", to: "lib/f", .hardLink), link("usr/lib/i", to: "lib/h", .hardLink), link("lib/l", to: "f"),
                file("usr/lib/plain", "beside"),
            ]
            try Surroundings.denying(resolver, with: ENOSYS) {
                let summary = try Unpacker.unpack(
                    MemorySource(tar(entries)), as: .tar, into: folder["out"], options: UnpackOptions(isFaithful: isFaithful))
                #expect(summary.files == 3)
                #expect(summary.hardLinks == 2)
                #expect(summary.droppedLinks == 0)
            }
            #expect(
                try folder.listing("out") == [
                    "lib@", "opt/", "opt/share/", "opt/share/deep/", "opt/share/deep/g", "usr/", "usr/lib/", "usr/lib/f",
                    "usr/lib/h", "usr/lib/i", "usr/lib/l@", "usr/lib/plain", "usr/share@",
                ])
            #expect(try folder.text("out/usr/lib/f") == "of lib")
            #expect(try folder.text("out/opt/share/deep/g") == "of share")
            #expect(try folder.text("out/usr/lib/i") == "of lib")
            #expect(try folder.status("out/usr/lib/f").linkCount == 3)
        }
    }

    /// Appended archives name one directory both ways.
    @Test func keepsALinkToADirectoryWhereAnEntryNamesIt() throws {
        let folder = try TemporaryFolder()
        try Unpacker.unpack(
            MemorySource(
                tar([
                    entryFolder("usr/lib"), link("lib", to: "usr/lib"), entryFolder("lib"), file("lib/f", "content"),
                    link("gone", to: "nowhere"), entryFolder("gone"), file("gone/g", "here"),
                ])), as: .tar, into: folder["out"])
        #expect(try folder.listing("out") == ["gone/", "gone/g", "lib@", "usr/", "usr/lib/", "usr/lib/f"])
    }

    @Test func keepsAFileThatIsLinkedToItselfThroughALink() throws {
        let folder = try TemporaryFolder()
        try Unpacker.unpack(
            MemorySource(
                tar([
                    entryFolder("usr/lib"), link("lib", to: "usr/lib"), file("lib/f", "content"),
                    link("lib/f", to: "usr/lib/f", .hardLink), link("usr/lib/f", to: "lib/f", .hardLink),
                ])), as: .tar, into: folder["out"])
        #expect(try folder.text("out/usr/lib/f") == "content")
    }

    @Test func followsALinkToWhereItLeadsNow() throws {
        let folder = try TemporaryFolder()
        try Unpacker.unpack(
            MemorySource(
                tar([
                    entryFolder("a"), entryFolder("b"), link("d", to: "a"), file("d/first"), link("d", to: "b"),
                    file("d/second"),
                ])), as: .tar, into: folder["out"])
        #expect(try folder.listing("out") == ["a/", "a/first", "b/", "b/second", "d@"])
    }

    @Test func unpacksZipFilesThroughLinksInside() throws {
        let folder = try TemporaryFolder()
        try python(
            """
            import zipfile
            z = zipfile.ZipFile("a.zip", "w")
            def add(name, mode, data=b""):
                i = zipfile.ZipInfo(name); i.create_system = 3; i.external_attr = mode << 16
                z.writestr(i, data)
            add("usr/", 0o40755); add("usr/lib/", 0o40751); add("lib", 0o120777, b"usr/lib")
            add("lib/f", 0o100600, b"content"); add("lib/sub/g", 0o100644, b"deep")
            z.close()
            """, in: folder.path)
        try Unpacker.unpackZip(file: folder["a.zip"], into: folder["out"])
        #expect(try folder.listing("out") == ["lib@", "usr/", "usr/lib/", "usr/lib/f", "usr/lib/sub/", "usr/lib/sub/g"])
        #expect(try folder.text("out/usr/lib/f") == "content")
        // The directory's own mode, not one implied by a file that is named through a link to it.
        #expect(try folder.status("out/usr/lib").permissions == 0o751 & ~mask)
    }

    @Test func appliesLayersThroughLinksOfLowerOnes() throws {
        let folder = try TemporaryFolder()
        try folder.folder("root")
        func apply(_ entries: [(TarHeader, [UInt8])]) throws {
            try LayerUnpacker.apply(MemorySource(tar(entries)), as: .tar, to: folder["root"])
        }
        try apply([
            entryFolder("usr/lib"), link("lib", to: "/usr/lib"), file("usr/lib/old", "old"), file("usr/lib/kept", "kept"),
        ])
        try apply([file("lib/new", "new"), file("lib/.wh.old", ""), link("lib/hard", to: "lib/new", .hardLink)])
        #expect(try folder.listing("root") == ["lib@", "usr/", "usr/lib/", "usr/lib/hard", "usr/lib/kept", "usr/lib/new"])
        #expect(try folder.text("root/usr/lib/hard") == "new")
    }

    private var mask: UInt32 {
        let mask = umask(0)
        umask(mask)
        return mask
    }
}

/// Modes that keep their owner out, who is not root, keep nobody from unpacking, moving or removing the tree.
@Suite(.enabled(if: Surroundings.isRoot, "needs root to become another user")) struct ShutDirectoryTests {
    private func home() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.folder(".", mode: 0o755)
        try folder.folder("home", mode: 0o777)
        return folder
    }

    @Test(arguments: [0o000, 0o111, 0o444, 0o555] as [UInt32]) func settlesARootOfAnyMode(_ mode: UInt32) throws {
        let folder = try home()
        try Surroundings.asUser(65534) {
            let home = try ContainedDirectory(folder["home"])
            for (name, entries) in [("several", [file("a", "1"), file("-b", "2")]), ("one", [file("only", "1")])] {
                let workshop = try Workshop(in: home)
                defer { workshop.remove() }
                try workshop.directory.makeDirectory("tree", mode: 0o777)
                try Unpacker.unpack(
                    MemorySource(tar([entryFolder("./", mode)] + entries)), as: .tar,
                    into: try workshop.directory.subdirectory("tree"), options: UnpackOptions(isFaithful: true))
                let made = try SingleEntryRule.artifact("tree", in: workshop.directory)
                try workshop.publish(made, as: BytePath(name), isReplacing: false)
            }
            #expect(try folder.status("home/several").permissions == mode)
            #expect(try folder.text("home/one") == "1")
            #expect(try DirectoryIO.firstNames(home.raw, subject: "home").count == 2)
        }
        #expect(try folder.listing("home/several") == ["-b", "a"])
    }

    @Test func givesInnerDirectoriesTheirModesWhateverTheOuterOnesGet() throws {
        let folder = try home()
        try Surroundings.asUser(65534) {
            // As `find -depth` orders them: the inner ones first.
            try Unpacker.unpack(
                MemorySource(
                    tar([file("a/b/f", "x"), entryFolder("a/b", 0o500), entryFolder("a", 0o400), entryFolder("./", 0o600)])),
                as: .tar, into: folder["home/tree"], options: UnpackOptions(isFaithful: true))
        }
        #expect(try folder.status("home/tree").permissions == 0o600)
        #expect(try folder.status("home/tree/a").permissions == 0o400)
        #expect(try folder.status("home/tree/a/b").permissions == 0o500)
        #expect(try folder.text("home/tree/a/b/f") == "x")
    }
}
