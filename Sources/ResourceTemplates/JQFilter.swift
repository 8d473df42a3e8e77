import Documents
import ProcessControl
import SystemSupport

/// Runs jq, as a program, over an object.
struct JQFilter {
    private let tools: ToolBox
    private let program: BytePath

    /// - Throws: `ExecutorError` where this image has no jq.
    init(_ tools: ToolBox) throws {
        self.tools = tools
        program = try tools.find("jq")
    }

    /// What a filter makes of a document: texts as they are, other values as JSON, one a line, without blanks at either end
    /// (contract 02 §7).
    ///
    /// - Parameter document: JSON.
    /// - Throws: `ExecutorError` with jq's own words.
    func apply(_ filter: String, to document: [UInt8]) throws -> String {
        // The blank keeps a filter from being taken for an option. Filters see no variable of the environment, as in the reference.
        let result = try tools.run(
            program, ["-c", " " + filter], ProcessEnvironment([]), input: document, outputLimit: ToolBox.longestValue)
        guard result.status == .exited(0) else {
            let text = String(decoding: result.error, as: UTF8.self).trimmed
            throw ExecutorError.failed(text.isEmpty ? "jq \(ToolBox.ending(result.status))" : text)
        }
        let lines = result.output.split(separator: 0x0A)
        return try lines.map { line in
            let value = try JSONValue(parsing: Array(line))
            return value.string ?? value.withFloatNumbers.serializedText(sortedKeys: true)
        }.joined(separator: "\n").trimmed
    }
}

extension JSONValue {
    /// The same with numbers as 64-bit floats, as Go writes them: each jq has its own way to write numbers.
    fileprivate var withFloatNumbers: JSONValue {
        switch self {
        case .number(let number): return number.double.flatMap(JSONNumber.init).map(JSONValue.number) ?? self
        case .array(let elements): return .array(elements.map(\.withFloatNumbers))
        case .object(let object): return .object(JSONObject(object.members.map { ($0.name, $0.value.withFloatNumbers) }))
        default: return self
        }
    }
}
