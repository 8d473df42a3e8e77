import FileTrees
import Foundation
import Glibc
import RunDirectory
import Synchronization
import SystemSupport
import TestSupport
import Testing

/// What a container of the pod leaves in the run directory to mislead the others.
@Suite struct HostileRunDirectoryTests {
    private let fixture: RunDirectoryFixture
    private let container: ContainerDirectory
    private let outside: BytePath
    private let secret: BytePath
    private var run: RunDirectory { fixture.directory }

    init() throws {
        fixture = try RunDirectoryFixture()
        container = fixture.directory.container("main")
        let base = fixture.directory.root
        outside = BytePath(base.text + "-outside")
        secret = outside.appending("secret")
        try container.create()
        try AtomicFile.createDirectory(outside)
        try SmallFile.write(secret, Array("1/2".utf8))
    }

    private func link(_ path: BytePath, to target: BytePath) throws { try #require(symlink(target.text, path.text) == 0) }

    /// Checks that nothing was changed outside, and removes it.
    private func close() throws {
        #expect(fixture.text(secret) == "1/2")
        #expect(try fixture.names(outside) == ["secret"])
        try FileManager.default.removeItem(atPath: outside.text)
    }

    @Test(arguments: ["pipe", "device", "link", "huge", "folder", "socket"])
    func isNotHeldUpByWhatIsNoFileOfOurs(_ kind: String) throws {
        let files = [run.template, run.settings, run.status, container.exitCode, container.signal, container.combined]
        for path in files {
            switch kind {
            case "pipe": try #require(mkfifo(path.text, 0o666) == 0)
            case "device": try link(path, to: "/dev/zero")
            case "link": try link(path, to: secret)
            case "folder": try AtomicFile.createDirectory(path)
            case "socket":
                let raw = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
                defer { Glibc.close(raw) }
                var address = sockaddr_un()
                address.sun_family = sa_family_t(AF_UNIX)
                let name = Array(path.base.text.utf8)
                // A path of a test may be too long for a socket's address.
                let directory = open(path.directory.text, O_RDONLY | O_DIRECTORY)
                defer { Glibc.close(directory) }
                let bytes = Array("/proc/self/fd/\(directory)/".utf8) + name
                withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
                let bound = withUnsafePointer(to: &address) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        bind(raw, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                    }
                }
                try #require(bound == 0)
            default:
                try SmallFile.write(path, [])
                try #require(truncate(path.text, 1 << 40) == 0)
            }
        }
        #expect(throws: SystemError.self) { try run.readTemplate() }
        #expect(SettingsFile.read(in: run) == [:])
        var reader = StatusReader(run, now: 0)
        #expect(reader.look(now: 1) == .wait)
        #expect(container.readExitCode() == nil)
        #expect(container.hasExitCode, "its existence says that the container is done")
        #expect(container.takeSignal() == nil)
        #expect(container.exists(container.signal), "what is no signal is left")
        if kind != "huge" {
            #expect(throws: SystemError.self) { try container.tail(of: container.combined, count: 10) }
            #expect(throws: SystemError.self) { _ = try container.openCapture(container.combined) }
        }
        // And ours takes its place.
        if kind != "folder" {
            try container.writeExitCode(7)
            #expect(container.readExitCode() == 7)
            try run.writeTemplate(Array("{}".utf8))
            #expect(try run.readTemplate() == Array("{}".utf8))
            try container.writeSignal(15)
            #expect(container.takeSignal() == 15)
        }
        try close()
    }

    @Test(arguments: ["ctr", "ctr/main"]) func isLedNowhereByALinkOnTheWay(_ place: String) throws {
        try SmallFile.write(container.exitCode, Array("0".utf8))
        let way = run.root.appending(BytePath(place))
        try FileManager.default.moveItem(atPath: way.text, toPath: way.text + ".old")
        try link(way, to: outside)
        if place == "ctr" { try AtomicFile.createDirectory(outside.appending("main")) }
        let reservation = ExitCodeReservation(in: container)
        #expect(throws: SystemError.self) { try container.create() }
        #expect(throws: SystemError.self) { try container.writeExitCode(1) }
        #expect(throws: SystemError.self) { try container.writeExitCodeIfAbsent(1) }
        #expect(throws: SystemError.self) { try container.writeSignal(9) }
        #expect(throws: SystemError.self) { _ = try container.openCapture(container.standardOutput) }
        #expect(throws: SystemError.self) { try reservation.publish(1) }
        #expect(throws: SystemError.self) { _ = try LifeLock(of: container) }
        #expect(container.standing() == .unknown)
        container.sweep()
        if place == "ctr" { try FileManager.default.removeItem(atPath: outside.appending("main").text) }
        try close()
    }

