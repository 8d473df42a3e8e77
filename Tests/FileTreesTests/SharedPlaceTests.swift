import Glibc
import Synchronization
import SystemSupport
import Testing

@testable import FileTrees

/// `place/` is what others write to, `outside/` must never be reached.
private func layout() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.folder("place/a")
    try folder.folder("outside")
    try folder.file("outside/secret", "secret")
    return folder
}

@Suite struct SharedPlaceTests {
    @Test func readsRegularFilesOnly() throws {
        let folder = try layout()
        let place = try SharedPlace(folder["place"])
        try folder.file("place/f", "content")
        #expect(try place.read("f", limit: 7) == Array("content".utf8))
        #expect(try place.tail("f", count: 3) == Array("ent".utf8))
        #expect(try place.readIfPresent("none", limit: 7) == nil)
        #expect(failure { _ = try place.read("f", limit: 6) } == EFBIG)
        try DirectoryIO.makeFIFO(AT_FDCWD, folder["place/pipe"], mode: 0o666, subject: "")
        try folder.link("place/link", to: folder["outside/secret"])
        try folder.link("place/zero", to: "/dev/zero")
        try folder.link("place/way", to: folder["outside"])
        for (path, code) in [("pipe", EINVAL), ("link", ELOOP), ("zero", ELOOP), ("way/secret", ELOOP), ("a", EISDIR)]
            as [(BytePath, Int32)]
        {
            #expect(failure { _ = try place.read(path, limit: 100) } == code, "\(path)")
            #expect(failure { _ = try place.tail(path, count: 100) } == code, "\(path)")
        }
        #expect(failure { _ = try SharedPlace("/dev").read("zero", limit: 100) } == EINVAL)
    }

    @Test func namesWhatIsNoFile() throws {
        let folder = try layout()
        try DirectoryIO.makeFIFO(AT_FDCWD, folder["place/pipe"], mode: 0o666, subject: "")
        let error = #expect(throws: SystemError.self) { try SharedPlace(folder["place"]).read("pipe", limit: 1) }
        #expect(error?.message == "open \(folder["place/pipe"]) (a named pipe): invalid argument")
    }

    @Test func writesInThePlaceOfALinkAndNeverThroughOne() throws {
        let folder = try layout()
        let place = try SharedPlace(folder["place"])
        for (name, target) in [("file", "outside/secret"), ("new", "outside/new")] as [(BytePath, BytePath)] {
            try folder.link(BytePath("place/\(name)"), to: folder[target])
            try place.write(name, Array("ours".utf8), mode: 0o640)
            #expect(try place.status(name).kind == .file)
            #expect(try place.status(name).permissions == 0o640)
        }
        try folder.link("place/way", to: folder["outside"])
        #expect(failure { try place.write("way/f", [], mode: 0o644) } == ELOOP)
        #expect(failure { _ = try place.writeNew("way/f", [], mode: 0o644) } == ELOOP)
        #expect(failure { try place.makeDirectories("way/d", mode: 0o755) } == ELOOP)
        #expect(failure { try place.symlink("way/l", to: "x") } == ELOOP)
        #expect(failure { try place.unlink("way/secret") } == ELOOP)
        #expect(failure { try place.remove("way/secret") } == ELOOP)
        try folder.link("place/log", to: folder["outside/secret"])
        #expect(failure { _ = try place.openForAppending("log", mode: 0o666) } == ELOOP)
        #expect(failure { try place.overwrite("log", [], mode: 0o666) } == ELOOP)
        #expect(try !place.writeNew("log", [], mode: 0o644), "a link is something")
        try place.remove("way")
        #expect(try folder.text("outside/secret") == "secret")
        #expect(try names(folder["outside"]) == ["secret"])
        #expect(try names(folder["place"]) == ["a", "file", "log", "new"], "nothing is left aside")
    }

    @Test func leavesTheOldContentWhereWritingFails() throws {
        struct Stop: Error {}
        let folder = try layout()
        let place = try SharedPlace(folder["place"])
        try place.write("f", Array("old".utf8), mode: 0o644)
        #expect(throws: Stop.self) { try place.write("f", mode: 0o644) { _ in throw Stop() } }
        #expect(try folder.text("place/f") == "old")
        #expect(try names(folder["place"]) == ["a", "f"])
    }

