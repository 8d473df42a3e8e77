import Documents
import SystemSupport
import Testing
import WorkflowEngine
import WorkflowModel

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
    }

    /// Templates t0 to t5: each calls only those after it; the last ones are leaves.
    private func templates(_ generator: inout Generator) -> String {
        var text = ""
        for number in 0..<4 {
            func target() -> String { "t\(Int.random(in: (number + 1)...5, using: &generator))" }
            if Bool.random(using: &generator) {
                text += "- name: t\(number)\n  steps:\n"
                for group in 0..<Int.random(in: 1...3, using: &generator) {
                    let calls = (0..<Int.random(in: 1...3, using: &generator)).map {
                        "{name: s\(group)-\($0), template: \(target())}"
                    }
                    text += "  - [\(calls.joined(separator: ", "))]\n"
                }
            } else {
                text += "- name: t\(number)\n  dag:\n    failFast: \(Bool.random(using: &generator))\n    tasks:\n"
                for task in 0..<Int.random(in: 1...5, using: &generator) {
                    let before = (0..<task).filter { _ in Int.random(in: 0..<3, using: &generator) == 0 }.map { "k\($0)" }
                    text += "    - {name: k\(task), template: \(target()), dependencies: [\(before.joined(separator: ", "))]}\n"
                }
            }
        }
        return text + "- {name: t4, container: {image: i}}\n- {name: t5, suspend: {}}\n"
    }

    @Test(arguments: Array(1...150) as [UInt64])
    func everyRunComesToAnEnd(_ start: UInt64) throws {
        var generator = Generator(state: start)
        let text = workflow(templates(&generator), entrypoint: "t0")
        var play = try Play(text)
        var open: [String] = []
        var pods = 0
        var suspensions = 0
        var failures = 0
        var isInterrupted = false
        for _ in 0..<10_000 {
            open +=
                play.pods[pods...].map(\.nodeName) + play.suspensions[suspensions...].compactMap { play.run.node($0.id)?.name }
            pods = play.pods.count
            suspensions = play.suspensions.count
            if play.end != nil || open.isEmpty { break }
            if !isInterrupted, start % 5 == 0, Int.random(in: 0..<8, using: &generator) == 0 {
                play.interrupt()
                isInterrupted = true
            }
            let name = open.remove(at: Int.random(in: 0..<open.count, using: &generator))
            if play.node(name)?.type == .suspend {
                play.resume(name)
            } else if Int.random(in: 0..<10, using: &generator) == 0 {
                failures += 1
                try play.finish(name, .failed, "main: Error (exit code 1)", exitCode: 1)
            } else {
                try play.finish(name)
            }
        }
        let end = try #require(play.end, "\(text)\n\(play.phases)")
        #expect(end.phase == (failures > 0 || isInterrupted ? .failed : .succeeded), "\(text)")
        let ids = Set(play.run.allNodes.map(\.id))
        #expect(ids.count == play.run.allNodes.count)
        for node in play.run.allNodes {
            #expect(node.phase.isFulfilled, "\(node.name)")
            #expect(node.finishedAt != nil)
            #expect(node.children.allSatisfy(ids.contains) && Set(node.children).count == node.children.count)
            #expect(node.boundaryID.isEmpty ? node.id == "wf" : ids.contains(node.boundaryID))
            #expect(node.id == NodeNames.nodeID(workflow: "wf", nodeName: node.name))
        }
        // Every node but the root hangs on another one.
        let attached = Set(play.run.allNodes.flatMap(\.children))
        #expect(ids.subtracting(attached) == ["wf"])
        #expect(Set(play.pods.map(\.nodeID)).count == play.pods.count)
    }
}