    @Test func readsAnHonestNeighbour() throws {
        try run.writeTemplate([UInt8](repeating: 0x20, count: RunDirectory.templateLimit))
        #expect(try run.readTemplate()?.count == RunDirectory.templateLimit)
        try run.writeTemplate([UInt8](repeating: 0x20, count: RunDirectory.templateLimit + 1))
        #expect(throws: SystemError("read", run.template.text, EFBIG)) { try run.readTemplate() }
        let file = try container.openCapture(container.combined)
        try DescriptorIO.write(file.raw, Array("one\n".utf8).span, subject: "")
        #expect(try container.tail(of: container.combined, count: 100) == Array("one\n".utf8))
        try close()
    }

    /// A name that the contract once gave is no more than any other.
    @Test func writesNotThroughANameThatCanBeForeseen() throws {
        for name in ["status.tmp", "ctr/main/exitcode.new", "ctr/main/exitcode.tmp"] {
            try link(run.root.appending(BytePath(name)), to: secret)
        }
        try StatusMarker.ready.write(in: run)
        try container.writeExitCode(0)
        #expect(fixture.text(run.status) == "READY\n")
        #expect(fixture.mode(run.status) == 0o644)
        try close()
    }

    @Test(arguments: [false, true]) func aDirectoryInPlaceOfAFileStopsNobody(_ isFull: Bool) throws {
        func block(_ path: BytePath) throws {
            try AtomicFile.createDirectory(path)
            if isFull { try SmallFile.write(path.appending("theirs"), []) }
        }
        for path in [container.signal, container.exitCode, container.alive] { try block(path) }
        let reservation = ExitCodeReservation(in: container)
        let lock = try LifeLock(of: container)
        #expect(LifeLock.state(of: container) == .held)
        try container.writeSignal(15)
        #expect(container.takeSignal() == 15)
        try reservation.publish(3)
        #expect(container.readExitCode() == 3)
        try FileManager.default.removeItem(atPath: container.exitCode.text)
        try block(container.exitCode)
        try container.writeExitCode(4)
        #expect(container.readExitCode() == 4)
        container.sweep()
        #expect(try fixture.names(container.path).count == (isFull ? 6 : 2))
        extendLifetime(lock)
        try close()
    }

    @Test func onlyAFileAsksForAPause() throws {
        #expect(!container.asksForPause)
        try AtomicFile.createDirectory(container.pause)
        #expect(!container.asksForPause)
        try FileManager.default.removeItem(atPath: container.pause.text)
        try link(container.pause, to: secret)
        #expect(!container.asksForPause)
        try FileManager.default.removeItem(atPath: container.pause.text)
        try SmallFile.write(container.pause, [])
        #expect(container.asksForPause)
        try close()
    }

    @Test func sweepsWhatAKilledEmissaryHasLeft() throws {
        try SmallFile.write(container.path.appending(".argoexec-0000000000abc.tmp"), [])
        try SmallFile.write(container.path.appending("their.tmp"), [])
        let reservation = ExitCodeReservation(in: container)
        let lock = try LifeLock(of: container)
        #expect(try fixture.names(container.path).count == 4)
        container.sweep()
        #expect(try fixture.names(container.path).count == 3)
        try reservation.publish(0)
        #expect(try fixture.names(container.path) == ["alive", "exitcode", "their.tmp"])
        #expect(LifeLock.state(of: container) == .held)
        extendLifetime(lock)
        try close()
    }

    /// A program swaps the container's directory and a link to elsewhere as fast as it can.
    @Test func isNotLedOutByASwap() throws {
        let isOver = Atomic(false)
        let (real, away, way) = (
            container.path, BytePath(container.path.text + ".real"), BytePath(container.path.text + ".link")
        )
        try link(way, to: outside)
        let swapper = try WorkerThread {
            while !isOver.load(ordering: .relaxed) {
                _ = rename(real.text, away.text)
                _ = rename(way.text, real.text)
                _ = rename(real.text, way.text)
                _ = rename(away.text, real.text)
            }
        }
        var done = 0
        for round in 1...1000 {
            if (try? container.writeExitCode(Int32(round))) != nil { done += 1 }
            try? container.writeSignal(15)
            _ = container.takeSignal()
            _ = try? container.openCapture(container.combined)
            if let lock = try? LifeLock(of: container) { extendLifetime(lock) }
            _ = container.standing()
            container.sweep()
        }
        isOver.store(true, ordering: .relaxed)
        swapper.join()
        #expect(done > 0, "it was no link all the time")
        try close()
    }
}
