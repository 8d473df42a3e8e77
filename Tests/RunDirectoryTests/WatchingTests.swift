import Glibc
import RunDirectory
import SystemSupport
import TestSupport
import Testing

@Suite struct FileWatcherTests {
    private let fixture: RunDirectoryFixture
    init() throws { fixture = try RunDirectoryFixture() }

    /// Waits as users of the watcher do; nil when it took too long.
    private func waitFor(_ watcher: FileWatcher, seconds: Int64 = 20, _ condition: () -> Bool) throws -> Int64? {
        let start = monotonicNanoseconds()
        let end = start + seconds * 1_000_000_000
        while !condition() {
            if monotonicNanoseconds() >= end { return nil }
            try watcher.wait(until: end)
        }
        return monotonicNanoseconds() - start
    }

    @Test(arguments: [false, true])
    func noticesChangesInSeveralDirectories(_ polls: Bool) throws {
        let watcher = FileWatcher(forcePolling: polls)
        #expect(watcher.isPolling == polls)
        let containers = ["a", "b", "c"].map { fixture.directory.container($0) }
        for container in containers {
            try container.create()
            watcher.watch(container)
        }
        for container in containers {
            let writer = try WorkerThread { try? container.writeExitCode(0) }
            // Well below the interval at which everything is looked at anyway.
            let took = try waitFor(watcher, seconds: 4) { container.hasExitCode }
            #expect(took != nil)
            writer.join()
        }
    }

    /// A process that may end at once asks for its instance late: what changed before that must not be lost.
    @Test func noticesWhatChangedBeforeItsInstanceWasAskedFor() throws {
        let watcher = FileWatcher(delay: 50_000_000)
        let container = fixture.directory.container("a")
        try container.create()
        watcher.watch(container)
        try container.writeExitCode(0)
        var changed = false
        while !changed { changed = try watcher.wait(until: monotonicNanoseconds() + 4_000_000_000) }
        #expect(container.hasExitCode)
        #expect(!watcher.isPolling)
        let writer = try WorkerThread { try? container.writeSignal(15) }
        #expect(try waitFor(watcher, seconds: 4) { container.takeSignal() == 15 } != nil)
        writer.join()
    }

    @Test func noticesADirectoryThatComesLater() throws {
        let watcher = FileWatcher()
        let container = fixture.directory.container("late")
        watcher.watch(container)
        #expect(watcher.isPolling)
        try container.create()
        try watcher.wait(until: monotonicNanoseconds() + 1_000_000_000)
        #expect(!watcher.isPolling)
    }

    @Test func noticesTheHoldersDeath() throws {
        let container = fixture.directory.container("main")
        try container.create()
        let watcher = FileWatcher()
        watcher.watch(container)
        let released = Monitor(false)
        let holder = try WorkerThread {
            let lock = try? LifeLock(of: container)
            released.wait { $0 ? true : nil }
            withExtendedLifetime(lock != nil) {}
        }
        #expect(try waitFor(watcher) { container.standing() == .alive } != nil)
        released.update { $0 = true }
        #expect(try waitFor(watcher, seconds: 4) { container.standing() == .died } != nil)
        holder.join()
    }

    @Test func noticesWritesWhereAsked() throws {
        let path = fixture.directory.progress
        let file = try Descriptor.open(path, O_WRONLY | O_CREAT)
        let quiet = FileWatcher()
        quiet.watch(fixture.directory.root)
        let watcher = FileWatcher()
        watcher.watch(fixture.directory.root)
        watcher.watch(fixture.directory.root, writes: true)
        try DescriptorIO.write(file.raw, Array("1/2\n".utf8).span, subject: "progress")
        #expect(try watcher.wait(until: monotonicNanoseconds() + 1_000_000_000))
        #expect(try !quiet.wait(until: monotonicNanoseconds() + 1_000_000), "a file that is written is not reported elsewhere")
        _ = file.raw
    }

    @Test func wakesForOtherDescriptorsAndDeadlines() throws {
        let watcher = FileWatcher()
        watcher.watch(fixture.directory.root)
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        let reading = Descriptor(owning: ends[0])
        let writing = Descriptor(owning: ends[1])
        var others = PollSet()
        let index = others.add(reading.raw, .readable)
        #expect(try !watcher.wait(until: monotonicNanoseconds() + 1_000_000, also: &others))
        #expect(others[index].isEmpty)
        try DescriptorIO.write(writing.raw, [UInt8(1)].span, subject: "pipe")
        others = PollSet()
        let again = others.add(reading.raw, .readable)
        #expect(try !watcher.wait(also: &others))
        #expect(others[again] == .readable)
    }
}

