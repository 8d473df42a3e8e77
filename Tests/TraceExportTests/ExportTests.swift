import Foundation
import HTTPTransport
import SystemSupport
import TestSupport
import Testing
import Tracing

@testable import TraceExport

/// Over which of the collector's four doors.
enum Door: CaseIterable {
    case grpc, grpcs, http, https

    func variables(_ collector: Collector) -> [String: String] {
        var variables = self == .http || self == .https ? collector.httpVariables : collector.variables
        switch self {
        case .grpc, .http: break
        case .grpcs: variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.grpcs
        case .https: variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.https
        }
        if self == .grpcs || self == .https { variables["OTEL_EXPORTER_OTLP_CERTIFICATE"] = collector.authority }
        return variables
    }
}

@Suite("Export of traces", .requires(.collector))
struct ExportTests {
    let collector: Collector
    private let lines = Monitor<[String]>([])

    init() async throws { collector = try await Collector.shared() }

    private func queue(_ variables: [String: String], _ more: [String: String] = [:]) throws -> SpanQueue {
        let log = Log(sink: { [lines] line in lines.update { $0.append(String(decoding: line, as: UTF8.self)) } })
        let settings = try TraceSettings(
            Environment(variables.merging(more) { $1 }), trust: .system(file: "/dev/null", directories: "/nonexistent"),
            proxy: .none, log: log)
        return SpanQueue(settings, resource: [.text("service.name", "argoexec")], userAgent: "argoexec-test", log: log)
    }

    private func send(_ spans: [String], _ queue: SpanQueue, within seconds: Int64 = 30) throws -> Bool {
        let tracer = Tracer { queue.add($0) }
        for name in spans { tracer.begin(name, parent: nil)?.end() }
        return queue.finish(within: seconds * 1_000_000_000)
    }