    @Test func overwritesAFileInItsPlace() throws {
        let folder = try layout()
        let place = try SharedPlace(folder["place"])
        try folder.file("place/f", "a long content")
        let before = try place.status("f").inode
        try place.overwrite("f", Array("short".utf8), mode: 0o600)
        #expect(try folder.text("place/f") == "short")
        #expect(try place.status("f").inode == before)
        try DirectoryIO.makeFIFO(AT_FDCWD, folder["place/pipe"], mode: 0o666, subject: "")
        #expect(failure { try place.overwrite("pipe", [], mode: 0o600) } == ENXIO, "nobody reads it, and nobody is waited for")
    }

    @Test func makesDirectoriesOfExactlyTheMode() throws {
        let folder = try layout()
        let place = try SharedPlace(folder["place"])
        try place.makeDirectories("a/b/c", mode: 0o777)
        #expect(try place.status("a/b/c").permissions == 0o777)
        #expect(try place.status("a/b").permissions == 0o777)
    }

    /// Somebody swaps a directory and a link as fast as can be: what is written, read and removed is beneath the place all the same.
    @Test func isNotLedOutByASwap() throws {
        let folder = try layout()
        try folder.folder("place/d")
        try folder.link("place/l", to: folder["outside"])
        let place = try SharedPlace(folder["place"])
        let isOver = Atomic(false)
        let swapper = try WorkerThread {
            while !isOver.load(ordering: .relaxed) {
                for (from, to) in [("d", "t"), ("l", "d"), ("d", "l"), ("t", "d")] {
                    try? place.directory.rename(BytePath(from), to: BytePath(to))
                }
            }
        }
        var done = 0
        for round in 0..<2000 {
            let content = Array("\(round)".utf8)
            if failure({ try place.write("d/secret", content, mode: 0o644) }) == nil { done += 1 }
            if let read = try? place.read("d/secret", limit: 100) { #expect(read != Array("secret".utf8)) }
            _ = failure { try place.remove("d/secret") }
            _ = failure { try place.makeDirectories("d/made", mode: 0o755) }
            if let workshop = try? place.workshop(for: "d/tree") {
                _ = failure { try workshop.directory.makeDirectory("x", mode: 0o755) }
                _ = failure { try workshop.publish("x", as: "tree", isReplacing: true) }
                workshop.remove()
            }
        }
        isOver.store(true, ordering: .relaxed)
        swapper.join()
        #expect(done > 0, "it was no link all the time")
        #expect(try folder.text("outside/secret") == "secret")
        #expect(try names(folder["outside"]) == ["secret"])
    }
}

@Suite struct DirectoryInTheWayTests {
    @Test func makesWayForAFile() throws {
        let folder = try layout()
        let place = try SharedPlace(folder["place"])
        try folder.folder("place/f")
        try place.write("f", Array("1".utf8), mode: 0o644)
        #expect(try folder.text("place/f") == "1")
        #expect(try names(folder["place"]).sorted() == ["a", "f"])
        // With something in it, it is somebody's, and is kept aside.
        try place.unlink("f")
        try folder.folder("place/f/d")
        try folder.file("place/f/d/kept", "kept")
        try place.write("f", mode: 0o600) { try DescriptorIO.write($0, Array("2".utf8).span, subject: "f") }
        #expect(try folder.text("place/f") == "2")
        place.sweep()
        let aside = try #require(try names(folder["place"]).first { $0.hasPrefix(".argoexec-") })
        #expect(try folder.text(BytePath("place/\(aside)/d/kept")) == "kept")
        #expect(try names(folder["place"]).count == 3)
    }

