import Foundation
import Glibc
import RunDirectory
import SystemSupport
import TestSupport
import Testing

/// A run directory of its own.
struct RunDirectoryFixture {
    let folder: TemporaryFolder
    let directory: RunDirectory

    init() throws {
        folder = try TemporaryFolder()
        directory = RunDirectory(root: BytePath(folder.url.path))
    }

    func mode(_ path: BytePath) -> mode_t? {
        var information = stat()
        return path.withCString { lstat($0, &information) } == 0 ? information.st_mode & 0o7777 : nil
    }

    func text(_ path: BytePath) -> String? { (try? SmallFile.read(path)).map { String(decoding: $0, as: UTF8.self) } }

    /// All names in a directory.
    func names(_ path: BytePath) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path.text).sorted() }
}

@Suite struct AtomicFileTests {
    private let fixture: RunDirectoryFixture
    init() throws { fixture = try RunDirectoryFixture() }

    @Test func writesWithExactlyTheModeAskedFor() throws {
        let before = umask(0o077)
        defer { umask(before) }
        let path = fixture.directory.root.appending("file")
        for mode: mode_t in [0o444, 0o666, 0o755] {
            try AtomicFile.write(path, Array("x".utf8), mode: mode)
            #expect(fixture.mode(path) == mode)
        }
        #expect(try fixture.names(fixture.directory.root) == ["file"], "nothing is left aside")
        let deep = fixture.directory.root.appending("a/b/c")
        try AtomicFile.createDirectory(deep)
        #expect(fixture.mode(deep) == 0o777)
        #expect(fixture.mode(deep.directory) == 0o777)
    }

    @Test func neverShowsAPart() throws {
        let path = fixture.directory.root.appending("file")
        let long = [UInt8](repeating: 0x61, count: 3 << 20)
        try AtomicFile.write(path, long, mode: 0o644)
        let writer = try WorkerThread { [path] in
            for _ in 0..<30 { try? AtomicFile.write(path, long, mode: 0o644) }
        }
        for _ in 0..<100 { #expect(try SmallFile.read(path).count == long.count) }
        writer.join()
    }

    @Test func leavesTheOldContentAndNoRestWhereWritingFails() throws {
        let path = fixture.directory.root.appending("file")
        try AtomicFile.write(path, Array("old".utf8), mode: 0o644)
        struct Stop: Error {}
        #expect(throws: Stop.self) { try AtomicFile.write(path, mode: 0o644) { _ in throw Stop() } }
        #expect(fixture.text(path) == "old")
        #expect(try fixture.names(fixture.directory.root) == ["file"])
        #expect(throws: SystemError("create", "/nowhere/file", ENOENT)) {
            try AtomicFile.write("/nowhere/file", [], mode: 0o644)
        }
    }

    @Test func writesWhereTheNameIsAsLongAsCanBe() throws {
        let path = fixture.directory.root.appending(BytePath(String(repeating: "ä", count: 127)))
        try AtomicFile.write(path, [1], mode: 0o644)
        #expect(try SmallFile.read(path) == [1])
    }

    @Test func createsDirectoriesThatAreThere() throws {
        try AtomicFile.createDirectory(fixture.directory.root)
        try AtomicFile.createDirectory("/")
        try SmallFile.write(fixture.directory.root.appending("file"), [])
        #expect(throws: SystemError.self) { try AtomicFile.createDirectory(fixture.directory.root.appending("file")) }
        #expect(throws: SystemError.self) { try AtomicFile.createDirectory(fixture.directory.root.appending("file/below")) }
    }
}

@Suite struct ContainerDirectoryTests {
    private let fixture: RunDirectoryFixture
    private let container: ContainerDirectory

    init() throws {
        fixture = try RunDirectoryFixture()
        container = fixture.directory.container("main")
        try container.create()
    }

    @Test func namesItsFilesAsTheContractDoes() {
        let container = RunDirectory().container("main")
        #expect(container.exitCode == "/var/run/argo/ctr/main/exitcode")
        #expect(container.signal == "/var/run/argo/ctr/main/signal")
        #expect(container.standardOutput == "/var/run/argo/ctr/main/stdout")
        #expect(container.combined == "/var/run/argo/ctr/main/combined")
        #expect(RunDirectory().container("").exitCode == "/var/run/argo/ctr/exitcode")
    }

