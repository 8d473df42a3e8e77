import Testing

@testable import Tracing

@Suite struct SpanContextTests {
    private let trace = "0af7651916cd43dd8448eb211c80319c"
    private let span = "b7ad6b7169203331"

    @Test func readsAndFormsTheHeader() throws {
        let context = try #require(SpanContext(traceParent: "00-\(trace)-\(span)-01", traceState: "workflow=argo/volumes"))
        #expect(context.traceID.text == trace)
        #expect(context.spanID.text == span)
        #expect(context.isSampled)
        #expect(context.state == "workflow=argo/volumes")
        #expect(context.traceParent == "00-\(trace)-\(span)-01")
    }

    @Test func readsLaterVersionsAndUnknownFlags() throws {
        #expect(
            SpanContext(traceParent: "cc-\(trace)-\(span)-ff-what", traceState: nil)?.traceParent == "00-\(trace)-\(span)-03")
        #expect(SpanContext(traceParent: "01-\(trace)-\(span)-00", traceState: nil)?.isSampled == false)
    }

    @Test(arguments: [
        "", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x", "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333ü-1",
    ])
    func refuses(_ header: String) {
        #expect(SpanContext(traceParent: header, traceState: "a=b") == nil)
        #expect(SpanContext(traceParent: nil, traceState: "a=b") == nil)
    }

    @Test(arguments: [
        ("a=1,b=2", true), ("a=1 , b=2,", true), ("tenant@system=x/y:z", true), ("0a=1", true), ("a", false), ("A=1", false),
        ("a=1,a=2", false), ("=1", false), ("a=", false), ("a=b=c", false), ("a=ü", false), ("", false),
    ])
    func dropsABrokenState(_ state: String, isValid: Bool) {
        #expect(SpanContext(traceParent: "00-\(trace)-\(span)-01", traceState: state)?.state == (isValid ? state : ""))
    }

    @Test func takesThirtyTwoMembersAndNotOneMore() {
        let members = (0..<33).map { "k\($0)=v" }
        let full = members.dropLast().joined(separator: ",")
        #expect(SpanContext(traceParent: "00-\(trace)-\(span)-01", traceState: full)?.state == full)
        #expect(SpanContext(traceParent: "00-\(trace)-\(span)-01", traceState: members.joined(separator: ","))?.state == "")
    }
}

@Suite struct SamplerTests {
    private let parent = SpanContext(traceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", traceState: nil)!
    private var unsampled: SpanContext {
        var context = parent
        context.flags = 0
        return context
    }

    @Test(arguments: [
        ("always_on", [true, true, true]), ("always_off", [false, false, false]),
        ("parentbased_always_on", [true, true, false]),
        ("parentbased_always_off", [false, true, false]),
    ])
    func decides(_ name: String, _ decisions: [Bool]) throws {
        let sampler = try #require(Sampler(name: name, argument: nil))
        #expect([nil, parent, unsampled].map { sampler.records(parent.traceID, parent: $0) } == decisions)
    }

    @Test func decidesByTheTraceIDAsOtherSystemsDo() throws {
        let half = try #require(Sampler(name: "traceidratio", argument: "0.5"))
        #expect(half.records(try #require(TraceID(0, 0x7FFF_FFFF_FFFF_FFFF)), parent: unsampled))
        #expect(!half.records(try #require(TraceID(0, 0x8000_0000_0000_0000)), parent: parent))
        let none = try #require(Sampler(name: "parentbased_traceidratio", argument: "0"))
        #expect(!none.records(parent.traceID, parent: nil))
        #expect(none.records(parent.traceID, parent: parent))
    }

    @Test func takesABadShareForAll() throws {
        for argument in ["2", "-1", "nan", "x", ""] {
            #expect(try #require(Sampler(name: "traceidratio", argument: argument)).records(parent.traceID, parent: nil))
        }
        #expect(Sampler(name: "sometimes", argument: nil) == nil)
    }
}
