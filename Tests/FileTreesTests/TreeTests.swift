import Foundation
import Glibc
import SystemSupport
import Testing

@testable import FileTrees

@Suite struct TreeWalkTests {
    private func paths(_ folder: TemporaryFolder, showsLeaving: Bool = false) throws -> [BytePath] {
        let walk = try TreeWalk(
            try Descriptor.open(folder.path, O_RDONLY), path: folder.path, showsLeaving: showsLeaving)
        var paths: [BytePath] = []
        while let entry = try walk.next() { paths.append(entry.isLeaving ? entry.path.suffixed("<") : entry.path) }
        return paths
    }

    @Test func sortsByBytesWithinEachDirectory() throws {
        let folder = try TemporaryFolder()
        try folder.folder("b/inner")
        try folder.file("b/inner/x")
        try folder.file("b.txt")
        try folder.file("a")
        try folder.file("B")
        try folder.file("é")
        let latin = BytePath(bytes: [0xE9])
        try folder.file(latin)
        try folder.file("b/new\nline")
        try folder.link("z", to: "b")
        #expect(
            try paths(folder)
                == ["B", "a", "b", "b/inner", "b/inner/x", "b/new\nline", "b.txt", "z", "é", latin])
        #expect(
            try paths(folder, showsLeaving: true).prefix(7)
                == ["B", "a", "b", "b/inner", "b/inner/x", "b/inner<", "b/new\nline"])
    }

    @Test func leavesOutWhatIsToBeSkipped() throws {
        let folder = try TemporaryFolder()
        try folder.folder("skip/deep")
        try folder.folder("take/deep")
        let walk = try TreeWalk(try Descriptor.open(folder.path, O_RDONLY), path: folder.path)
        var seen: [BytePath] = []
        while let entry = try walk.next() {
            seen.append(entry.path)
            if entry.name == "skip" { walk.skipDescendants() }
        }
        #expect(seen == ["skip", "take", "take/deep"])
    }

    @Test func goesDeeperThanPathsAndDescriptorsReach() throws {
        let folder = try TemporaryFolder()
        let depth = 2500
        let deep = BytePath(bytes: Array([[UInt8]](repeating: [0x64], count: depth).joined(separator: [0x2F])))
        let inside = try ContainedDirectory(folder.path)
        try inside.makeDirectories(deep, mode: 0o755)
        _ = try inside.createFile(deep.appending("f"), mode: 0o644)
        _ = try inside.createFile("d/z", mode: 0o644)
        let walked = try paths(folder, showsLeaving: true)
        #expect(walked.count == 2 * depth + 2)
        #expect(walked[depth] == deep.appending("f"))
        #expect(walked.suffix(3) == ["d/d<", "d/z", "d<"])
        try TreeRemoval.remove("d", in: inside)
        #expect(try paths(folder).isEmpty)
    }

    @Test func readsHugeDirectoriesInBatches() throws {
        let folder = try TemporaryFolder()
        var expected: [BytePath] = []
        for index in 0..<500 {
            let name = BytePath(String(index * 7919 % 1009))
            try folder.file(name)
            expected.append(name)
        }
        let directory = try Descriptor.open(folder.path, O_RDONLY)
        for batch in [1, 7, 100, 1000, 1 << 20] {
            var names = SortedNames(batch: batch)
            var read: [BytePath] = []
            while let name = try names.next(in: directory.raw, subject: "folder") { read.append(name) }
            #expect(read == expected.sorted(), "batch of \(batch)")
        }
    }

    @Test(.enabled(if: Surroundings.isRoot, "needs root to become another user"))
    func namesADirectoryThatCannotBeRead() throws {
        let folder = try TemporaryFolder()
        try folder.folder(".", mode: 0o755)
        try folder.folder("open")
        try folder.folder("shut", mode: 0o700)
        try Surroundings.asUser(65534) {
            let walk = try TreeWalk(try Descriptor.open(folder.path, O_RDONLY), path: folder.path)
            let error = #expect(throws: SystemError.self) { while try walk.next() != nil {} }
            #expect(error?.code == EACCES)
            #expect(error?.message == "open \(folder["shut"]): permission denied")
        }
    }
}

