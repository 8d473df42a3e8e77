import Glibc
import Synchronization
import SystemSupport
import TestSupport
import Testing

@testable import ProcessControl

@Suite struct LineMergerTests {
    private func merged(_ parts: [(Int, String)], flushingAt now: Int64? = nil) -> String {
        var merger = LineMerger()
        var result: [UInt8] = []
        let sink = { (bytes: Span<UInt8>) in for index in bytes.indices { result.append(bytes[index]) } }
        for (stream, text) in parts { merger.add(stream, Array(text.utf8).span, now: 0, to: sink) }
        if let now { merger.flushWaiting(now: now, to: sink) } else { merger.flushWaiting(now: nil, to: sink) }
        return String(decoding: result, as: UTF8.self)
    }

    @Test func keepsLinesWhole() {
        #expect(merged([(0, "a"), (1, "x\n"), (0, "b\nc"), (1, "y"), (0, "d\n"), (1, "z\n")]) == "x\nab\ncd\nyz\n")
        #expect(merged([(0, "one\ntwo\nthr"), (1, "!\n"), (0, "ee\n")]) == "one\ntwo\n!\nthree\n")
        #expect(merged([(0, "no end")]) == "no end")
        #expect(merged([]) == "")
    }

    @Test func holdsAPartForAMomentOnly() {
        #expect(merged([(0, "part")], flushingAt: LineMerger.patience - 1) == "")
        #expect(merged([(0, "part")], flushingAt: LineMerger.patience) == "part")
        var merger = LineMerger()
        #expect(merger.deadline == nil)
        merger.add(1, Array("x".utf8).span, now: 5) { _ in }
        merger.add(0, Array("y".utf8).span, now: 9) { _ in }
        #expect(merger.deadline == 5 + LineMerger.patience)
    }

    @Test func holdsNoMoreThanALine() {
        var merger = LineMerger()
        var count = 0
        let block = [UInt8](repeating: 0x61, count: 5000)
        for _ in 0..<10 { merger.add(0, block.span, now: 0) { count += $0.count } }
        #expect(count >= 50_000 - LineMerger.longest)
    }
}

@Suite struct CaptureFileTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }
    private var path: BytePath { BytePath(folder.url.appending(path: "file").path) }

    private func status() -> stat {
        var information = stat()
        _ = path.withCString { stat($0, &information) }
        return information
    }

    @Test func appendsForEveryAttempt() throws {
        for round in 1...3 {
            let file = CaptureFile(path, endOnly: round == 2, log: .silent)
            file.append(Array("\(round)\n".utf8).span)
            #expect(file.lost == 0)
        }
        #expect(try SmallFile.read(path) == Array("1\n2\n3\n".utf8))
        #expect(status().st_mode & 0o7777 == 0o666)
    }

    @Test func givesBackAllButTheEnd() throws {
        let file = CaptureFile(path, endOnly: true, log: .silent)
        var block = [UInt8](repeating: 0, count: 100_000)
        for round in 0..<400 {
            for index in block.indices { block[index] = UInt8(truncatingIfNeeded: round &+ index) | 1 }
            file.append(block.span)
        }
        #expect(status().st_size == 40_000_000, "its size tells how much there was")
        #expect(status().st_blocks * 512 < 8 << 20)
        let end = try SmallFile.read(path).suffix(1 << 20)
        #expect(!end.contains(0))
        #expect(end.suffix(100_000) == block[...])
    }

    @Test func countsWhatItCannotWrite() {
        let lines = Mutex<[String]>([])
        let log = Log { line in lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
        let file = CaptureFile("/dev/full", endOnly: false, log: log)
        file.append([UInt8](repeating: 1, count: 10).span)
        file.append([UInt8](repeating: 1, count: 5).span)
        file.finish()
        #expect(file.lost == 15)
        let said = lines.withLock { $0 }
        #expect(said.count == 2, "once for the trouble and once for the sum")
        #expect(said.first?.contains("write: no space left on device") == true)
        #expect(said.last?.contains("bytes=15") == true)
        let nowhere = CaptureFile("/no/such/file", endOnly: false, log: .silent)
        nowhere.append([UInt8](repeating: 1, count: 7).span)
        #expect(nowhere.lost == 7)
    }

    private var marker: BytePath { path.suffixed(".lost") }

    @Test func marksALossAsSoonAsItHappens() throws {
        let file = CaptureFile("/dev/full", lossMarker: marker, endOnly: false, log: .silent)
        #expect(!AtomicFile.exists(marker))
        file.append([UInt8(1)].span)
        #expect(AtomicFile.exists(marker))
        file.finish()
        #expect(AtomicFile.exists(marker))
        let whole = CaptureFile(path, lossMarker: path.suffixed(".never"), endOnly: false, log: .silent)
        whole.append([UInt8(1)].span)
        whole.finish()
        #expect(!AtomicFile.exists(path.suffixed(".never")))
    }

    @Test(.enabled(if: geteuid() == 0, "needs root to mount a small file system"), arguments: [false, true])
    func isWholeAgainWhereOnlyItsEndCounts(_ endOnly: Bool) throws {
        let small = BytePath(folder.url.appending(path: "small").path)
        try AtomicFile.createDirectory(small)
        try #require(mount("tmpfs", small.text, "tmpfs", 0, "size=3m") == 0)
        defer { umount2(small.text, 2) }
        let (path, filler) = (small.appending("file"), small.appending("filler"))
        let marker = path.suffixed(".lost")
        try SmallFile.write(filler, [UInt8](repeating: 1, count: 3 << 20))
        let file = CaptureFile(path, lossMarker: marker, endOnly: endOnly, log: .silent)
        file.append([UInt8](repeating: 2, count: 300_000).span)
        #expect(file.lost > 0)
        #expect(AtomicFile.exists(marker))
        AtomicFile.remove(filler)
        file.append([UInt8](repeating: 3, count: 1 << 20).span)
        file.finish()
        #expect(AtomicFile.exists(marker) == !endOnly)
        #expect(try SmallFile.read(path).suffix(1 << 20) == [UInt8](repeating: 3, count: 1 << 20)[...])
    }

    /// A full disk need not stay full: what found no room is kept for as long as it is no more than a result can be.
    @Test(.enabled(if: geteuid() == 0, "needs root to mount a small file system"), arguments: [false, true])
    func losesNothingWhereRoomIsFoundInTime(_ isLast: Bool) throws {
        let small = BytePath(folder.url.appending(path: "small").path)
        try AtomicFile.createDirectory(small)
        try #require(mount("tmpfs", small.text, "tmpfs", 0, "size=3m") == 0)
        defer { umount2(small.text, 2) }
        let (path, filler) = (small.appending("file"), small.appending("filler"))
        let file = CaptureFile(path, lossMarker: path.suffixed(".lost"), endOnly: false, log: .silent)
        file.append(Array("one ".utf8).span)
        try SmallFile.write(filler, [UInt8](repeating: 1, count: 2 << 20))
        var rest = 2
        while (try? SmallFile.write(filler.suffixed("\(rest)"), [UInt8](repeating: 1, count: 4096))) != nil { rest += 1 }
        let long = [UInt8](repeating: UInt8(ascii: "2"), count: 200_000)
        file.append(long.span)
        #expect(AtomicFile.exists(path.suffixed(".lost")), "marked meanwhile: the process may be killed")
        AtomicFile.remove(filler)
        if !isLast { file.append(Array(" three".utf8).span) }
        file.finish()
        #expect(file.lost == 0)
        #expect(!AtomicFile.exists(path.suffixed(".lost")))
        #expect(try SmallFile.read(path) == Array("one ".utf8) + long + Array((isLast ? "" : " three").utf8))
    }

    @Test func doesNotFollowALinkOfTheUsers() throws {
        let target = BytePath(folder.url.appending(path: "target").path)
        try SmallFile.write(target, Array("kept".utf8))
        #expect(symlink(target.text, path.text) == 0)
        let file = CaptureFile(path, endOnly: false, log: .silent)
        file.append([UInt8(1)].span)
        #expect(file.lost == 1)
        #expect(try SmallFile.read(target) == Array("kept".utf8))
    }
}

