import ArtifactRegistry
import Artifacts
import Documents
import Glibc
import HTTPTransport
import KubernetesAPI
import ProcessControl
import RunDirectory
import SystemSupport
import TestSupport
import Testing
import WorkflowModel

@testable import Executor

/// Where outputs and logs go.
let archiveLocation = #""archiveLocation": {"archiveLogs": true, "s3": {"endpoint": "e", "bucket": "bucket", "key": "step"}}"#

@Suite struct WaitRunTests {
    private func withArtifact() throws -> StepUnderTest {
        let step = try StepUnderTest(
            #"{"container": {"image": "x"}, "outputs": {"artifacts": [{"name": "o", "path": "/tmp/o", "archive": {"none": {}}}]}, \#(archiveLocation)}"#
        )
        try step.leave("combined", "said\n")
        try step.handOver("o", "precious")
        try step.leave("exitcode", "0")
        return step
    }

    /// Only the report needs the API server: what the step has made is stored while that is away.
    @Test func storesOutputsWhileTheAPIServerIsAway() throws {
        let step = try withArtifact()
        let reports = ReportedResult(isAway: true)
        let waiting = Monitor((any Error)??.none)
        try WorkerThread {
            let error: (any Error)?
            do {
                try step.wait(reports)
                error = nil
            } catch let failure { error = failure }
            waiting.update { $0 = .some(error) }
        }.detach()
        try eventually("the outputs are stored") { step.stored("step/o") == "precious" && step.stored("step/main.log") != nil }
        #expect(waiting.current == nil, "it still has to report")
        #expect(reports.state.current.outputs == nil)
        reports.state.update { $0.isAway = false }
        let ended = waiting.wait(atMost: 60_000_000_000) { $0.map { _ in true } } ?? false
        try #require(ended)
        #expect(waiting.current.flatMap { $0 } == nil)
        #expect(reports.state.current.isComplete)
        #expect(reports.state.current.outputs?.artifacts.map(\.name) == ["o", "main-logs"])
        // The controller holds the node back from the first moment on: nothing was said before the task result was there.
        let calls = reports.state.current.calls
        #expect(calls.drop { $0 == "create" } == ["finalize"])
    }

    @Test func reportsAtOnceWhereTheAPIServerAnswers() throws {
        let step = try withArtifact()
        let reports = ReportedResult()
        try step.wait(reports)
        #expect(reports.state.current.calls == ["create", "finalize"])
        #expect(step.stored("step/main.log") == "said\n")
        #expect(step.log.text.contains("exitCode=0"))
        #expect(step.log.text.contains("outputs reported"))
    }
}