@Suite struct TreeRemovalTests {
    @Test func removesTreesButNotWhatLinksPointTo() throws {
        let folder = try TemporaryFolder()
        try folder.folder("tree/a/b")
        try folder.folder("tree/empty")
        for index in 0..<300 { try folder.file(BytePath("tree/a/b/\(index)")) }
        try folder.folder("kept")
        try folder.file("kept/f")
        try folder.link("tree/a/link", to: "../../kept")
        try folder.link("link", to: "kept")
        try TreeRemoval.remove(folder["tree"])
        try TreeRemoval.remove(folder["link"])
        try TreeRemoval.remove(folder["absent"])
        #expect(failure { _ = try folder.status("tree") } == ENOENT)
        #expect(failure { _ = try folder.status("link") } == ENOENT)
        #expect(try folder.status("kept/f").kind == .file)
    }

    @Test(.enabled(if: Surroundings.isRoot, "needs root to become another user"))
    func removesOwnDirectoriesThatAreShut() throws {
        let folder = try TemporaryFolder()
        try folder.folder(".", mode: 0o755)
        try folder.folder("home", mode: 0o777)
        try Surroundings.asUser(65534) {
            try folder.folder("home/tree/shut/deep")
            try folder.file("home/tree/shut/f")
            try folder.folder("home/tree/shut", mode: 0)
            try folder.folder("home/tree", mode: 0o500)
            try TreeRemoval.remove(folder["home/tree"])
            #expect(failure { _ = try folder.status("home/tree") } == ENOENT)
        }
    }

    /// A directory that may be read but not entered can be opened, and yet neither listed nor emptied.
    @Test(
        .enabled(if: Surroundings.isRoot, "needs root to become another user"),
        arguments: [0o000, 0o100, 0o200, 0o300, 0o400, 0o500, 0o600] as [UInt32])
    func removesOwnDirectoriesOfEachMode(_ mode: UInt32) throws {
        let folder = try TemporaryFolder()
        try folder.folder(".", mode: 0o755)
        try folder.folder("home", mode: 0o777)
        try Surroundings.asUser(65534) {
            for depth in ["home/tree", "home/tree/a", "home/tree/a/b"] as [BytePath] {
                try folder.folder("home/tree/a/b")
                for name in ["home/tree/f", "home/tree/a/f", "home/tree/a/b/f"] as [BytePath] { try folder.file(name) }
                try folder.folder(depth, mode: mode)
                try TreeRemoval.remove(folder["home/tree"])
                #expect(failure { _ = try folder.status("home/tree") } == ENOENT)
            }
        }
    }

    @Test(.enabled(if: Surroundings.isRoot, "needs root to become another user"))
    func tellsWhatKeepsItFromForeignDirectories() throws {
        let folder = try TemporaryFolder()
        try folder.folder(".", mode: 0o755)
        try folder.folder("home/tree", mode: 0o755)
        try folder.file("home/tree/f")
        try Surroundings.asUser(65534) {
            #expect(failure { try TreeRemoval.remove(folder["home/tree"]) } == EACCES)
        }
        #expect(try folder.status("home/tree/f").kind == .file)
    }
}

@Suite struct TreeModesTests {
    @Test func changesOnlyWhatIsInTheTree() throws {
        let folder = try TemporaryFolder()
        try folder.folder("tree/sub", mode: 0o2755)
        try folder.file("tree/sub/f", mode: 0o600)
        try folder.file("outside", mode: 0o600)
        try folder.link("tree/out", to: "../outside")
        try folder.link("tree/dangling", to: "nowhere")
        try folder.link("tree/loop", to: ".")
        try TreeModes.apply(mode: 0o10750, to: folder["tree"], recursively: true)
        #expect(try folder.status("tree").permissions == 0o750)
        #expect(try folder.status("tree/sub").permissions == 0o750)
        #expect(try folder.status("tree/sub/f").permissions == 0o750)
        #expect(try folder.status("outside").permissions == 0o600)
        try TreeModes.apply(mode: 0o700, to: folder["tree"], recursively: false)
        #expect(try folder.status("tree").permissions == 0o700)
        #expect(try folder.status("tree/sub").permissions == 0o750)
        try TreeModes.apply(mode: 0o777, to: folder["tree/out"], recursively: true)
        #expect(try folder.status("outside").permissions == 0o600)
        #expect(failure { try TreeModes.apply(mode: 0o777, to: folder["absent"], recursively: true) } == ENOENT)
    }