    @Test func readsExitCodes() throws {
        #expect(container.readExitCode() == nil)
        for (content, code) in [("0", 0), ("137", 137), ("7\n", 7), ("", nil), ("x", nil), ("99999999999", nil)]
            as [(String, Int32?)]
        {
            try SmallFile.write(container.exitCode, Array(content.utf8))
            #expect(container.readExitCode() == code)
            #expect(container.hasExitCode)
        }
    }

    @Test func leavesAnExitCodeThatIsThere() throws {
        #expect(try container.writeExitCodeIfAbsent(137))
        #expect(fixture.mode(container.exitCode) == 0o644)
        #expect(try !container.writeExitCodeIfAbsent(1))
        #expect(fixture.text(container.exitCode) == "137")
        #expect(try fixture.names(container.path) == ["exitcode"])
    }

    @Test func takesEachSignalOnce() throws {
        #expect(container.takeSignal() == nil)
        try container.writeSignal(15)
        #expect(fixture.mode(container.signal) == 0o666)
        #expect(fixture.text(container.signal) == "15")
        try container.writeSignal(9)
        #expect(container.takeSignal() == 9)
        #expect(container.takeSignal() == nil)
        #expect(try fixture.names(container.path) == [])
    }

    @Test(arguments: ["", "0", "-15", "TERM", "15 9", "999999999999"])
    func leavesWhatIsNoSignal(_ content: String) throws {
        try SmallFile.write(container.signal, Array(content.utf8))
        #expect(container.takeSignal() == nil)
        #expect(fixture.text(container.signal) == content)
    }

    @Test func isNotHeldUpByANamedPipe() throws {
        #expect(mkfifo(container.signal.text, 0o666) == 0)
        #expect(container.takeSignal() == nil)
        #expect(mkfifo(container.alive.text, 0o666) == 0)
        #expect(container.standing() == .unknown)
    }

    /// Two requests in a row: the second must not be removed with the first.
    @Test func losesNoSignalToARace() throws {
        let rounds = 300
        let writer = try WorkerThread { [container] in
            for number in 1...rounds { try? container.writeSignal(Int32(number)) }
        }
        var last: Int32 = 0
        let end = monotonicNanoseconds() + 60_000_000_000
        while last != rounds, monotonicNanoseconds() < end {
            guard let number = container.takeSignal() else { continue }
            #expect(number > last)
            last = number
        }
        writer.join()
        #expect(last == rounds)
    }

    @Test func tellsHowAContainerStands() throws {
        #expect(container.standing() == .unknown)
        do {
            let lock = try LifeLock(of: container)
            #expect(fixture.mode(container.alive) == 0o666)
            #expect(container.standing() == .alive)
            #expect(LifeLock.state(of: container) == .held)
            extendLifetime(lock)
        }
        #expect(LifeLock.state(of: container) == .free)
        #expect(container.standing() == .died)
        try container.writeExitCode(0)
        #expect(container.standing() == .done)
    }

    @Test func takesTheLockOfADeadPredecessorsFile() throws {
        try SmallFile.write(container.alive, [])
        #expect(container.standing() == .died)
        let lock = try LifeLock(of: container)
        #expect(container.standing() == .alive)
        extendLifetime(lock)
        #expect(try fixture.names(container.path) == ["alive"])
    }

    @Test func reservesTheExitCode() throws {
        let reservation = ExitCodeReservation(in: container)
        #expect(!container.hasExitCode)
        try reservation.publish(143)
        #expect(fixture.text(container.exitCode) == "143")
        #expect(fixture.mode(container.exitCode) == 0o644)
        #expect(try fixture.names(container.path) == ["exitcode"])
    }

    @Test func writesTheExitCodeThoughTheReservationIsGone() throws {
        let reservation = ExitCodeReservation(in: container)
        try FileManager.default.removeItem(atPath: container.path.text)
        try reservation.publish(7)
        #expect(fixture.text(container.exitCode) == "7")
    }
}

@Suite struct HandOverTests {
    private let directory = RunDirectory(root: "/run")

    @Test func cleansTheParametersPath() {
        for path: BytePath in ["/tmp/x", "/tmp//x/", "/tmp/./y/../x", "tmp/x", "/../tmp/x"] {
            #expect(directory.parameterHandOver(path) == "/run/outputs/parameters/tmp/x")
        }
    }

