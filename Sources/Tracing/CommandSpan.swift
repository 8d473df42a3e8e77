import SystemSupport

/// What an emissary tells of its run: the span `runMainContainer` without what the executor knows as well.
///
/// It goes to the executor as one line of text (`ctr/NAME/span`), which user code can write too: all of it is checked.
package struct CommandSpan: Sendable, Equatable {
    package static let name = "runMainContainer"
    /// Bytes of the line at most.
    package static let longestLine = 4096

    package var context: SpanContext
    package var parent: SpanID?
    /// Nanoseconds since 1970.
    package var start: UInt64
    /// Nanoseconds since 1970.
    package var end: UInt64
    package var exitCode: Int32
    /// Nil where the emissary itself did all that it should.
    package var failure: String?

    package init(
        context: SpanContext, parent: SpanID?, start: UInt64, end: UInt64, exitCode: Int32, failure: String?
    ) {
        self.context = context
        self.parent = parent
        self.start = start
        self.end = end
        self.exitCode = exitCode
        self.failure = failure
    }

    /// `TRACEPARENT PARENT START END EXITCODE[ FAILURE]`; the vendors' state is not in it.
    package var line: String {
        let numbers = "\(context.traceParent) \(parent?.text ?? "-") \(start) \(end) \(exitCode)"
        guard let failure else { return numbers }
        // A cut in the middle of a character is repaired by the reader of the line.
        let text = failure.utf8.prefix(Self.longestLine / 2).map { $0 < 0x20 ? 0x20 : $0 }
        return numbers + " " + String(decoding: text, as: UTF8.self)
    }

    /// - Parameter state: of the trace.
    /// - Returns: nil for anything that `line` would not make.
    package init?(line: [UInt8], state: String) {
        let words = line.split(separator: 0x20, maxSplits: 5, omittingEmptySubsequences: false)
        guard words.count >= 5,
            let context = SpanContext(traceParent: String(decoding: words[0], as: UTF8.self), traceState: state),
            let start = UInt64(String(decoding: words[2], as: UTF8.self)),
            let end = UInt64(String(decoding: words[3], as: UTF8.self)), start <= end,
            let exitCode = Int32(String(decoding: words[4], as: UTF8.self))
        else { return nil }
        var parent: SpanID?
        if !words[1].elementsEqual("-".utf8) {
            guard words[1].count == 16, let known = SpanContext.number(words[1]).flatMap({ SpanID($0) }) else { return nil }
            parent = known
        }
        let failure = words.count > 5 ? String(decoding: words[5], as: UTF8.self) : nil
        self.init(context: context, parent: parent, start: start, end: end, exitCode: exitCode, failure: failure)
    }

    /// The whole span.
    ///
    /// - Parameters:
    ///   - container: its name.
    ///   - attributes: of all containers of the pod alike.
    package func span(container: String, _ attributes: [SpanAttribute], limits: SpanLimits) -> Span {
        var span = Span(name: Self.name, context: context, parent: parent, start: start, end: end)
        span.isParentRemote = parent != nil
        span.attributes =
            attributes + [.text("container_name", container), .integer("exit_code", Int64(exitCode))].map { limits.cut($0) }
        if let failure {
            span.status = .failed(failure)
        } else if exitCode != 0 {
            span.status = .failed("exit status \(exitCode)")
        }
        return span
    }
}
