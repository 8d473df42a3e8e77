import Documents
import SystemSupport
import Testing
import WorkflowEngine
import WorkflowModel
import WorkflowPlanning

/// Random workflows whose pods end in random order and fail now and then: whatever happens, the run comes to an end that makes
/// sense.
@Suite struct RandomRunTests {
    /// A small generator with a fixed start (SplitMix64), so that a failure comes back.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }

        mutating func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &self) == 0 }
        mutating func one(of texts: [String]) -> String { texts[Int.random(in: texts.indices, using: &self)] }
    }

    /// Templates t0 to t5: each calls only those after it; the last ones are leaves.
    ///
    /// - Parameter isRich: with loops, conditions, retries, hooks, limits and locks; else steps and tasks alone.
    private func templates(_ generator: inout Generator, isRich: Bool) -> String {
        var text = ""
        for number in 0..<4 {
            func target() -> String { "t\(Int.random(in: (number + 1)...5, using: &generator))" }
            let options = isRich ? self.options(&generator) : ""
            if Bool.random(using: &generator) {
                text += "- name: t\(number)\n\(options)  steps:\n"
                for group in 0..<Int.random(in: 1...3, using: &generator) {
                    let calls = (0..<Int.random(in: 1...3, using: &generator)).map { step in
                        "{name: s\(group)-\(step), template: \(target())\(isRich ? more(&generator) : "")}"
                    }
                    text += "  - [\(calls.joined(separator: ", "))]\n"
                }
            } else {
                text += "- name: t\(number)\n\(options)  dag:\n    failFast: \(Bool.random(using: &generator))\n    tasks:\n"
                for task in 0..<Int.random(in: 1...5, using: &generator) {
                    let before = (0..<task).filter { _ in generator.chance(3) }.map { "k\($0)" }
                    let depends = before.map {
                        isRich ? $0 + generator.one(of: ["", "", ".Succeeded", ".Failed", ".Skipped"]) : $0
                    }
                    let joined = depends.joined(separator: isRich ? generator.one(of: [" && ", " || "]) : " && ")
                    text +=
                        "    - {name: k\(task), template: \(target()), depends: \"\(joined)\"\(isRich ? more(&generator) : "")}\n"
                }
            }
        }
        let options = isRich ? self.options(&generator) : ""
        return text
            + "- name: t4\n\(options)  container: {image: i}\n- {name: t5, suspend: {}}\n- {name: t6, container: {image: i}}\n"
    }

    private func options(_ generator: inout Generator) -> String {
        var text = ""
        if generator.chance(5) {
            text +=
                "  retryStrategy: {limit: \(Int.random(in: 0...2, using: &generator))\(generator.one(of: ["", ", retryPolicy: Always", ", backoff: {duration: 5s, factor: 2}"]))}\n"
        }
        if generator.chance(5) { text += "  parallelism: \(Int.random(in: 1...3, using: &generator))\n" }
        if generator.chance(6) { text += "  failFast: true\n" }
        if generator.chance(5) { text += "  synchronization: {mutex: {name: \(generator.one(of: ["m", "n"]))}}\n" }
        return text
    }

    private func more(_ generator: inout Generator) -> String {
        var text = ""
        if generator.chance(5) { text += ", withItems: [a, b, {c: d}]" }
        if generator.chance(6) { text += ", when: \"\(generator.one(of: ["1 == 2", "x == x", "{{workflow.name}} == wf"]))\"" }
        if generator.chance(5) { text += ", continueOn: {failed: true}" }
        if generator.chance(7) { text += ", onExit: t6" }
        return text
    }

    @Test(arguments: Array(1...150) as [UInt64])
    func everyRunComesToAnEnd(_ start: UInt64) throws { try play(start, isRich: false) }

    @Test(arguments: Array(1001...1400) as [UInt64])
    func everyRunOfTheWholeLanguageComesToAnEnd(_ start: UInt64) throws { try play(start, isRich: true) }

    private func play(_ start: UInt64, isRich: Bool) throws {
        var generator = Generator(state: start)
        var spec = ""
        if isRich, generator.chance(3) { spec += "onExit: t6\n" }
        if isRich, generator.chance(4) { spec += "parallelism: \(Int.random(in: 1...4, using: &generator))\n" }
        let text = workflow(templates(&generator, isRich: isRich), entrypoint: "t0", spec: spec)
        var play = try Play(text)
        var open: [String] = []
        var pods = 0
        var suspensions = 0
        var failures = 0
        var isInterrupted = false
        for _ in 0..<20_000 {
            open +=
                play.pods[pods...].map(\.nodeName) + play.suspensions[suspensions...].compactMap { play.run.node($0.id)?.name }
            pods = play.pods.count
            suspensions = play.suspensions.count
            if play.end != nil { break }
            if open.isEmpty, !play.wakes.isEmpty {
                play.wake()
                continue
            }
            if open.isEmpty { break }
            if !isInterrupted, start % 5 == 0, generator.chance(8) {
                play.interrupt()
                isInterrupted = true
            }
            let name = open.remove(at: Int.random(in: 0..<open.count, using: &generator))
            if play.node(name)?.type == .suspend {
                play.resume(name)
            } else if generator.chance(10) {
                failures += 1
                try play.finish(name, .failed, "main: Error (exit code 1)", exitCode: 1)
            } else {
                try play.finish(name)
            }
            checkLocks(play, text)
        }
        let end = try #require(play.end, "\(text)\n\(play.phases)")
        if !isRich { #expect(end.phase == (failures > 0 || isInterrupted ? .failed : .succeeded), "\(text)") }
        check(play, text)
    }

    /// No lock is held by two pods.
    private func checkLocks(_ play: Play, _ text: String) {
        var holders: [String: [String]] = [:]
        for node in play.run.allNodes where node.type == .pod && !node.phase.isFulfilled && node.awaitedLock.isEmpty {
            guard let template = play.pod(node.name)?.template, node.flag?.isRetried != true,
                let mutex = template["synchronization"]?["mutex"]?["name"]?.string
            else { continue }
            holders[mutex, default: []].append(node.name)
        }
        for (lock, names) in holders { #expect(names.count == 1, "\(lock): \(names)\n\(text)") }
    }

    private func check(_ play: Play, _ text: String) {
        let ids = Set(play.run.allNodes.map(\.id))
        #expect(ids.count == play.run.allNodes.count)
        for node in play.run.allNodes {
            #expect(node.phase.isFulfilled, "\(node.name)\n\(text)")
            #expect(node.finishedAt != nil)
            #expect(node.children.allSatisfy(ids.contains) && Set(node.children).count == node.children.count)
            #expect(node.boundaryID.isEmpty ? !node.name.contains("[") : ids.contains(node.boundaryID))
            #expect(node.id == NodeNames.nodeID(workflow: "wf", nodeName: node.name))
        }
        // Every node but the root and the workflow's exit handler hangs on another one.
        let attached = Set(play.run.allNodes.flatMap(\.children))
        let free = Set(["wf", NodeNames.nodeID(workflow: "wf", nodeName: "wf.onExit")])
        let loose = ids.subtracting(attached).subtracting(free)
        #expect(loose.isEmpty, "\(loose.compactMap { play.run.node($0)?.name })\n\(text)")
        // No node is run twice.
        #expect(Set(play.pods.map(\.nodeID)).count == play.pods.count)
    }
}