/// What the emissary could not keep is no output, be there ever so much of it.
@Suite struct LostOutputTests {
    private func step() throws -> StepUnderTest {
        let step = try StepUnderTest(
            #"{"script": {"image": "x", "source": "x"}, \#(archiveLocation)}"#, ["ARGO_INCLUDE_SCRIPT_OUTPUT": "true"])
        try step.leave("stdout", "half")
        try step.leave("combined", "half of the log")
        try step.leave("exitcode", "0")
        return step
    }

    @Test func isNoResult() throws {
        let step = try step()
        try step.leave("stdout.lost", "")
        let reports = ReportedResult()
        let error = #expect(throws: ExecutorError.self) { try step.wait(reports) }
        #expect(error?.message.contains("capture the result: ") == true)
        #expect(error?.message.contains("output was lost") == true)
        #expect(reports.state.current.outputs?.result == nil)
        // The log is another matter.
        #expect(step.stored("step/main.log") == "half of the log")
        #expect(reports.state.current.isComplete)
    }

    @Test func isNoLog() throws {
        let step = try step()
        try step.leave("combined.lost", "")
        let reports = ReportedResult()
        let error = #expect(throws: ExecutorError.self) { try step.wait(reports) }
        #expect(error?.message.contains("save the log of container 'main': ") == true)
        #expect(error?.message.contains("output was lost") == true)
        #expect(step.stored("step/main.log") == nil)
        #expect(reports.state.current.outputs?.artifacts.isEmpty == true)
        #expect(reports.state.current.outputs?.result == "half")
    }

    @Test func isOnlyWhatIsMarkedSo() throws {
        let step = try step()
        let reports = ReportedResult()
        try step.wait(reports)
        #expect(reports.state.current.outputs?.result == "half")
        #expect(step.stored("step/main.log") == "half of the log")
    }
}

@Suite struct MissingOutputTests {
    @Test func namesTheParameterAndItsPath() throws {
        let step = try StepUnderTest(
            """
            {"container": {"image": "x", "volumeMounts": [{"name": "v", "mountPath": "/vol"}]}, "outputs": {"parameters": [
              {"name": "score", "valueFrom": {"path": "/tmp/deep/score"}}, {"name": "there", "valueFrom": {"path": "/tmp/there"}},
              {"name": "mounted", "valueFrom": {"path": "/vol/none"}},
              {"name": "given", "valueFrom": {"path": "/tmp/none", "default": "7"}}]}}
            """)
        let place = step.directory.parameterHandOver("/tmp/there")
        try AtomicFile.createDirectory(place.directory)
        try SmallFile.write(place, Array("1\n".utf8))
        try AtomicFile.createDirectory(step.settings.paths.mirror)
        try step.leave("exitcode", "0")
        let reports = ReportedResult()
        let error = #expect(throws: ExecutorError.self) { try step.wait(reports) }
        #expect(
            error?.message
                == "save output parameter 'score': open /tmp/deep/score: no such file or directory; "
                + "save output parameter 'mounted': open /vol/none: no such file or directory")
        let values = reports.state.current.outputs?.parameters.map { $0.value }
        #expect(values == [nil, "1", nil, "7"])
    }

    /// A default is for what is not there.
    @Test func noDefaultTakesThePlaceOfAParameterThatIsTooLarge() throws {
        let step = try StepUnderTest(
            """
            {"container": {"image": "x", "volumeMounts": [{"name": "v", "mountPath": "/vol"}]}, "outputs": {"parameters": [
              {"name": "large", "valueFrom": {"path": "/tmp/large", "default": "7"}},
              {"name": "mounted", "valueFrom": {"path": "/vol/large", "default": "7"}},
              {"name": "fits", "valueFrom": {"path": "/tmp/fits", "default": "7"}},
              {"name": "folder", "valueFrom": {"path": "/vol", "default": "7"}}]}}
            """)
        let limit = RunDirectory.parameterLimit
        try AtomicFile.createDirectory(step.directory.parameterHandOver("/tmp/large").directory)
        try AtomicFile.createDirectory(step.settings.paths.mirror.appending("vol"))
        let large = [UInt8](repeating: UInt8(ascii: "x"), count: limit + 1)
        try SmallFile.write(step.directory.parameterHandOver("/tmp/large"), large)
        try SmallFile.write(step.settings.paths.mirror.appending("vol/large"), large)
        try SmallFile.write(step.directory.parameterHandOver("/tmp/fits"), Array(large.dropLast()))
        try step.leave("exitcode", "0")
        let reports = ReportedResult()
        let error = #expect(throws: ExecutorError.self) { try step.wait(reports) }
        #expect(
            error?.message
                == "save output parameter 'large': read /tmp/large: larger than the limit of 3145728 bytes; "
                + "save output parameter 'mounted': read /vol/large: larger than the limit of 3145728 bytes")
        let values = reports.state.current.outputs?.parameters.map { $0.value }
        #expect(values?.map { $0?.utf8.count } == [nil, nil, limit, 1])
    }

    @Test func namesTheArtifactAndItsPath() throws {
        let step = try StepUnderTest(
            #"{"container": {"image": "x"}, "outputs": {"artifacts": [{"name": "model", "path": "/tmp/model"}]}, \#(archiveLocation)}"#
        )
        try step.leave("combined", "")
        try step.leave("exitcode", "0")
        let error = #expect(throws: ExecutorError.self) { try step.wait(ReportedResult()) }
        #expect(error?.message == "save artifact 'model': find /tmp/model: no such file or directory")
    }
}
