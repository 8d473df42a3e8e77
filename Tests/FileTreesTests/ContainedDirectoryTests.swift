import FileTrees
import Glibc
import SystemSupport
import Testing

/// How paths are resolved: by the kernel, or by our own walk where openat2 is unknown or forbidden.
enum Resolver: Int32, CaseIterable, Sendable {
    case kernel = 0
    case walkUnknown = 38
    case walkForbidden = 1

    func run(_ body: @escaping @Sendable () throws -> Void) throws {
        if self == .kernel { return try body() }
        try Surroundings.denying([437], with: rawValue, body)
    }
}

@Suite struct ContainedDirectoryTests {
    /// `inside/` is the contained directory, `outside/secret` must never be reached.
    private func layout() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.folder("inside/a/b")
        try folder.folder("outside")
        try folder.file("outside/secret", "secret")
        try folder.file("inside/a/b/f", "content")
        try folder.link("inside/absolute", to: folder["outside"])
        try folder.link("inside/relative", to: "../outside")
        try folder.link("inside/within", to: "a/b")
        try folder.link("inside/file-link", to: "a/b/f")
        return folder
    }

    @Test(arguments: Resolver.allCases) func opensWhatIsBeneath(_ resolver: Resolver) throws {
        let folder = try layout()
        try resolver.run {
            let inside = try ContainedDirectory(folder["inside"])
            for path: BytePath in ["a/b/f", "/a/b/f", "./a//b/./f"] {
                let file = try inside.openFile(path)
                #expect(try DescriptorIO.readAll(file.raw, subject: "f") == Array("content".utf8))
            }
            #expect(try inside.status(".").kind == .directory)
            #expect(try inside.status("a/b/f").size == 7)
            #expect(failure { _ = try inside.openFile("missing/f") } == ENOENT)
            #expect(failure { _ = try inside.openDirectory("a/b/f") } == ENOTDIR)
        }
    }

    @Test(arguments: Resolver.allCases) func refusesEveryWayOut(_ resolver: Resolver) throws {
        let folder = try layout()
        try resolver.run {
            let inside = try ContainedDirectory(folder["inside"])
            for path: BytePath in ["../outside/secret", "a/../../outside/secret", "a/../a/b/f"] {
                #expect(failure { _ = try inside.open(path, O_RDONLY) } == EXDEV)
            }
            for path: BytePath in ["absolute/secret", "relative/secret", "within/f", "file-link"] {
                #expect(failure { _ = try inside.open(path, O_RDONLY) } == ELOOP, "\(path)")
            }
            #expect(failure { _ = try inside.createFile("relative/new", mode: 0o644) } == ELOOP)
            #expect(failure { try inside.makeDirectory("absolute/new", mode: 0o755) } != nil)
            #expect(failure { try inside.makeDirectories("relative/new/deep", mode: 0o755) } == ELOOP)
            #expect(failure { try inside.symlink("relative/new", to: "x") } != nil)
            #expect(failure { try inside.link("stolen", to: "relative/secret") } != nil)
            #expect(failure { try inside.rename("a/b/f", to: "relative/f") } != nil)
            #expect(failure { try inside.unlink("absolute/secret") } != nil)
            #expect(failure { try inside.chmod("absolute", mode: 0o777) } == EOPNOTSUPP)
        }
        #expect(try folder.text("outside/secret") == "secret")
        #expect(try DirectoryIO.status(AT_FDCWD, folder["outside"], subject: "").permissions == 0o755)
        let left = try TreeWalk(try Descriptor.open(folder["outside"], O_RDONLY), path: folder["outside"])
        #expect(try left.next()?.name == "secret")
        #expect(try left.next() == nil)
    }

    @Test(arguments: Resolver.allCases) func followsLinksAsIfTheDirectoryWereTheRoot(_ resolver: Resolver) throws {
        let folder = try layout()
        try folder.link("inside/a/top", to: "/a/b/f")
        try folder.link("inside/a/climb", to: "../../../../../../a/b/f")
        try folder.link("inside/loop", to: "loop")
        try folder.link("inside/dangling", to: "/made")
        try resolver.run {
            let inside = try ContainedDirectory(folder["inside"], resolution: .inRoot)
            for path: BytePath in ["a/top", "a/climb", "file-link", "within/f", "../../a/b/f", "within/../b/f"] {
                let file = try inside.openFile(path)
                #expect(try DescriptorIO.readAll(file.raw, subject: "f") == Array("content".utf8), "\(path)")
            }
            #expect(failure { _ = try inside.openFile("absolute/secret") } == ENOENT)
            #expect(failure { _ = try inside.openFile("relative/secret") } == ENOENT)
            #expect(failure { _ = try inside.open("loop", O_RDONLY) } == ELOOP)
            #expect(try inside.status("file-link").kind == .symlink)
            #expect(try inside.status("file-link", followingLinks: true).kind == .file)
            #expect(failure { _ = try inside.createFile("dangling", mode: 0o644) } == EEXIST)
            _ = try inside.open("dangling", O_WRONLY | O_CREAT, mode: 0o600)
            #expect(try inside.status("made").permissions == 0o600)
            try inside.makeDirectories("within/new/deep", mode: 0o750)
            #expect(try inside.status("a/b/new/deep").permissions == 0o750)
        }
    }

    @Test(arguments: Resolver.allCases) func followsLinksThatStayBeneath(_ resolver: Resolver) throws {
        let folder = try layout()
        try folder.link("inside/a/up", to: "../a/b")
        try folder.link("inside/a/out-and-back", to: "../../inside/a/b")
        try folder.link("inside/a/above", to: "../../..")
        try folder.link("inside/loop", to: "loop")
        try folder.link("inside/dangling", to: "made")
        try resolver.run {
            let inside = try ContainedDirectory(folder["inside"], resolution: .beneath)
            for path: BytePath in ["a/b/f", "within/f", "file-link", "a/up/f", "within/../b/f", "a/up/../b/f"] {
                let file = try inside.openFile(path)
                #expect(try DescriptorIO.readAll(file.raw, subject: "f") == Array("content".utf8), "\(path)")
            }
            for path: BytePath in [
                "absolute/secret", "relative/secret", "../outside/secret", "within/../../../outside/secret", "a/out-and-back/f",
                "a/above", "..",
            ] {
                #expect(failure { _ = try inside.open(path, O_RDONLY) } == EXDEV, "\(path)")
            }
            #expect(failure { _ = try inside.open("loop", O_RDONLY) } == ELOOP)
            // A link that stands under the last name is never written through, removed through or renamed through.
            #expect(failure { _ = try inside.createFile("dangling", mode: 0o644) } == EEXIST)
            #expect(failure { try inside.makeDirectories("dangling/below", mode: 0o755) } != nil)
            #expect(failure { try inside.makeDirectories("relative/below", mode: 0o755) } == EXDEV)
            try inside.makeDirectories("within/new/deep", mode: 0o750)
            #expect(try inside.status("a/b/new/deep").permissions == 0o750)
            try inside.rename("a/up/f", to: "within/g")
            #expect(try inside.status("a/b/g").size == 7)
            try inside.unlink("a/up")
            #expect(try inside.status("a/b").kind == .directory)
        }
        #expect(try folder.text("outside/secret") == "secret")
    }

    @Test(arguments: Resolver.allCases) func makesNoDirectoryAboveAMissingOne(_ resolver: Resolver) throws {
        let folder = try layout()
        try resolver.run {
            for resolution in [ContainedDirectory.Resolution.inRoot, .beneath] {
                let inside = try ContainedDirectory(folder["inside"], resolution: resolution)
                #expect(failure { try inside.makeDirectories("none/../../../made", mode: 0o755) } == ENOENT)
            }
        }
        #expect(failure { _ = try DirectoryIO.status(AT_FDCWD, folder["made"], subject: "") } == ENOENT)
    }

    @Test(arguments: Resolver.allCases) func createsNamesOfAnyBytes(_ resolver: Resolver) throws {
        let folder = try TemporaryFolder()
        try resolver.run {
            let inside = try ContainedDirectory(folder.path)
            for bytes: [UInt8] in [[0xE4, 0x2E, 0x74], Array("ä\n-".utf8), Array("\\ *".utf8), [0xFF, 0x01]] {
                let name = BytePath(bytes: bytes)
                _ = try inside.createFile(name, mode: 0o640)
                #expect(try inside.status(name).kind == .file)
                #expect(failure { _ = try inside.createFile(name, mode: 0o640) } == EEXIST)
                try inside.unlink(name)
            }
            try inside.makeDirectories("p/q", mode: 0o700)
            _ = try inside.createFile("p/q/f", mode: 0o600)
            try inside.link("p/g", to: "p/q/f")
            #expect(try inside.status("p/g").linkCount == 2)
            try inside.symlink("p/s", to: "/does/not/exist")
            #expect(try inside.readLink("p/s") == "/does/not/exist")
            try inside.rename("p/q/f", to: "f")
            #expect(try inside.status("f").inode == inside.status("p/g").inode)
            try inside.removeDirectory("p/q")
            #expect(failure { _ = try inside.status("p/q") } == ENOENT)
            #expect(failure { try inside.removeDirectory(".") } == EINVAL)
        }
    }

    @Test(arguments: Resolver.allCases) func refusesToWaitOnAPipe(_ resolver: Resolver) throws {
        let folder = try TemporaryFolder()
        try DirectoryIO.makeFIFO(AT_FDCWD, folder["pipe"], mode: 0o600, subject: "")
        try resolver.run {
            let inside = try ContainedDirectory(folder.path, resolution: .inRoot)
            #expect(failure { _ = try inside.openFile("pipe") } == EINVAL)
            #expect(failure { _ = try inside.openFile(".") } == EISDIR)
        }
    }

    @Test(arguments: Resolver.allCases) func reachesBeyondTheLongestPathOfTheKernel(_ resolver: Resolver) throws {
        let folder = try TemporaryFolder()
        let deep = BytePath(bytes: Array([[UInt8]](repeating: Array("component".utf8), count: 600).joined(separator: [0x2F])))
        try resolver.run {
            let inside = try ContainedDirectory(folder.path)
            try inside.makeDirectories(deep, mode: 0o755)
            _ = try inside.createFile(deep.appending("f"), mode: 0o600)
            #expect(try inside.status(deep.appending("f")).kind == .file)
        }
    }

    @Test func changesModesWithoutTheNewCall() throws {
        let folder = try TemporaryFolder()
        try folder.file("f")
        try folder.link("l", to: "f")
        for code in [ENOSYS, EPERM] {
            try Surroundings.denying([452], with: code) {
                let inside = try ContainedDirectory(folder.path)
                try inside.chmod("f", mode: 0o4711)
                #expect(try inside.status("f").permissions == 0o4711)
                try inside.chmod("f", mode: 0o600)
                #expect(failure { try inside.chmod("l", mode: 0o777) } == EOPNOTSUPP)
                #expect(try inside.status("f").permissions == 0o600)
            }
        }
    }

    @Test func makesDirectoriesWithTheirParents() throws {
        let folder = try TemporaryFolder()
        try DirectoryIO.makeDirectories(folder["a/b/c"], mode: 0o700)
        #expect(try folder.status("a").permissions == 0o700)
        try DirectoryIO.makeDirectories(folder["a/b/c/"], mode: 0o755)
        #expect(try folder.status("a/b/c").permissions == 0o700)
        try folder.file("a/f")
        #expect(failure { try DirectoryIO.makeDirectories(folder["a/f/g"], mode: 0o700) } == ENOTDIR)
        #expect(failure { try DirectoryIO.makeDirectories(folder["a/f"], mode: 0o700) } == ENOTDIR)
    }
}