@Suite struct StatusReaderTests {
    private let fixture: RunDirectoryFixture
    private let second: Int64 = 1_000_000_000
    init() throws { fixture = try RunDirectoryFixture() }

    private func write(_ content: String, modified: Int) throws {
        try SmallFile.write(fixture.directory.status, Array(content.utf8))
        var times = [timeval(tv_sec: modified, tv_usec: 0), timeval(tv_sec: modified, tv_usec: 0)]
        #expect(fixture.directory.status.withCString { utimes($0, &times) } == 0)
    }

    @Test func writesTheMarkerAsTheContractHasIt() throws {
        for (marker, content) in [
            (StatusMarker.running, "RUNNING\n"), (.ready, "READY\n"), (.failed("x: y\nz"), "FAILED\nx: y\nz"),
            (.failed(""), "FAILED"),
        ] {
            try marker.write(in: fixture.directory)
            #expect(fixture.text(fixture.directory.status) == content)
            #expect(StatusMarker(Array(content.utf8)) == marker)
        }
        #expect(fixture.mode(fixture.directory.status) == 0o644)
        #expect(try fixture.names(fixture.directory.root) == ["status"])
        #expect(StatusMarker([]) == .other)
        #expect(StatusMarker(Array(" READY \r\nmore".utf8)) == .ready)
    }

    @Test func waitsThirtySecondsForTheFirstMarker() {
        var reader = StatusReader(fixture.directory, now: 5 * second)
        #expect(reader.look(now: 5 * second) == .wait)
        #expect(reader.look(now: 35 * second) == .wait)
        #expect(
            reader.look(now: 35 * second + 1) == .failed("supervisor presumed dead: status marker never appeared within 30s"))
    }

    @Test func acceptsReadyAtAnyAge() throws {
        try write("READY\n", modified: 1000)
        var reader = StatusReader(fixture.directory, now: 0)
        #expect(reader.look(now: 0, wallClock: Timestamp(seconds: 9000)) == .ready)
    }

    @Test func reportsTheSupervisorsFailure() throws {
        try write("FAILED\nno such key", modified: 1000)
        var reader = StatusReader(fixture.directory, now: 0)
        #expect(reader.look(now: 0) == .failed("supervisor reported pre-main failure: no such key"))
    }

    @Test(arguments: ["RUNNING\n", "", "SOMETHING\n"])
    func givesASilentSupervisorUp(_ content: String) throws {
        let stale = StatusReader.Verdict.failed("supervisor presumed dead: no status update within 30s")
        try write(content, modified: 1000)
        var reader = StatusReader(fixture.directory, now: 0)
        #expect(reader.look(now: 0, wallClock: Timestamp(seconds: 1020)) == .wait)
        #expect(reader.look(now: 10 * second, wallClock: Timestamp(seconds: 1030)) == .wait)
        #expect(reader.look(now: 11 * second, wallClock: Timestamp(seconds: 1031)) == stale)
        var late = StatusReader(fixture.directory, now: 0)
        #expect(late.look(now: 0, wallClock: Timestamp(seconds: 1031)) == stale)
    }

    /// A heartbeat counts by the clock that only goes forward: a clock set by an hour is no death.
    @Test func survivesAClockThatIsSet() throws {
        try write("RUNNING\n", modified: 1000)
        var reader = StatusReader(fixture.directory, now: 0)
        #expect(reader.look(now: 0, wallClock: Timestamp(seconds: 1000)) == .wait)
        #expect(reader.look(now: 3 * second, wallClock: Timestamp(seconds: 4603)) == .wait)
        try write("RUNNING\n", modified: 4605)
        #expect(reader.look(now: 33 * second, wallClock: Timestamp(seconds: 4633)) == .wait)
        #expect(reader.look(now: 64 * second, wallClock: Timestamp(seconds: 1064)) != .wait)
    }

    @Test func failsWhereTheMarkerCannotBeLookedAt() throws {
        var reader = StatusReader(RunDirectory(root: "/etc/passwd"), now: 0)
        #expect(reader.look(now: 0) == .failed("stat /etc/passwd/status: not a directory"))
    }
}

