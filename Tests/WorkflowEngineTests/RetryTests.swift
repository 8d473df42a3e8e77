import Documents
import SystemSupport
import Testing
import WorkflowEngine
import WorkflowFiles
import WorkflowPlanning

/// Trying again.
@Suite struct RetryTests {
    private func play(
        _ strategy: String,
        template: String =
            "container: {image: i, command: [echo], args: [\"{{retries}} {{lastRetry.exitCode}} {{lastRetry.status}} {{pod.name}}\"]}"
    ) throws -> Play {
        try Play(workflow("- name: main\n  retryStrategy: \(strategy)\n  \(template)"))
    }

    @Test func anAttemptThatSucceedsEndsIt() throws {
        var play = try play("{limit: \"3\"}")
        #expect(play.types == ["wf": "Retry", "wf(0)": "Pod"])
        #expect(play.arguments("wf(0)") == ["0 0  wf-main-\(NodeNames.hash("wf(0)"))"])
        try play.finish("wf(0)", .failed, "main: Error (exit code 7)", exitCode: 7)
        #expect(play.arguments("wf(1)")?.first?.hasPrefix("1 7 Failed wf-main-") == true)
        try play.finish("wf(1)", outputs: ["result": "r"])
        #expect(play.end?.phase == .succeeded)
        #expect(play.node("wf")?.outputs?["result"] == "r")
        #expect(play.children("wf") == ["wf(0)", "wf(1)"])
        #expect(play.node("wf(1)")?.document["nodeFlag"] == ["retried": true])
    }

    @Test func theLimitEndsIt() throws {
        var play = try play("{limit: 1}")
        try play.finish("wf(0)", .failed, "no", exitCode: 1)
        try play.finish("wf(1)", .failed, "no", exitCode: 1)
        #expect(play.end?.phase == .failed && play.end?.message == "No more retries left")
    }

    @Test func anEmptyStrategyNeverGivesUp() throws {
        var play = try play("{}")
        for number in 0..<50 { try play.finish("wf(\(number))", .failed, "no", exitCode: 1) }
        #expect(play.end == nil)
        try play.finish("wf(50)")
        #expect(play.end?.phase == .succeeded)
    }

    @Test(arguments: [
        ("{limit: 9}", NodePhase.failed, true), ("{limit: 9}", .error, false),
        ("{limit: 9, retryPolicy: OnError}", .failed, false), ("{limit: 9, retryPolicy: OnError}", .error, true),
        ("{limit: 9, retryPolicy: Always}", .error, true), ("{limit: 9, retryPolicy: OnTransientError}", .failed, false),
        ("{limit: 9, expression: \"lastRetry.exitCode == '1'\"}", .error, true),
        ("{limit: 9, expression: \"asInt(lastRetry.exitCode) > 1\"}", .failed, false),
    ])
    func policies(_ strategy: String, _ phase: NodePhase, _ isRepeated: Bool) throws {
        var play = try play(strategy)
        try play.finish("wf(0)", phase, "it is broken", exitCode: 1)
        #expect((play.pod("wf(1)") != nil) == isRepeated)
        if !isRepeated { #expect(play.node("wf")?.phase == phase) }
    }

    @Test func backoffWaitsLongerEachTime() throws {
        var play = try play("{limit: 5, backoff: {duration: 10s, factor: 3, cap: 1m}}")
        var waits: [Int64] = []
        for number in 0..<4 {
            try play.finish("wf(\(number))", .failed, "no", exitCode: 1)
            #expect(play.pod("wf(\(number + 1))") == nil)
            let wake = try #require(play.wakes.min())
            waits.append(wake.seconds - play.now.seconds)
            play.wake()
        }
        #expect(waits == [10, 30, 60, 60])
        #expect(play.pod("wf(4)") != nil)
    }

    @Test func backoffEndsWithItsLongestTime() throws {
        var play = try play("{limit: 5, backoff: {duration: \"20\", maxDuration: 15s}}")
        try play.finish("wf(0)", .failed, "no", exitCode: 1)
        #expect(play.node("wf")?.message == "Backoff would exceed max duration limit")
        #expect(play.end?.phase == .failed)
    }

    @Test func stepsMayBeTriedAgainAsAWhole() throws {
        var play = try Play(
            workflow(
                "- name: main\n  retryStrategy: {limit: 1}\n  steps: [[{name: a, template: leaf}]]\n- {name: leaf, container: {image: i}}"
            ))
        try play.finish("wf(0)[0].a", .failed, exitCode: 1)
        #expect(play.types["wf(0)"] == "Steps" && play.phases["wf(0)"] == "Failed")
        try play.finish("wf(1)[0].a")
        #expect(play.end?.phase == .succeeded)
    }

    @Test func anInterruptionEndsTheAttempts() throws {
        var play = try play("{}")
        play.interrupt()
        try play.finish("wf(0)", .failed, exitCode: 143)
        #expect(play.end?.phase == .failed && play.pods.count == 1)
    }
}
