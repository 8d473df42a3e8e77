import Foundation
import Glibc
import ProcessControl
import RunDirectory
import SystemSupport
import TestSupport
import Testing

@Suite("Traces of an emissary", .requires(.collector))
struct EmissaryTraceTests {
    private let trace = "589f16e6cd8473008a4a5d8a55eda46d"
    private let parent = "68fc4781cdc0321c"
    let collector: Collector

    init() async throws { collector = try await Collector.shared() }

    private func emissary(_ variables: [String: String] = [:]) throws -> EmissaryUnderTest {
        let emissary = try EmissaryUnderTest()
        emissary.variables = [
            "TRACEPARENT": "00-\(trace)-\(parent)-01", "TRACESTATE": "workflow=argo/x", "ARGO_WORKFLOW_NAME": "wf",
            "POD_NAMESPACE": "argo",
        ].merging(variables) { $1 }
        return emissary
    }

    private func context(of result: Subprocess.Result) -> [Substring] {
        String(decoding: result.output, as: UTF8.self).split(separator: "\n").first?.split(separator: "-") ?? []
    }

    private let printContext = "echo $TRACEPARENT; echo $TRACESTATE"

    /// The way of a pod: the executor collects the span, and the emissary speaks to nobody.
    @Test func handsItsSpanOverBeforeItsExitCode() throws {
        let emissary = try emissary()
        try emissary.runDirectory.announceTracing()
        let result = try emissary.run(shell: printContext + "; exit 3")
        let words = context(of: result)
        #expect(result.status == .exited(3))
        #expect(words.count == 4 && words[1] == trace[...] && words[2] != parent[...] && words[3] == "01")
        #expect(String(decoding: result.output, as: UTF8.self).hasSuffix("\nworkflow=argo/x\n"))
        let line = try emissary.text(emissary.container.path.appending("span"))
        #expect(line.hasPrefix("00-\(trace)-\(words[2])-01 \(parent) "))
        #expect(line.hasSuffix(" 3"))
    }

    @Test func handsTheContextOnUnchangedWhereNothingIsRecorded() throws {
        let plain = try emissary()
        #expect(context(of: try plain.run(shell: printContext)).joined(separator: "-") == "00-\(trace)-\(parent)-01")
        #expect(!plain.container.exists(plain.container.path.appending("span")))
        let unsampled = try emissary(collector.variables.merging(["TRACEPARENT": "00-\(trace)-\(parent)-00"]) { $1 })
        #expect(context(of: try unsampled.run(shell: printContext)).joined(separator: "-") == "00-\(trace)-\(parent)-00")
        let disabled = try emissary(collector.variables.merging(["OTEL_SDK_DISABLED": "true"]) { $1 })
        #expect(context(of: try disabled.run(shell: printContext)).joined(separator: "-") == "00-\(trace)-\(parent)-01")
    }

    @Test(arguments: [true, false]) func sendsItsSpanItselfWhereNoExecutorCollectsIt(_ usesGRPC: Bool) async throws {
        let emissary = try emissary(usesGRPC ? collector.variables : collector.httpVariables)
        emissary.variables["OTEL_SERVICE_NAME"] = "the-users-own"
        let result = try emissary.run(shell: printContext + "; exit 3")
        #expect(result.status == .exited(3))
        let request = try #require(try await collector.requests().first)
        #expect(request.resource["service.name"] == "argoexec")
        #expect(request.resource["k8s.container.name"] == "main")
        let span = try #require(request.spans.first)
        #expect(request.spans.count == 1)
        #expect(span.name == "runMainContainer" && span.traceId == trace && span.parentSpanId == parent)
        #expect(span.spanId == String(context(of: result)[2]) && span.traceState == "workflow=argo/x")
        #expect(
            span.attributes["name"] == "wf" && span.attributes["namespace"] == "argo" && span.attributes["exit_code"] == 3)
        #expect(span.status == 2)
    }

    @Test func sendsTheSpanOfASidecarItself() async throws {
        let emissary = try EmissaryUnderTest(template: #"{"sidecars":[{"name":"side","image":"x"}],"container":{"image":"x"}}"#)
        emissary.containerName = "side"
        emissary.variables = collector.variables
        try emissary.runDirectory.announceTracing()
        try emissary.runDirectory.container("main").create()
        try emissary.runDirectory.container("main").writeExitCode(0)
        _ = try emissary.run(shell: "exec sleep 60")
        #expect(try await collector.spans().map(\.name) == ["runMainContainer"])
    }

    /// Nobody who waits for the command waits for a collector: the exit code is there before the request comes, and the process ends
    /// while the collector still holds it.
    @Test(arguments: [true, false]) func waitsForNoCollector(_ usesGRPC: Bool) async throws {
        try await collector.answer(.hang)
        let emissary = try emissary(usesGRPC ? collector.variables : collector.httpVariables)
        let result = try emissary.run(shell: "exit 7")
        #expect(result.status == .exited(7))
        #expect(emissary.recordedCode == "7")
        let end = ContinuousClock.now + .seconds(300)
        var request = try #require(try await collector.requests().first)
        while request.headers[":abandoned"] == nil, ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(5))
            request = try #require(try await collector.requests().first)
        }
        #expect(request.answer == .hang && request.headers[":abandoned"] == "true", "\(request)")
        let file = try FileManager.default.attributesOfItem(atPath: emissary.container.exitCode.text)
        let written = try #require(file[.modificationDate] as? Date).timeIntervalSince1970
        #expect(written <= (Double(request.headers[":arrived"] ?? "") ?? 0) / 1e9)
    }

    @Test func isNoWorseForACollectorThatIsAway() throws {
        let (descriptor, port) = try Loopback.listen()
        Glibc.close(descriptor)
        for variables in [collector.variables, collector.httpVariables] {
            let emissary = try emissary(variables.merging(["OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:\(port)"]) { $1 })
            let result = try emissary.run(shell: "exit 7")
            #expect(result.status == .exited(7))
            #expect(emissary.recordedCode == "7")
            #expect(emissary.terminationMessage == nil)
            #expect(String(decoding: result.error, as: UTF8.self).contains("traces are not exported"))
        }
    }

    /// Contract 01 §5.2: a protocol that is none ends the process with 1. Nobody waits for ever all the same.
    @Test func refusesAnUnknownProtocol() throws {
        let emissary = try emissary(["OTEL_EXPORTER_OTLP_ENDPOINT": "", "OTEL_EXPORTER_OTLP_PROTOCOL": "thrift"])
        let result = try emissary.run(shell: "echo started")
        #expect(result.status == .exited(1))
        #expect(result.output == [])
        #expect(emissary.recordedCode == "1")
        #expect(emissary.terminationMessage?.contains("\"thrift\" is neither grpc nor http/protobuf") == true)
        emissary.variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = nil
        #expect(try emissary.run(shell: "echo started").status == .exited(0))
    }

    @Test func tellsOfAFailureOfItsOwn() throws {
        let emissary = try emissary()
        try emissary.runDirectory.announceTracing()
        #expect(try emissary.run(["/nonexistent/program"]).status == .exited(64))
        #expect(try emissary.text(emissary.container.path.appending("span")).contains(" 64 failed to find name in PATH"))
    }
}