    @Test(.enabled(if: Surroundings.isRoot, "needs root to become another user"), arguments: [0o644, 0o755, 0o000])
    func reachesAllWhateverTheModesAreBeforeAndAfter(_ mode: UInt32) throws {
        let folder = try TemporaryFolder()
        try folder.folder(".", mode: 0o755)
        try folder.folder("home", mode: 0o777)
        try Surroundings.asUser(65534) {
            try folder.folder("home/tree/shut/deep")
            try folder.file("home/tree/shut/deep/f")
            try folder.folder("home/tree/shut", mode: 0)
            try TreeModes.apply(mode: mode, to: folder["home/tree"], recursively: true)
        }
        for name: BytePath in ["home/tree", "home/tree/shut", "home/tree/shut/deep", "home/tree/shut/deep/f"] {
            #expect(try folder.status(name).permissions == mode)
        }
    }
}

@Suite struct CopyTests {
    @Test(arguments: [[] as [UInt32], [326], [326, 16]], [ENOSYS, EPERM, EXDEV])
    func copiesContentByWhateverWayIsThere(_ denied: [UInt32], _ code: Int32) throws {
        let folder = try TemporaryFolder()
        let content = [UInt8]((0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })
        try SmallFile.write(folder["from"], content)
        try Surroundings.denying(denied, with: code) {
            try FileCopy.copy(folder["from"], to: folder["to"], mode: 0o4751)
        }
        #expect(try SmallFile.read(folder["to"]) == content)
        #expect(try folder.status("to").permissions == 0o4751)
        try folder.file("short", "short")
        try FileCopy.copy(folder["short"], to: folder["to"], mode: 0o600)
        #expect(try folder.text("to") == "short")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path.text).count == 3)
    }

    @Test func copiesFilesThatSayNothingOfTheirLength() throws {
        let folder = try TemporaryFolder()
        try FileCopy.copy("/proc/self/status", to: folder["status"], mode: 0o644)
        #expect(try folder.text("status").hasPrefix("Name:"))
    }

    @Test func keepsHoles() throws {
        let folder = try TemporaryFolder()
        let file = try Descriptor.open(folder["from"], O_RDWR | O_CREAT)
        try DescriptorIO.write(file.raw, Array("start".utf8).span, at: 0, subject: "")
        try DescriptorIO.write(file.raw, Array("middle".utf8).span, at: 40 << 20, subject: "")
        try checked("truncate") { ftruncate(file.raw, 100 << 20) }
        try FileCopy.copy(folder["from"], to: folder["to"], mode: 0o644)
        let status = try folder.status("to")
        #expect(status.size == 100 << 20)
        #expect(status.allocated < 1 << 20)
        let copy = try Descriptor.open(folder["to"], O_RDONLY)
        var bytes = [UInt8](repeating: 1, count: 6)
        var span = bytes.mutableSpan
        #expect(try DescriptorIO.read(copy.raw, into: &span, at: 40 << 20, subject: "") == 6)
        #expect(bytes == Array("middle".utf8))
    }

    @Test(.enabled(if: Surroundings.isRoot, "needs root to mount a small file system"))
    func leavesTheTargetAsItWasWhenTheDiskIsFull() throws {
        let folder = try TemporaryFolder()
        try folder.folder("small")
        try #require(mount("tmpfs", folder["small"].text, "tmpfs", 0, "size=256k") == 0)
        defer { umount2(folder["small"].text, 2) }
        try SmallFile.write(folder["big"], [UInt8](repeating: 7, count: 1 << 20))
        try folder.file("small/target", "before")
        let error = #expect(throws: SystemError.self) {
            try FileCopy.copy(folder["big"], to: folder["small/target"], mode: 0o644)
        }
        #expect(error?.code == ENOSPC)
        #expect(error?.message.contains(folder["small/target"].text) == true)
        #expect(try folder.text("small/target") == "before")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder["small"].text) == ["target"])
    }

    @Test func copiesTreesWithAllTheirKinds() throws {
        let folder = try TemporaryFolder()
        try folder.folder("from/sub/empty", mode: 0o555)
        try folder.file("from/sub/f", "content", mode: 0o4755)
        try FileManager.default.linkItem(atPath: folder["from/sub/f"].text, toPath: folder["from/hard"].text)
        try folder.link("from/absolute", to: "/nowhere")
        try folder.link("from/sub/up", to: "../hard")
        let latin = BytePath(bytes: Array("from/".utf8) + [0xE4])
        try folder.file(latin, "latin")
        try DirectoryIO.makeFIFO(AT_FDCWD, folder["from/pipe"], mode: 0o640, subject: "")
        let old = Timestamp(seconds: 1_000_000_000, nanoseconds: 123_456_789)
        for name: BytePath in ["from/sub/f", "from/sub", "from/absolute", "from"] {
            try DirectoryIO.setTimes(AT_FDCWD, folder[name], accessed: old, modified: old, subject: "")
        }
        let summary = try TreeCopy.copy(folder["from"], to: folder["to"])
        #expect(summary.files == 2)
        #expect(summary.bytes == 12)
        let source = try TreeWalk(try Descriptor.open(folder["from"], O_RDONLY), path: "from")
        let copy = try TreeWalk(try Descriptor.open(folder["to"], O_RDONLY), path: "to")
        var count = 0
        while let left = try source.next() {
            let right = try #require(try copy.next())
            #expect(left.path == right.path)
            #expect(left.status.kind == right.status.kind)
            #expect(left.status.permissions == right.status.permissions)
            #expect(left.status.modified == right.status.modified)
            #expect(left.status.size == right.status.size)
            if left.status.kind == .symlink { #expect(try source.readLink(left) == copy.readLink(right)) }
            count += 1
        }
        #expect(try copy.next() == nil)
        #expect(count == 8)
        #expect(try folder.status("to/hard").inode == folder.status("to/sub/f").inode)
        #expect(try folder.status("to").modified == old)
        #expect(failure { try TreeCopy.copy(folder["from"], to: folder["to"]) } == EEXIST)
        try TreeCopy.copy(folder["from/absolute"], to: folder["link"])
        #expect(try folder.status("link").kind == .symlink)
    }
}