    @Test(arguments: Door.allCases) func sendsAllOfASpan(_ door: Door) async throws {
        let queue = try queue(door.variables(collector))
        let parent = try #require(
            SpanContext(traceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", traceState: "a=b"))
        let tracer = Tracer { queue.add($0) }
        let root = try #require(tracer.begin("root", parent: parent, [.text("name", "wörkflow"), .text("empty", "")]))
        root.set(.integer("number", -1))
        root.set(.integer("zero", 0))
        root.note("upload artifact", [.text("file", "x")])
        root.fail("it broke")
        root.begin("inner", kind: .client).end()
        root.end()
        #expect(queue.finish(within: 30_000_000_000))

        let request = try #require(try await collector.requests().first)
        #expect(request.transport == (door == .grpc || door == .grpcs ? "grpc" : "http"))
        #expect(request.resource == ["service.name": "argoexec"])
        #expect(request.headers["user-agent"]?.contains("argoexec-test") == true)
        #expect(request.spans.map(\.name) == ["inner", "root"])
        let (inner, span) = (request.spans[0], request.spans[1])
        #expect(span.traceId == parent.traceID.text && span.parentSpanId == parent.spanID.text && span.traceState == "a=b")
        #expect(span.spanId == root.context.spanID.text && span.kind == 1 && span.flags == 0x301 && span.scope == "argoexec")
        #expect(span.attributes["name"] == "wörkflow" && span.attributes["empty"] == "")
        #expect("\(span.attributes["number"]!)" == "-1" && "\(span.attributes["zero"]!)" == "0")
        #expect(span.status == 2 && span.statusMessage == "it broke")
        #expect(span.events.map(\.name) == ["upload artifact"] && span.events[0].attributes == ["file": "x"])
        #expect(inner.parentSpanId == span.spanId && inner.traceId == span.traceId && inner.kind == 3 && inner.flags == 0x101)
        let (start, end) = (try #require(UInt64(span.start)), try #require(UInt64(span.end)))
        #expect(start <= end && end <= wallClockNanoseconds())
        #expect(lines.current.isEmpty)
    }

    @Test(arguments: Door.allCases) func compressesWhereAskedTo(_ door: Door) async throws {
        let queue = try queue(door.variables(collector), ["OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"])
        #expect(try send((0..<50).map { "span \($0)" }, queue))
        let request = try #require(try await collector.requests().first)
        #expect(request.spans.count == 50)
        if request.transport == "http" { #expect(request.headers["content-encoding"] == "gzip") }
        #expect(lines.current.isEmpty)
    }

    @Test(arguments: [Door.grpc, .http]) func triesAgainWhereTheCollectorIsBusyOrAsksForIt(_ door: Door) async throws {
        try await collector.answer(.busy, .later, .busy, .ok)
        #expect(try send(["span"], try queue(door.variables(collector))))
        #expect(try await collector.requests().map(\.answer) == [.busy, .later, .busy, .ok])
        #expect(lines.current.isEmpty)
    }

    @Test(arguments: [Door.grpc, .http]) func doesNotWaitLongerThanThereIsTime(_ door: Door) async throws {
        try await collector.answer(.muchLater)
        #expect(try send(["span"], try queue(door.variables(collector))))
        #expect(try await collector.requests().map(\.answer) == [.muchLater])
        #expect(lines.current.count == 1 && lines.current[0].contains("traces are not exported"))
    }

    @Test(arguments: [Door.grpc, .http]) func givesUpWhatIsRefusedForGood(_ door: Door) async throws {
        try await collector.answer(.refuse)
        #expect(try send(["span"], try queue(door.variables(collector))))
        #expect(try await collector.requests().count == 1)
        #expect(lines.current.count == 1)
        #expect(
            lines.current[0].contains(door == .grpc ? "scripted: 100% wrong – really" : "HTTP status 400: scripted: refuse"))
    }

    /// OTLP: RESOURCE_EXHAUSTED alone is final over gRPC; 429 is welcome again over HTTP.
    @Test func tellsExhaustionWithoutATimeApart() async throws {
        try await collector.answer(.exhausted)
        #expect(try send(["span"], try queue(collector.variables)))
        #expect(try await collector.requests().count == 1)
        let other = try await Collector.shared()
        try await other.answer(.exhausted)
        #expect(try send(["span"], try queue(other.httpVariables)))
        #expect(try await other.requests().map(\.answer) == [.exhausted, .ok])
    }

    @Test(arguments: [Door.grpc, .http]) func tellsWhatTheCollectorLeftOut(_ door: Door) async throws {
        try await collector.answer(.partial)
        #expect(try send(["one", "two"], try queue(door.variables(collector))))
        #expect(try await collector.requests().count == 1)
        #expect(lines.current.count == 1)
        #expect(lines.current[0].contains("rejected=1") && lines.current[0].contains("scripted: one too many"))
    }

    /// The request is still unanswered when all is over here, held or just given up: nothing waits for its answer. The limits of a request and of a batch are far
    /// beyond what a test may be kept waiting on a busy machine.
    @Test(arguments: [Door.grpc, .http]) func leavesACollectorThatDoesNotAnswer(_ door: Door) async throws {
        try await collector.answer(.hang)
        let queue = try queue(
            door.variables(collector),
            [
                "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "1", "OTEL_EXPORTER_OTLP_TIMEOUT": "900000",
                "OTEL_BSP_EXPORT_TIMEOUT": "900000",
            ])
        let tracer = Tracer { queue.add($0) }
        tracer.begin("span", parent: nil)?.end()
        let end = ContinuousClock.now + .seconds(300)
        while try await collector.requests().first?.held != true, ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(queue.finish(within: 1_000_000))
        let request = try #require(try await collector.requests().first)
        #expect(request.held || request.headers[":abandoned"] == "true", "\(request)")
    }

    @Test(arguments: [Door.grpc, .http]) func survivesACollectorThatIsAway(_ door: Door) async throws {
        let (descriptor, port) = try Loopback.listen()
        close(descriptor)
        var variables = door.variables(collector)
        variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:\(port)"
        #expect(try send(["span"], try queue(variables), within: 1))
        #expect(lines.current.count == 1 && lines.current[0].contains("connection refused"))
    }

    @Test func speaksGRPCToNobodyElse() async throws {
        #expect(try send(["span"], try queue(collector.variables, ["OTEL_EXPORTER_OTLP_ENDPOINT": collector.http]), within: 1))
        #expect(try await collector.requests().isEmpty)
        #expect(lines.current.count == 1)
    }

    @Test func trustsTheGivenAuthorityAlone() async throws {
        #expect(try send(["span"], try queue(collector.variables, ["OTEL_EXPORTER_OTLP_ENDPOINT": collector.grpcs])))
        #expect(try await collector.requests().isEmpty)
        #expect(lines.current.count == 1 && lines.current[0].contains("x509"))
    }

    @Test func sendsInBatchesAndDropsWhatIsTooMuch() async throws {
        try await collector.answer(.busy)
        let queue = try queue(
            collector.variables, ["OTEL_BSP_MAX_QUEUE_SIZE": "20", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "8"])
        #expect(try send((0..<100).map { "span \($0)" }, queue))
        let requests = try await collector.requests()
        #expect(requests.allSatisfy { $0.spans.count <= 8 })
        let names = Set(requests.filter { $0.answer == .ok }.flatMap(\.spans).map(\.name))
        #expect(names.count >= 20 && names.count < 100)
        #expect(lines.current.count == 1 && lines.current[0].contains("spans were dropped"))
    }

    @Test func takesNothingAfterTheEnd() async throws {
        let queue = try queue(collector.variables)
        #expect(queue.finish(within: 0))
        Tracer { queue.add($0) }.begin("late", parent: nil)?.end()
        #expect(queue.finish(within: 0))
        #expect(try await collector.requests().isEmpty)
    }
}