    @Test func staysWhereNothingWasSaidOfIt() throws {
        let folder = try layout()
        let file = try TemporaryFile.make(in: try ContainedDirectory(folder["place"]), subject: "a")
        #expect(failing { try file.publish(as: "a", mode: 0o644) } == EISDIR)
        file.remove()
        #expect(try names(folder["place"]) == ["a"])
    }
}

@Suite struct WorkshopTests {
    /// What is left of one whose removal was cut short still is one.
    @Test func goesLockLast() throws {
        let folder = try layout()
        let workshop = try Workshop(in: try ContainedDirectory(folder["place"]))
        try workshop.directory.makeDirectories("tree/deep", mode: 0o755)
        try TreeRemoval.removeContents(of: workshop.directory, but: Workshop.lockName)
        #expect(try names(workshop.directory.path) == ["lock"])
        workshop.remove()
        #expect(try names(folder["place"]) == ["a"])
    }

    @Test func replacesOnlyWhereItMay() throws {
        let folder = try layout()
        let place = try SharedPlace(folder["place"])
        try folder.folder("place/full")
        try folder.file("place/full/theirs", "theirs")
        try folder.folder("place/empty")
        try folder.file("place/file", "theirs")
        try folder.link("place/link", to: folder["outside"])
        func publish(_ name: BytePath, _ isReplacing: Bool, file: Bool = false) throws {
            let workshop = try place.workshop(for: name)
            defer { workshop.remove() }
            if file {
                _ = try workshop.directory.createFile("made", mode: 0o644)
            } else {
                try workshop.directory.makeDirectories("made/ours", mode: 0o755)
            }
            try workshop.publish("made", as: name, isReplacing: isReplacing)
        }
        #expect([ENOTEMPTY, EEXIST].contains(failing { try publish("full", false) }))
        #expect(failing { try publish("file", false) } == ENOTDIR)
        #expect(failing { try publish("empty", false, file: true) } == EISDIR)
        #expect(try folder.text("place/full/theirs") == "theirs")
        try publish("empty", false)
        try publish("file", false, file: true)
        for name: BytePath in ["full", "file", "link", "new"] { try publish(name, true) }
        for name: BytePath in ["full", "file", "link", "new", "empty"] {
            #expect(try names(folder[BytePath("place/\(name)")]) == ["ours"])
        }
        #expect(try names(folder["place"]) == ["a", "empty", "file", "full", "link", "new"])
        #expect(try folder.text("outside/secret") == "secret")
    }

    @Test func movesADirectoryThatItsOwnerMayNotWriteTo() throws {
        let folder = try layout()
        let place = try SharedPlace(folder["place"])
        for round in 0..<2 {
            let workshop = try place.workshop(for: "shut")
            defer { workshop.remove() }
            try workshop.directory.makeDirectories("tree/shut/in", mode: 0o755)
            try workshop.directory.chmod("tree/shut", mode: 0o555)
            try workshop.publish("tree/shut", as: "shut", isReplacing: round == 1)
        }
        #expect(try place.status("shut").permissions == 0o555)
        #expect(try names(folder["place/shut"]) == ["in"])
    }