@Suite struct KillProcedureTests {
    private let fixture: RunDirectoryFixture
    private let second: Int64 = 1_000_000_000
    init() throws { fixture = try RunDirectoryFixture() }

    private func containers(_ names: String...) -> [ContainerDirectory] { names.map { fixture.directory.container($0) } }

    @Test func endsAsSoonAsAllAreDone() throws {
        let all = containers("a", "b")
        var procedure = KillProcedure(all, grace: 10 * second)
        #expect(try procedure.advance(now: 0) == .waiting(until: 10 * second))
        for container in all { #expect(fixture.text(container.signal) == "15") }
        #expect(fixture.mode(all[0].path) == 0o777)
        try all[0].writeExitCode(0)
        #expect(try procedure.advance(now: second) == .waiting(until: 10 * second))
        try all[1].writeExitCode(143)
        #expect(try procedure.advance(now: 2 * second) == .done)
        for container in all { #expect(fixture.text(container.signal) == "15", "nobody was killed") }
    }

    @Test func killsAfterTheGracePeriodAndGivesUpTenSecondsLater() throws {
        let all = containers("a", "b")
        try all[0].create()
        try all[0].writeExitCode(0)
        var procedure = KillProcedure(all, grace: 5 * second)
        #expect(try procedure.advance(now: 0) == .waiting(until: 5 * second))
        #expect(try procedure.advance(now: 5 * second) == .waiting(until: 15 * second))
        for container in all { #expect(fixture.text(container.signal) == "9", "those that are done too") }
        #expect(try procedure.advance(now: 14 * second) == .waiting(until: 15 * second))
        #expect(try procedure.advance(now: 15 * second) == .overdue(["b"]))
    }

    @Test func cutsTheGracePeriodShort() throws {
        let all = containers("a")
        var procedure = KillProcedure(all, grace: 0)
        #expect(try procedure.advance(now: 0) == .waiting(until: KillProcedure.defaultGrace))
        #expect(try procedure.advance(now: second, cutShort: true) == .waiting(until: 11 * second))
        #expect(fixture.text(all[0].signal) == "9")
        #expect(try procedure.advance(now: 2 * second, cutShort: true) == .waiting(until: 11 * second), "the last wait stays")
    }

    @Test func doesNotWaitForTheDead() throws {
        let all = containers("a")
        try all[0].create()
        try SmallFile.write(all[0].alive, [])
        var procedure = KillProcedure(all, grace: 5 * second)
        #expect(try procedure.advance(now: 0) == .done)
    }

    @Test func goesOnWhereASignalCannotBeWritten() throws {
        let all = containers("a", "b")
        try AtomicFile.createDirectory(fixture.directory.containers)
        try SmallFile.write(all[0].path, [])
        var procedure = KillProcedure(all, grace: 5 * second)
        #expect(throws: SystemError.self) { try procedure.advance(now: 0) }
        #expect(fixture.text(all[1].signal) == "15")
        #expect(try procedure.advance(now: second) == .waiting(until: 5 * second))
    }

    @Test func runsToItsEnd() throws {
        let all = containers("a", "b")
        let answering = try WorkerThread {
            // As an emissary does: take the signal, then leave the code.
            for container in all {
                try? eventually("SIGTERM is asked for") { container.takeSignal() == 15 }
                try? container.writeExitCode(143)
            }
        }
        var procedure = KillProcedure(all, grace: 60 * second)
        try procedure.run(watcher: FileWatcher())
        answering.join()
        for container in all { #expect(container.hasExitCode) }
    }

    @Test func isWokenToCutTheGracePeriodShort() throws {
        let all = containers("a")
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        let reading = Descriptor(owning: ends[0])
        let writing = Descriptor(owning: ends[1])
        let told = Monitor(false)
        let answering = try WorkerThread { [raw = writing.raw] in
            try? eventually("SIGTERM is asked for") { all[0].takeSignal() == 15 }
            told.update { $0 = true }
            try? DescriptorIO.write(raw, [UInt8(1)].span, subject: "pipe")
            try? eventually("SIGKILL is asked for") { all[0].takeSignal() == 9 }
            try? all[0].writeExitCode(137)
        }
        var procedure = KillProcedure(all, grace: 600 * second)
        try procedure.run(watcher: FileWatcher(), wakingOn: [reading.raw]) { told.current }
        answering.join()
        #expect(all[0].readExitCode() == 137)
        extendLifetime(writing)
    }
}
