import SystemSupport

/// A named value of a span, of an event or of a resource.
package struct SpanAttribute: Sendable, Equatable {
    package enum Value: Sendable, Equatable {
        case text(String)
        case integer(Int64)
    }

    package var key: String
    package var value: Value

    package static func text(_ key: String, _ value: String) -> Self { .init(key: key, value: .text(value)) }
    package static func integer(_ key: String, _ value: Int64) -> Self { .init(key: key, value: .integer(value)) }
}

/// Something that happened at one moment of a span.
package struct SpanEvent: Sendable, Equatable {
    package var name: String
    /// Nanoseconds since 1970.
    package var time: UInt64
    package var attributes: [SpanAttribute]
}

/// What kind of work a span stands for, by OTLP's numbers.
package enum SpanKind: UInt64, Sendable {
    case inner = 1
    case client = 3
}

/// A stretch of work that is over.
package struct Span: Sendable, Equatable {
    package enum Status: Sendable, Equatable {
        case unset
        /// With the cause; may be empty.
        case failed(String)
    }

    package var name: String
    package var kind = SpanKind.inner
    package var context: SpanContext
    /// Nil for the first of its trace.
    package var parent: SpanID?
    /// Whether the parent belongs to another process.
    package var isParentRemote = false
    /// Nanoseconds since 1970.
    package var start: UInt64
    /// Nanoseconds since 1970.
    package var end: UInt64
    package var attributes: [SpanAttribute] = []
    package var droppedAttributes = 0
    package var events: [SpanEvent] = []
    package var droppedEvents = 0
    package var status = Status.unset

    package init(name: String, context: SpanContext, parent: SpanID?, start: UInt64, end: UInt64) {
        self.name = name
        self.context = context
        self.parent = parent
        self.start = start
        self.end = end
    }
}

/// How much one span may hold (OpenTelemetry's `OTEL_SPAN_*` limits).
package struct SpanLimits: Sendable, Equatable {
    /// Bytes of a text; nil for any number.
    package var valueLength: Int?
    package var attributeCount = 128
    package var eventCount = 128

    package init() {}

    func cut(_ attribute: SpanAttribute) -> SpanAttribute {
        guard let valueLength, case .text(let text) = attribute.value, text.utf8.count > valueLength else { return attribute }
        var bytes = Array(text.utf8.prefix(valueLength + 1))
        // Whole characters only: back to where one begins.
        repeat {
            bytes.removeLast()
        } while !bytes.isEmpty && Array(text.utf8.dropFirst(bytes.count).prefix(1))[0] & 0xC0 == 0x80
        return .text(attribute.key, String(decoding: bytes, as: UTF8.self))
    }
}

/// The wall clock in nanoseconds since 1970.
package func wallClockNanoseconds() -> UInt64 {
    let now = Timestamp.now
    return UInt64(max(0, now.seconds)) * 1_000_000_000 + UInt64(max(0, now.nanoseconds))
}