@Suite struct ResolvedUserNamesTests {
    @Test func takesTheFirstWellFormedLine() throws {
        let folder = try TemporaryFolder()
        try SmallFile.write(
            folder["passwd"],
            Array("#x:x:7:7::/:\n+nis:x:8:8::/:\nroot:x:0:0:root:/root:/bin/sh\nj".utf8) + [0xF6]
                + Array("rg:x:1000:1000::/:\ntwice:x:0:0::/:\nshort:x:9\nbad:x:nine:9::/:\n".utf8))
        try folder.file("group", "wheel:x:0:a,b\nbig:x:4294967294:\n")
        let names = ResolvedUserNames(passwd: folder["passwd"], group: folder["group"])
        #expect(names.user(0) == Array("root".utf8))
        #expect(names.user(1000) == [0x6A, 0xF6, 0x72, 0x67])
        for id: UInt32 in [7, 8, 9] { #expect(names.user(id) == nil) }
        #expect(names.group(0) == Array("wheel".utf8))
        #expect(names.group(4_294_967_294) == Array("big".utf8))
        #expect(ResolvedUserNames(passwd: "/nowhere", group: "/nowhere").user(0) == nil)
    }
}

@Suite struct CPULimitTests {
    private func cores(_ files: [BytePath: String]) throws -> Int {
        let folder = try TemporaryFolder()
        for (name, content) in files {
            try folder.folder(name.directory)
            try folder.file(name, content)
        }
        return CPULimit.cores(root: folder.path)
    }

    private let eight = "Name:\tx\nCpus_allowed:\tff\nCpus_allowed_list:\t0-7\n"

    @Test func readsVersion2() throws {
        let group = "0::/kubepods/pod1\n"
        #expect(
            try cores([
                "proc/self/status": eight, "proc/self/cgroup": group, "sys/fs/cgroup/kubepods/pod1/cpu.max": "250000 100000\n",
            ]) == 3)
        #expect(
            try cores([
                "proc/self/status": eight, "proc/self/cgroup": group, "sys/fs/cgroup/kubepods/pod1/cpu.max": "max 100000\n",
                "sys/fs/cgroup/kubepods/cpu.max": "100000 100000\n",
            ]) == 1)
        #expect(
            try cores([
                "proc/self/status": eight, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000\n",
            ]) == 1)
    }

    @Test func readsVersion1() throws {
        let group = "4:memory:/docker/x\n1:cpu,cpuacct:/docker/x\n0::/\n"
        // Inside a container the path is the host's, and the mount shows the container's own group at its top.
        #expect(
            try cores([
                "proc/self/status": eight, "proc/self/cgroup": group, "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "400000\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            ]) == 4)
        #expect(
            try cores([
                "proc/self/status": eight, "proc/self/cgroup": group, "sys/fs/cgroup/cpu/docker/x/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/docker/x/cpu.cfs_period_us": "100000\n",
            ]) == 8)
    }

    @Test func takesTheMachinesProcessorsWithoutLimits() throws {
        #expect(try cores(["proc/self/status": "Cpus_allowed:\t0000,00000013\n"]) == 3)
        #expect(try cores([:]) >= 1)
        #expect(
            try cores([
                "proc/self/status": eight, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "nonsense\n",
            ]) == 8)
    }
}