    @Test func givesEveryArtifactAFolderOfItsOwn() {
        #expect(directory.artifactHandOver(name: "my-art").tarball == "/run/outputs/artifacts/my-art/data.tgz")
        #expect(directory.artifactHandOver(name: "my-art").zip == "/run/outputs/artifacts/my-art/data.zip")
        let odd = [
            "a", "a/b", "a%2fb", "..", ".", "", "ä", String(repeating: "x", count: 300), String(repeating: "x", count: 301),
        ]
        let folders = odd.map { directory.artifactHandOver(name: $0).directory }
        #expect(Set(folders).count == odd.count)
        for folder in folders {
            #expect(folder.directory == "/run/outputs/artifacts")
            #expect(folder.cleaned == folder)
            #expect(folder.base.bytes.count <= 255)
        }
    }
}

@Suite struct SettingsFileTests {
    @Test func keepsAnyValue() throws {
        let fixture = try RunDirectoryFixture()
        #expect(SettingsFile.read(in: fixture.directory) == [:])
        let values = ["ARGOEXEC_A": "", "ARGOEXEC_B": "x=y\n z", "ARGOEXEC_C": "ä"]
        try SettingsFile.write(values, in: fixture.directory)
        #expect(SettingsFile.read(in: fixture.directory) == values)
        #expect(fixture.mode(fixture.directory.settings) == 0o444)
        try SettingsFile.write([:], in: fixture.directory)
        #expect(SettingsFile.read(in: fixture.directory) == [:])
    }

    @Test func passesOverWhatIsNoSetting() throws {
        let fixture = try RunDirectoryFixture()
        try SmallFile.write(fixture.directory.settings, Array("=x\0novalue\0A=1\0\0B=2".utf8))
        #expect(SettingsFile.read(in: fixture.directory) == ["A": "1", "B": "2"])
    }
}

/// What the emissary says of a capture that is not whole.
@Suite struct LossMarkTests {
    private let fixture: RunDirectoryFixture
    private let container: ContainerDirectory

    init() throws {
        fixture = try RunDirectoryFixture()
        container = fixture.directory.container("main")
        try container.create()
    }

    @Test func standsBesideTheCaptureUntilItIsTakenBack() throws {
        try SmallFile.write(container.combined, Array("half".utf8))
        container.markLoss(of: container.combined)
        container.markLoss(of: container.combined)
        #expect(container.exists(container.lossMarker(of: container.combined)))
        #expect(!container.exists(container.lossMarker(of: container.standardOutput)))
        #expect(fixture.text(container.combined) == "half")
        container.clearLoss(of: container.combined)
        #expect(!container.exists(container.lossMarker(of: container.combined)))
    }

    /// A supervisor's last word must not be lost to a program that fills the volume.
    @Test(.enabled(if: geteuid() == 0, "needs root to mount a small file system"))
    func theMarkerIsReplacedInPlaceOnAFullDisk() throws {
        let root = container.path
        try #require(mount("tmpfs", root.text, "tmpfs", 0, "size=1m,nr_inodes=8") == 0)
        defer { umount2(root.text, 2) }
        let run = RunDirectory(root: root)
        try StatusMarker.running.write(in: run)
        var fillers = 0
        while (try? SmallFile.write(root.appending(BytePath("filler-\(fillers)")), [])) != nil { fillers += 1 }
        try StatusMarker.ready.write(in: run)
        #expect(fixture.text(run.status) == "READY\n")
    }

    /// Where not even the mark finds room, there is no file that could be taken for whole.
    @Test(.enabled(if: geteuid() == 0, "needs root to mount a small file system"))
    func leavesNoFileWhereItCannotBeMarked() throws {
        try #require(mount("tmpfs", container.path.text, "tmpfs", 0, "size=1m,nr_inodes=8") == 0)
        defer { umount2(container.path.text, 2) }
        try SmallFile.write(container.combined, Array("half".utf8))
        var fillers = 0
        while (try? SmallFile.write(container.path.appending(BytePath("filler-\(fillers)")), [])) != nil { fillers += 1 }
        container.markLoss(of: container.combined)
        #expect(!container.exists(container.lossMarker(of: container.combined)))
        #expect(!container.exists(container.combined))
    }
}