@Suite struct StreamForwarderTests {
    @Test func neverBlocksOnAReaderThatDoesNotRead() throws {
        let pipe = try Pipe()
        let reading = Descriptor(owning: pipe.reading)
        let writing = Descriptor(owning: pipe.writing)
        let forwarder = StreamForwarder(writing.raw)
        let all = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 / 251) }
        forwarder.send(all.span)
        #expect(forwarder.isBlocked)
        forwarder.proceed()
        StreamForwarder.finish([forwarder], until: .max, patience: 1_000_000)
        #expect(forwarder.isBlocked, "given up, not thrown away")

        let received = Monitor<[UInt8]>([])
        let reader = try WorkerThread { [raw = reading.raw] in
            let bytes = (try? DescriptorIO.readAll(raw, subject: "pipe")) ?? []
            received.update { $0 = bytes }
        }
        StreamForwarder.finish([forwarder], until: .max, patience: 20_000_000_000)
        #expect(!forwarder.isBlocked)
        try writing.close("pipe")
        reader.join()
        #expect(received.current == all)
        _ = reading.raw
    }

    @Test func writesFilesAtOnce() throws {
        let folder = try TemporaryFolder()
        let path = BytePath(folder.url.appending(path: "file").path)
        let file = try Descriptor.open(path, O_WRONLY | O_CREAT)
        let forwarder = StreamForwarder(file.raw)
        let all = [UInt8](repeating: 7, count: 5_000_000)
        forwarder.send(all.span)
        #expect(!forwarder.isBlocked)
        #expect(try SmallFile.read(path) == all)
        _ = file.raw
    }

    @Test func throwsAwayWhatNobodyCanRead() throws {
        let file = try Descriptor.open("/dev/null", O_RDONLY)
        let forwarder = StreamForwarder(file.raw)
        forwarder.send([UInt8](repeating: 7, count: 100).span)
        #expect(!forwarder.isBlocked)
        _ = file.raw
    }
}

extension CaptureFile {
    /// A file of the test's own.
    convenience init(_ path: BytePath, lossMarker: BytePath? = nil, endOnly: Bool, log: Log) {
        let loss = lossMarker.map { marker in
            LossMark(make: { try? SmallFile.write(marker, []) }, clear: { AtomicFile.remove(marker) })
        }
        self.init(path, endOnly: endOnly, loss: loss, log: log) { () throws(SystemError) in
            let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOFOLLOW)
            _ = fchmod(file.raw, 0o666)
            return file
        }
    }
}
