import SystemSupport
import Testing

@testable import Tracing

@Suite struct TraceTests {
    /// Ended spans, in the order of their ends.
    private let ended = Monitor<[Span]>([])
    private let parent = SpanContext(traceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", traceState: "a=b")!

    private func tracer(_ limits: SpanLimits = SpanLimits()) -> Tracer {
        Tracer(limits: limits) { [ended] span in ended.update { $0.append(span) } }
    }

    private func span(_ name: String) throws -> Span { try #require(ended.current.first { $0.name == name }) }

    private struct Broken: Error, CustomStringConvertible { var description: String { "it broke" } }

    @Test func doesNothingWhereNothingIsTraced() throws {
        #expect(Trace.current == nil)
        #expect(Trace.begin("a") == nil)
        #expect(Trace.span("a") { 7 } == 7)
        #expect(ended.current.isEmpty)
    }

    @Test func nestsSpansAlsoOnThreadsThatAreStartedWithin() throws {
        let root = try #require(tracer().begin("root", parent: parent, [.text("name", "wf")]))
        try root.run {
            try Trace.span("outer") {
                try Parallel.forEach(count: 3, width: 3) { index in Trace.span("inner\(index)") {} }
                let thread = try WorkerThread { Trace.span("detached") {} }
                thread.join()
                Trace.without { #expect(Trace.current == nil) }
            }
        }
        #expect(Trace.current == nil)
        root.end()
        root.end()
        let outer = try span("outer")
        for name in ["inner0", "inner1", "inner2", "detached"] {
            let inner = try span(name)
            #expect(inner.parent == outer.context.spanID)
            #expect(inner.context.traceID == parent.traceID)
            #expect(inner.context.state == "a=b")
            #expect(!inner.isParentRemote)
            #expect(inner.start >= outer.start && inner.end <= outer.end + 1_000_000)
        }
        let whole = try span("root")
        #expect(whole.parent == parent.spanID && whole.isParentRemote)
        #expect(whole.attributes == [.text("name", "wf")])
        #expect(ended.current.count == 6)
    }

    @Test func saysOfASpanThatItsWorkFailed() throws {
        let root = try #require(tracer().begin("root", parent: nil))
        #expect(throws: Broken.self) { try root.run { try Trace.span("work") { throw Broken() } } }
        root.fail("a later cause")
        root.end()
        #expect(try span("work").status == .failed("it broke"))
        #expect(try span("root").status == .failed("it broke"))
        #expect(try span("root").parent == nil)
    }

    @Test func keepsToItsLimits() throws {
        var limits = SpanLimits()
        (limits.attributeCount, limits.eventCount, limits.valueLength) = (2, 1, 5)
        let root = try #require(tracer(limits).begin("root", parent: nil))
        for number in 0..<4 { root.set(.text("k\(number)", "abcdé\(number)")) }
        root.note("first", [.text("file", "abcdefgh")])
        root.note("second")
        root.end()
        let span = try span("root")
        #expect(span.attributes == [.text("k0", "abcd"), .text("k1", "abcd")])
        #expect(span.droppedAttributes == 2)
        #expect(span.events.map(\.attributes) == [[.text("file", "abcde")]])
        #expect(span.droppedEvents == 1)
    }

    @Test func recordsNothingOfATraceThatIsNotSampled() {
        var unsampled = parent
        unsampled.flags = 0
        #expect(tracer().begin("root", parent: unsampled) == nil)
        #expect(tracer().continuing(unsampled) == nil)
    }

    @Test func continuesASpanThatAnotherProcessEnds() throws {
        let around = try #require(tracer().continuing(parent))
        Trace.within(around) { Trace.span("work") {} }
        #expect(ended.current.map(\.name) == ["work"])
        #expect(try span("work").parent == parent.spanID)
        #expect(try span("work").isParentRemote)
    }
}

@Suite struct CommandSpanTests {
    private let context = SpanContext(traceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03", traceState: "")!

    @Test(arguments: [nil, "failed to start command: fork/exec /x: exec format error", "two\nlines", ""])
    func survivesTheWayToTheExecutor(_ failure: String?) throws {
        let span = CommandSpan(context: context, parent: SpanID(7), start: 5, end: 9, exitCode: 64, failure: failure)
        let read = try #require(CommandSpan(line: Array(span.line.utf8), state: ""))
        #expect(read.context == context && read.parent == SpanID(7) && read.start == 5 && read.end == 9 && read.exitCode == 64)
        #expect(read.failure == failure.map { $0 == "two\nlines" ? "two lines" : $0 })
    }

    @Test func hasALineOfBoundedLength() throws {
        let span = CommandSpan(
            context: context, parent: nil, start: 0, end: .max, exitCode: -1, failure: String(repeating: "é", count: 100_000))
        #expect(span.line.utf8.count <= CommandSpan.longestLine)
        #expect(CommandSpan(line: Array(span.line.utf8), state: "")?.parent == nil)
    }

    @Test func refusesWhatUserCodeMayHaveWritten() {
        let line = CommandSpan(context: context, parent: SpanID(7), start: 5, end: 9, exitCode: 0, failure: nil).line
        #expect(CommandSpan(line: Array(line.utf8), state: "") != nil)
        for broken in [
            "", " ", line + "9999999999", String(line.dropLast()) + "x", "x" + line, line.replacing(" 5 9", with: " 9 5"),
            line.replacing(" 0000000000000007", with: " 7"), String(line.reversed()),
            line.replacing(" 9 ", with: " 99999999999999999999999 "),
        ] {
            #expect(CommandSpan(line: Array(broken.utf8), state: "") == nil, "\(broken)")
        }
        #expect(CommandSpan(line: [0xFF, 0x20, 0x20, 0x20, 0x20, 0x20], state: "") == nil)
    }

    @Test func becomesASpanThatTellsHowTheCommandEnded() {
        var command = CommandSpan(context: context, parent: SpanID(7), start: 5, end: 9, exitCode: 3, failure: nil)
        let span = command.span(container: "main", [.text("name", "wf")], limits: SpanLimits())
        #expect(span.name == "runMainContainer" && span.isParentRemote)
        #expect(span.attributes == [.text("name", "wf"), .text("container_name", "main"), .integer("exit_code", 3)])
        #expect(span.status == .failed("exit status 3"))
        command.exitCode = 0
        #expect(command.span(container: "main", [], limits: SpanLimits()).status == .unset)
    }
}