    @Test func isOpenToItsOwnerOnly() throws {
        let folder = try layout()
        let workshop = try SharedPlace(folder["place"]).workshop(for: "x")
        #expect(try FileStatus.of(workshop.directory.raw, subject: "").permissions & 0o777 == 0o700)
        workshop.remove()
        #expect(try names(folder["place"]) == ["a"])
    }
}

@Suite struct LeftoversTests {
    @Test func knowsItsNames() {
        let names = TemporaryNames.usual
        for _ in 0..<100 {
            let name = names.make()
            #expect(names.matches(name))
            #expect(name.bytes.count == 27)
            #expect(!TemporaryNames(prefix: "%aside-").matches(name))
        }
        for name: BytePath in [
            "", "model.tmp", ".argoexec-.tmp", ".argoexec-0123456789ab.tmp", ".argoexec-0123456789abcd.tmp",
            ".argoexec-0123456789ABC.tmp", ".argoexec-0123456789abc.tmpdir", "x.argoexec-0123456789abc.tmp",
        ] { #expect(!names.matches(name), "\(name)") }
    }

    @Test func removesWhatNobodyHolds() throws {
        let folder = try layout()
        let parent = try ContainedDirectory(folder["place"])
        let live = try Workshop(in: parent)
        let file = try TemporaryFile.make(in: parent, subject: "f")
        let isLocked = file.isLocked
        #expect(isLocked)
        let held = Set(try names(folder["place"]))
        // As killed processes leave them: with something in it, before there was, before there was a lock, and files.
        for (index, inner) in ["lock", "", "lock tree/deep/f", "lock tree/deep/f"].enumerated() {
            let name = BytePath("place/.argoexec-00000000000a\(index).tmp")
            // In a setgid directory it has that bit as well.
            try folder.folder(name, mode: index == 3 ? 0o2700 : 0o700)
            for inner in inner.split(separator: " ") {
                let file = name.appending(BytePath(String(inner)))
                if inner != "lock" { try folder.folder(file.directory, mode: 0o700) }
                try folder.file(file, mode: 0o600)
            }
        }
        try folder.file("place/.argoexec-00000000000b1.tmp", mode: 0o600)
        try folder.file("place/.argoexec-00000000000b2.tmp", mode: 0o555)
        try folder.file("place/.argoexec-00000000000b0.tmp")
        // And what is somebody else's.
        try folder.folder("place/.argoexec-00000000000c0.tmp")
        #expect(Glibc.chmod(folder["place/.argoexec-00000000000c0.tmp"].text, 0o755) == 0)
        try folder.folder("place/model.tmp")
        try folder.folder("place/model.tmpdir")
        try folder.file("place/%aside-0000000000000.tmp")
        try folder.link("place/.argoexec-00000000000d0.tmp", to: folder["outside"])
        Leftovers.sweep(parent)
        #expect(
            Set(try names(folder["place"]))
                == held.union([
                    ".argoexec-00000000000c0.tmp", "model.tmp", "model.tmpdir", "%aside-0000000000000.tmp",
                    ".argoexec-00000000000d0.tmp",
                ]))
        #expect(try folder.text("outside/secret") == "secret")
        live.remove()
        try file.publish(as: "f", mode: 0o644)
        #expect(try parent.status("f").permissions == 0o644)
    }

