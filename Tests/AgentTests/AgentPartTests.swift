import Documents
import Foundation
import SystemSupport
import TestSupport
import Testing

@testable import Agent

@Suite struct PluginTokenTests {
    private let folder: TemporaryFolder
    private let root: BytePath

    init() throws {
        folder = try TemporaryFolder()
        root = BytePath(folder.url.appending(path: "run").path)
    }

    private func mode(_ name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(root.text)/\(name)")
        return try #require(attributes[.posixPermissions] as? Int)
    }

    @Test func makesOneForEachAndKeepsIt() throws {
        let tokens = PluginTokens(in: root)
        try tokens.make(for: ["one", "two"], log: .silent)
        let first = try tokens.token(of: "one").revealText()
        #expect(first.utf8.count == 32)
        #expect(first.utf8.allSatisfy { "bcdfghjklmnpqrstvwxz2456789".utf8.contains($0) })
        #expect(try first != tokens.token(of: "two").revealText())
        let mask = Int(umask(0))
        umask(mode_t(mask))
        #expect(try mode("one") == 0o770 & ~mask)
        #expect(try mode("one/token") == 0o440 & ~mask)
        // The pod's containers are restarted.
        try tokens.make(for: ["one", "three"], log: .silent)
        #expect(try tokens.token(of: "one").revealText() == first)
        #expect(try !tokens.token(of: "three").isEmpty)
    }

    @Test(arguments: ["", ".", "..", "a/b", "/etc"]) func refusesNamesOfOtherPlaces(name: String) throws {
        #expect(throws: ExecutorError.self) { try PluginTokens(in: root).make(for: [name], log: .silent) }
        #expect(throws: ExecutorError.self) { try PluginTokens(in: root).token(of: name) }
    }

    @Test func saysWhichIsMissing() throws {
        try PluginTokens(in: root).make(for: [], log: .silent)
        let error = #expect(throws: ExecutorError.self) { try PluginTokens(in: root).token(of: "p") }
        #expect(error?.message.hasPrefix("read the token of plugin 'p': ") == true)
    }
}

@Suite struct TaskQueueTests {
    private func task(_ name: String) -> AgentTask { AgentTask(nodeID: name, template: [:]) }

    @Test func takesEachNodeOnce() {
        let queue = TaskQueue()
        #expect(queue.offer([task("a"), task("b")]) == 2)
        #expect(queue.offer([task("b"), task("c")]) == 1)
        #expect((1...3).map { _ in queue.take()?.nodeID } == ["a", "b", "c"])
        queue.stop()
        #expect(queue.take() == nil)
    }

    @Test func bringsBackWhatIsPutOff() {
        let queue = TaskQueue()
        queue.requeue(task("late"), after: 40_000_000)
        queue.requeue(task("early"), after: 1_000_000)
        #expect(queue.take()?.nodeID == "early")
        #expect(queue.take()?.nodeID == "late")
    }

    @Test func wakesThoseWhoWait() throws {
        let queue = TaskQueue()
        let taken = Monitor<[String]>([])
        for _ in 0..<4 {
            try WorkerThread {
                while let task = queue.take() { taken.update { $0.append(task.nodeID) } }
                taken.update { $0.append("end") }
            }.detach()
        }
        for index in 0..<3000 { queue.offer([task("\(index)")]) }
        queue.requeue(task("again"), after: 5_000_000)
        let names = taken.wait(atMost: 60_000_000_000) { $0.count == 3001 ? $0 : nil }
        #expect(Set(names ?? []).count == 3001)
        queue.stop()
        #expect(taken.wait(atMost: 60_000_000_000) { $0.filter { $0 == "end" }.count == 4 ? true : nil } == true)
    }
}

@Suite struct ConditionScopeTests {
    @Test(arguments: [
        ("content-type", "Content-Type"), ("X-FOO-bar", "X-Foo-Bar"), ("etag", "Etag"), ("a b", "a b"), ("x--y", "X--Y"),
        ("ü", "ü"),
    ]) func namesHeadersAsGoDoes(name: String, canonical: String) {
        #expect(ConditionScope.canonical(name) == canonical)
    }
}

@Suite struct AnswerRoomTests {
    private func block(_ count: Int) -> [UInt8] { Array(repeating: 0x78, count: count) }

    @Test func takesSmallAnswersWithoutAsking() throws {
        let room = AnswerRoom(stop: StopSwitch())
        let collectors = (0..<16).map { _ in AnswerCollector(limit: 2 << 20, room.share()) }
        for collector in collectors { try collector.write(block(AnswerRoom.small).span) }
        #expect(collectors.allSatisfy { $0.bytes.count == AnswerRoom.small })
    }

    @Test func letsALargeAnswerWaitUntilAnotherIsHandedOver() async throws {
        let room = AnswerRoom(stop: StopSwitch())
        let (first, second) = (room.share(), room.share())
        for share in [first, second] { try AnswerCollector(limit: 2 << 20, share).write(block(1 << 20).span) }
        let isTaken = Monitor(false)
        let large = block(1 << 20)
        try WorkerThread {
            let share = room.share()
            try? AnswerCollector(limit: 2 << 20, share).write(large.span)
            isTaken.update { $0 = true }
            share.end()
        }.detach()
        // It cannot be told that nothing happens; what is told is that the end of another is enough.
        first.end()
        try await happens("the third is taken") { isTaken.current }
        second.end()
    }

    @Test func waitsForNoRoomOnceItIsStopped() throws {
        let stop = StopSwitch()
        let room = AnswerRoom(stop: stop)
        stop.stop()
        for _ in 0..<5 { try AnswerCollector(limit: 2 << 20, room.share()).write(block(1 << 20).span) }
    }

    @Test func refusesWhatIsTooLarge() throws {
        let collector = AnswerCollector(limit: 100, AnswerRoom(stop: StopSwitch()).share())
        try collector.write(block(100).span)
        let error = #expect(throws: OversizedAnswer.self) { try collector.write(block(1).span) }
        #expect(error?.limit == 100)
    }
}
