/// One value in a log record.
package enum LogValue: Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    case text(String)
    case integer(Int64)
    case boolean(Bool)

    package init(stringLiteral value: String) { self = .text(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package static func path(_ path: BytePath) -> LogValue { .text(path.text) }
    package static func error(_ error: any Error) -> LogValue { .text(errorText(error)) }
    package static func count(_ number: Int) -> LogValue { .integer(Int64(number)) }
}

/// The log: one record a line on stderr, in the text or JSON form of Go's slog (contract 01 §2). Every record carries `argo=true`.
///
/// Passed on as a value; no global. Environment values, authorisation headers and signed URLs are never logged.
package struct Log: Sendable {
    package enum Level: Int, Sendable, Comparable {
        case debug, info, warn, error
        package static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
        fileprivate var word: String {
            switch self {
            case .debug: "DEBUG"
            case .info: "INFO"
            case .warn: "WARN"
            case .error: "ERROR"
            }
        }
    }
    package enum Format: Sendable { case text, json }

    package let level: Level
    package let format: Format
    private let fields: [(String, LogValue)]
    private let sink: @Sendable ([UInt8]) -> Void

    /// - Parameter sink: takes one whole line with its newline; the default writes it to stderr in one call.
    package init(
        level: Level = .info, format: Format = .text,
        sink: @escaping @Sendable ([UInt8]) -> Void = { line in try? DescriptorIO.write(2, line.span, subject: "stderr") }
    ) {
        self.init(level: level, format: format, fields: [], sink: sink)
    }

    private init(level: Level, format: Format, fields: [(String, LogValue)], sink: @escaping @Sendable ([UInt8]) -> Void) {
        self.level = level
        self.format = format
        self.fields = fields
        self.sink = sink
    }

    /// A log that says nothing.
    package static let silent = Log(level: .error, sink: { _ in })

    /// The same log with fields added to every record.
    package func with(_ more: KeyValuePairs<String, LogValue>) -> Log {
        Log(level: level, format: format, fields: fields + more.map { ($0.key, $0.value) }, sink: sink)
    }

    package func debug(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> KeyValuePairs<String, LogValue> = [:])
    {
        emit(.debug, message(), fields())
    }

    package func info(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> KeyValuePairs<String, LogValue> = [:])
    {
        emit(.info, message(), fields())
    }

    package func warn(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> KeyValuePairs<String, LogValue> = [:])
    {
        emit(.warn, message(), fields())
    }

    package func error(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> KeyValuePairs<String, LogValue> = [:])
    {
        emit(.error, message(), fields())
    }

    private func emit(
        _ level: Level, _ message: @autoclosure () -> String, _ more: @autoclosure () -> KeyValuePairs<String, LogValue>
    ) {
        guard level >= self.level else { return }
        let time = Timestamp.now.rfc3339(fractionDigits: format == .text ? 3 : 9)
        var all: [(String, LogValue)] = [("time", .text(time)), ("level", .text(level.word)), ("msg", .text(message()))]
        all.append(("argo", .boolean(true)))
        all += fields
        for (key, value) in more() { all.append((key, value)) }
        var line: [UInt8] = []
        switch format {
        case .text:
            for (index, (key, value)) in all.enumerated() {
                if index > 0 { line.append(0x20) }
                line += key.utf8
                line.append(UInt8(ascii: "="))
                Self.appendText(value, to: &line)
            }
        case .json:
            line.append(UInt8(ascii: "{"))
            for (index, (key, value)) in all.enumerated() {
                if index > 0 { line.append(UInt8(ascii: ",")) }
                Self.appendQuoted(key, to: &line)
                line.append(UInt8(ascii: ":"))
                Self.appendJSON(value, to: &line)
            }
            line.append(UInt8(ascii: "}"))
        }
        line.append(0x0A)
        sink(line)
    }

    private static func appendText(_ value: LogValue, to line: inout [UInt8]) {
        switch value {
        case .integer(let number): line += String(number).utf8
        case .boolean(let flag): line += String(flag).utf8
        case .text(let text):
            // A newline in a value must not forge a second record.
            let bare = !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && ![0x22, 0x3D, 0x5C].contains($0) }
            if bare { line += text.utf8 } else { appendQuoted(text, to: &line) }
        }
    }

    private static func appendJSON(_ value: LogValue, to line: inout [UInt8]) {
        switch value {
        case .integer(let number): line += String(number).utf8
        case .boolean(let flag): line += String(flag).utf8
        case .text(let text): appendQuoted(text, to: &line)
        }
    }

    private static func appendQuoted(_ text: String, to line: inout [UInt8]) {
        line.append(0x22)
        for byte in text.utf8 {
            switch byte {
            case 0x22: line += [0x5C, 0x22]
            case 0x5C: line += [0x5C, 0x5C]
            case 0x0A: line += Array("\\n".utf8)
            case 0x0D: line += Array("\\r".utf8)
            case 0x09: line += Array("\\t".utf8)
            case 0..<0x20, 0x7F:
                line += Array("\\u00".utf8)
                line += [hexDigits[Int(byte >> 4)], hexDigits[Int(byte & 15)]]
            default: line.append(byte)
            }
        }
        line.append(0x22)
    }
}

private let hexDigits = Array("0123456789abcdef".utf8)
