import Foundation
import ProcessControl
import RunDirectory
import SystemSupport
import TestSupport
import Testing

@testable import Executor

/// What `wait` sees of the rest of its pod.
@Suite struct PodMonitorTests {
    private let pair = #"{"containerSet": {"containers": [{"name": "main", "image": "x"}, {"name": "other", "image": "x"}]}}"#

    private func observed(
        _ step: StepUnderTest, onInterruption: @escaping @Sendable (String) -> Void = { _ in },
        _ body: (PodMonitor) throws -> Void
    ) throws {
        let monitor = try PodMonitor(step.context, signals: try SignalDescriptor([]), onInterruption: onInterruption)
        try monitor.start()
        defer { monitor.end() }
        try body(monitor)
    }

    private func end(_ monitor: PodMonitor) -> PodMonitor.Observation? {
        monitor.observation.wait(atMost: 60_000_000_000) { $0.isOver ? $0 : nil }
    }

    @Test func isOverWhenAllMainContainersHaveEnded() throws {
        let step = try StepUnderTest(pair)
        try observed(step) { monitor in
            try step.leave("exitcode", "0")
            #expect(monitor.observation.wait(atMost: 200_000_000) { $0.isOver ? true : nil } == nil)
            try step.directory.container("other").create()
            try step.leave("exitcode", in: "other", "3")
            let observation = try #require(end(monitor))
            #expect(observation.failure == nil && !observation.isTerminated)
        }
    }

    /// Its emissary is gone and cannot say how the container ended.
    @Test func givesAContainerWhoseEmissaryWasKilledItsExitCode() throws {
        let step = try StepUnderTest(#"{"container": {"image": "x"}}"#)
        do { _ = try LifeLock(of: step.directory.container("main")) }
        try observed(step) { monitor in
            #expect(end(monitor) != nil)
            #expect(step.directory.container("main").readExitCode() == 137)
        }
        #expect(step.log.text.contains("the container's emissary was killed"))
    }

    @Test func endsAStepThatExceedsItsDeadline() throws {
        let step = try StepUnderTest(#"{"container": {"image": "x"}}"#, ["ARGO_DEADLINE": "2020-01-01T00:00:00Z"])
        let reasons = Monitor<[String]>([])
        try observed(step, onInterruption: { reason in reasons.update { $0.append(reason) } }) { monitor in
            let file = step.directory.container("main").signal
            try eventually("the emissary is asked to end its process") { (try? SmallFile.read(file)) == Array("15".utf8) }
            #expect(!monitor.observation.current.isOver)
            try step.leave("exitcode", "143")
            #expect(end(monitor) != nil)
        }
        #expect(reasons.current == ["Step exceeded its deadline"])
        #expect(try String(decoding: SmallFile.read(step.settings.paths.terminationLog), as: UTF8.self) == reasons.current[0])
    }

    @Test func keepsTheLastProgressThatIsValid() throws {
        let folder = try TemporaryFolder()
        let file = BytePath(folder.url.appending(path: "progress").path)
        let step = try StepUnderTest(
            #"{"container": {"image": "x"}}"#,
            [
                "ARGO_PROGRESS_FILE": file.text, "ARGO_PROGRESS_PATCH_TICK_DURATION": "1m",
                "ARGO_PROGRESS_FILE_TICK_DURATION": "3s",
            ])
        try observed(step) { monitor in
            func seen(_ line: String) -> Bool {
                monitor.observation.wait(atMost: 60_000_000_000) { $0.progress == line ? true : nil } ?? false
            }
            try SmallFile.write(file, Array("1/4\n3/4\n".utf8))
            #expect(seen("3/4"))
            try SmallFile.write(file, Array("1/4\n3/4\nmuch\n".utf8))
            try SmallFile.write(file, Array("1/4\n3/4\nmuch\n4/4\n".utf8))
            #expect(seen("4/4"))
        }
    }
}