    /// Who may rename a directory can give it a name of our form, also where its mode keeps him from what is in it.
    @Test func emptiesNoDirectoryThatIsNoWorkshop() throws {
        let folder = try layout()
        let parent = try ContainedDirectory(folder["place"])
        func name(_ index: Int) -> BytePath { BytePath("place/.argoexec-00000000000e\(index).tmp") }
        for index in 0..<8 {
            try folder.folder(name(index).appending("deep"), mode: 0o700)
            try folder.file(name(index).appending("deep/kept"), "kept", mode: 0o600)
            let lock = name(index).appending("lock")
            switch index {
            case 0: break  // no lock
            case 1: try folder.link(lock, to: folder["outside/secret"])
            case 2: try folder.folder(lock, mode: 0o600)
            case 3: try folder.file(lock, "with something in it", mode: 0o600)
            case 4: try folder.file(lock, mode: 0o644)
            case 5:
                try folder.file(lock, mode: 0o600)
                #expect(Glibc.link(folder[lock].text, folder["outside/second"].text) == 0)
            case 6: try DirectoryIO.makeFIFO(AT_FDCWD, folder[lock], mode: 0o600, subject: "")
            default: try folder.file(lock, mode: 0o600)
            }
            #expect(Glibc.chmod(folder[name(index)].text, index == 7 ? 0o1700 : 0o700) == 0)
        }
        for _ in 0..<2 { Leftovers.sweep(parent) }
        for index in 0..<8 {
            #expect(try folder.text(name(index).appending("deep/kept")) == "kept", "\(index)")
            if index == 0 { #expect(try names(folder[name(0)]) == ["deep"], "nothing is made in it") }
        }
    }

    @Test func leavesFilesThatAreNotAsOursAre() throws {
        let folder = try layout()
        let parent = try ContainedDirectory(folder["place"])
        try folder.file("place/.argoexec-00000000000f0.tmp", "kept", mode: 0o4755)
        try folder.file("place/.argoexec-00000000000f1.tmp", "kept", mode: 0o400)
        try folder.file("place/.argoexec-00000000000f2.tmp", "kept", mode: 0o600)
        #expect(Glibc.link(folder["place/.argoexec-00000000000f2.tmp"].text, folder["outside/second"].text) == 0)
        Leftovers.sweep(parent)
        #expect(try names(folder["place"]).count == 4)
    }

    /// Somebody exchanges an empty leftover and a tree of ours as fast as he can.
    @Test func emptiesNoTreeThatIsExchangedForALeftover() throws {
        let folder = try layout()
        let parent = try ContainedDirectory(folder["place"])
        let leftover = folder["place/.argoexec-0000000000g00.tmp"]
        let (tree, aside) = (folder["place/tree"], folder["place/aside"])
        try folder.folder("place/tree", mode: 0o700)
        try folder.file("place/tree/kept", "kept", mode: 0o600)
        let isOver = Atomic(false)
        let swapper = try WorkerThread {
            while !isOver.load(ordering: .relaxed) {
                _ = Glibc.mkdir(leftover.text, 0o700)
                let lock = Glibc.open(leftover.appending("lock").text, O_CREAT | O_WRONLY | O_EXCL, 0o600)
                if lock >= 0 { Glibc.close(lock) }
                _ = Glibc.rename(leftover.text, aside.text)
                _ = Glibc.rename(tree.text, leftover.text)
                _ = Glibc.rename(leftover.text, tree.text)
                _ = Glibc.rename(aside.text, leftover.text)
            }
        }
        for _ in 0..<3000 { Leftovers.sweep(parent) }
        isOver.store(true, ordering: .relaxed)
        swapper.join()
        let kept = [tree, leftover, aside].compactMap { try? SmallFile.read($0.appending("kept")) }
        #expect(kept == [Array("kept".utf8)])
    }

    /// Many make and publish while others sweep without end: nobody loses what he makes.
    @Test func neverTakesARunningSiblings() throws {
        let folder = try layout()
        let parent = try ContainedDirectory(folder["place"])
        let isOver = Atomic(false)
        let sweeper = try WorkerThread { while !isOver.load(ordering: .relaxed) { Leftovers.sweep(parent) } }
        let failures = Mutex<[String]>([])
        @Sendable func make(_ maker: Int) {
            do {
                let place = SharedPlace(try ContainedDirectory(folder["place"]))
                for round in 0..<300 {
                    try place.write(BytePath("file\(maker)"), Array("\(round)".utf8), mode: 0o644)
                    let workshop = try place.workshop(for: "x")
                    try workshop.directory.makeDirectories(BytePath("tree/\(round)"), mode: 0o755)
                    try workshop.publish("tree", as: BytePath("tree\(maker)"), isReplacing: true)
                    workshop.remove()
                }
            } catch { failures.withLock { $0.append("\(error)") } }
        }
        let first = try WorkerThread { make(0) }
        let second = try WorkerThread { make(1) }
        make(2)
        first.join()
        second.join()
        isOver.store(true, ordering: .relaxed)
        sweeper.join()
        #expect(failures.withLock { $0 } == [])
        Leftovers.sweep(parent)
        #expect(try names(folder["place"]) == ["a", "file0", "file1", "file2", "tree0", "tree1", "tree2"])
        for maker in 0..<3 {
            #expect(try folder.text(BytePath("place/file\(maker)")) == "299")
            #expect(try names(folder[BytePath("place/tree\(maker)")]) == ["299"])
        }
    }
}

/// All names in a directory.
private func names(_ path: BytePath) throws -> [String] {
    let walk = try TreeWalk(try Descriptor.open(path, O_RDONLY | O_DIRECTORY), path: path)
    var names: [String] = []
    while let entry = try walk.next() {
        walk.skipDescendants()
        names.append(entry.name.text)
    }
    return names
}

/// The code of the system error that is thrown.
private func failing(_ body: () throws -> Void) -> Int32? {
    do { try body() } catch { return (error as? SystemError)?.code ?? -1 }
    return nil
}
