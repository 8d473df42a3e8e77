import SystemSupport

/// What of a span goes from process to process: the W3C trace context, as `TRACEPARENT` and `TRACESTATE` carry it.
package struct SpanContext: Sendable, Equatable {
    package var traceID: TraceID
    package var spanID: SpanID
    /// Of the flags those that version 00 knows: 1 sampled, 2 random trace ID.
    package var flags: UInt8
    /// The vendors' part, handed on as it came; empty for none.
    package var state: String

    package static let sampled: UInt8 = 1
    private static let known: UInt8 = 3

    package init(traceID: TraceID, spanID: SpanID, flags: UInt8, state: String = "") {
        self.traceID = traceID
        self.spanID = spanID
        self.flags = flags
        self.state = state
    }

    /// Reads both variables by W3C Trace Context §3.2 and §3.3.
    ///
    /// Nil where the first is no valid `traceparent`. A second that is not valid counts as absent.
    package init?(traceParent: String?, traceState: String?) {
        let text = Array((traceParent ?? "").utf8)
        let dash = UInt8(ascii: "-")
        guard text.count >= 55, text[2] == dash, text[35] == dash, text[52] == dash,
            let version = Self.number(text[0..<2]), version != 0xFF, let high = Self.number(text[3..<19]),
            let low = Self.number(text[19..<35]), let span = Self.number(text[36..<52]), let flags = Self.number(text[53..<55]),
            let traceID = TraceID(high, low), let spanID = SpanID(span)
        else { return nil }
        // A later version may have more to say, behind another dash.
        if text.count > 55, version == 0 || text[55] != dash { return nil }
        self.init(
            traceID: traceID, spanID: spanID, flags: UInt8(truncatingIfNeeded: flags) & Self.known,
            state: TraceState.checked(traceState ?? ""))
    }

    /// The `traceparent` of version 00.
    package var traceParent: String { "00-\(traceID.text)-\(spanID.text)-\(hexadecimal([flags]))" }

    package var isSampled: Bool { flags & Self.sampled != 0 }

    /// The number that lower-case digits mean, at most 16 of them.
    static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var number: UInt64 = 0
        for digit in digits {
            guard let value = hexadecimalValue(digit), !(UInt8(ascii: "A")...UInt8(ascii: "F")).contains(digit) else {
                return nil
            }
            number = number << 4 | UInt64(value)
        }
        return digits.isEmpty ? nil : number
    }
}

/// The `tracestate` list: what tracing systems tell one another, `key=value` members with commas between.
enum TraceState {
    private static let longestList = 32
    private static let longestPart = 256

    /// The text where it is a valid list, else nothing: a broken list is dropped whole (W3C Trace Context §3.3.1).
    static func checked(_ text: String) -> String {
        var keys: Set<[UInt8]> = []
        for part in text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: true) {
            let member = part.drop { $0 == 0x20 || $0 == 0x09 }
            if member.isEmpty { continue }
            guard let equals = member.firstIndex(of: UInt8(ascii: "=")) else { return "" }
            let key = Array(member[..<equals])
            var value = Array(member[member.index(after: equals)...])
            while let last = value.last, last == 0x20 || last == 0x09 { value.removeLast() }
            guard isKey(key), isValue(value), keys.insert(key).inserted, keys.count <= longestList else { return "" }
        }
        return keys.isEmpty ? "" : text
    }

    private static func isKey(_ key: [UInt8]) -> Bool {
        guard let first = key.first, key.count <= longestPart, isLetter(first) || isDigit(first) else { return false }
        let at = UInt8(ascii: "@")
        return key.filter { $0 == at }.count <= 1
            && key.allSatisfy { isLetter($0) || isDigit($0) || $0 == at || "_-*/".utf8.contains($0) }
    }

    private static func isValue(_ value: [UInt8]) -> Bool {
        !value.isEmpty && value.count <= longestPart
            && value.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: ",") }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
