import RemoteProcedures
import Tracing

/// Spans of one process as OTLP's `ExportTraceServiceRequest` (opentelemetry-proto 1: `trace/v1/trace.proto`).
enum TraceRequest {
    /// The instrumentation that made the spans.
    private static let scope = "argoexec"
    private static let hasIsRemote: UInt32 = 0x100
    private static let isRemote: UInt32 = 0x200
    private static let failed: UInt64 = 2

    static func bytes(_ spans: [Span], resource: [SpanAttribute]) -> [UInt8] {
        var request = ProtobufWriter()
        request.message(1) { resourceSpans in
            resourceSpans.message(1) { add(resource, to: &$0, field: 1) }
            resourceSpans.message(2) { scopeSpans in
                scopeSpans.message(1) { $0.text(1, scope) }
                for span in spans { scopeSpans.message(2) { add(span, to: &$0) } }
            }
        }
        return request.bytes
    }

    private static func add(_ span: Span, to message: inout ProtobufWriter) {
        message.data(1, span.context.traceID.bytes)
        message.data(2, span.context.spanID.bytes)
        message.text(3, span.context.state)
        if let parent = span.parent { message.data(4, parent.bytes) }
        message.text(5, span.name)
        message.integer(6, span.kind.rawValue)
        message.fixed(7, span.start)
        message.fixed(8, span.end)
        add(span.attributes, to: &message, field: 9)
        message.integer(10, UInt64(span.droppedAttributes))
        for event in span.events {
            message.message(11) { inner in
                inner.fixed(1, event.time)
                inner.text(2, event.name)
                add(event.attributes, to: &inner, field: 3)
            }
        }
        message.integer(12, UInt64(span.droppedEvents))
        if case .failed(let cause) = span.status {
            message.message(15) { status in
                status.text(2, cause)
                status.integer(3, failed)
            }
        }
        message.fixed(16, UInt32(span.context.flags) | hasIsRemote | (span.isParentRemote ? isRemote : 0))
    }

    private static func add(_ attributes: [SpanAttribute], to message: inout ProtobufWriter, field: UInt64) {
        for attribute in attributes {
            message.message(field) { pair in
                pair.text(1, attribute.key)
                pair.message(2) { value in
                    switch attribute.value {
                    case .text(let text): value.chosenText(1, text)
                    case .integer(let number): value.chosenInteger(3, UInt64(bitPattern: number))
                    }
                }
            }
        }
    }
}

/// What a collector left out of a request that it took (`ExportTracePartialSuccess`).
struct PartialSuccess: Equatable {
    var rejected: UInt64 = 0
    var message = ""

    /// Reads `ExportTraceServiceResponse`; nil where all was taken and there is nothing to say.
    init?(response: ArraySlice<UInt8>) {
        var reader = ProtobufReader(response)
        while let (field, value) = reader.next() {
            guard field == 1, case .bytes(let inner) = value else { continue }
            var partial = ProtobufReader(inner)
            while let (field, value) = partial.next() {
                switch (field, value) {
                case (1, .integer(let count)): rejected = count
                case (2, .bytes(let text)): message = String(decoding: text, as: UTF8.self)
                default: continue
                }
            }
        }
        if rejected == 0, message.isEmpty { return nil }
    }
}

/// What a collector says of a failure (`google.rpc.Status`).
struct StatusDetails: Equatable {
    var message = ""
    /// Nanoseconds after which a repetition is welcome (`google.rpc.RetryInfo`); nil where nothing is said of one.
    var retryAfter: Int64?

    init(_ status: ArraySlice<UInt8>) {
        var reader = ProtobufReader(status)
        while let (field, value) = reader.next() {
            switch (field, value) {
            case (2, .bytes(let text)): message = String(decoding: text, as: UTF8.self)
            case (3, .bytes(let detail)): if let pause = Self.retryInfo(detail) { retryAfter = pause }
            default: continue
            }
        }
    }

    /// - Parameter detail: `google.protobuf.Any`.
    private static func retryInfo(_ detail: ArraySlice<UInt8>) -> Int64? {
        var type = ""
        var content: ArraySlice<UInt8> = []
        var any = ProtobufReader(detail)
        while let (field, value) = any.next() {
            guard case .bytes(let bytes) = value else { continue }
            if field == 1 { type = String(decoding: bytes, as: UTF8.self) } else if field == 2 { content = bytes }
        }
        guard type.hasSuffix("google.rpc.RetryInfo") else { return nil }
        var (seconds, nanoseconds): (UInt64, UInt64) = (0, 0)
        var info = ProtobufReader(content)
        while let (field, value) = info.next() {
            guard field == 1, case .bytes(let bytes) = value else { continue }
            var duration = ProtobufReader(bytes)
            while let (field, value) = duration.next() {
                guard case .integer(let number) = value else { continue }
                if field == 1 { seconds = number } else if field == 2 { nanoseconds = number }
            }
        }
        // Below zero, or years: neither is a pause.
        guard seconds < 1 << 32, nanoseconds < 1_000_000_000 else { return nil }
        return Int64(seconds) * 1_000_000_000 + Int64(nanoseconds)
    }
}
