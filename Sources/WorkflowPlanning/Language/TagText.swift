package import Documents
import SystemSupport

/// Replaces `{{tags}}` in a document, as the controller does: in its JSON text, so that a tag may stand anywhere in a text, and a
/// value put in its place is escaped.
package enum TagText {
    /// Why a tag cannot be replaced.
    package struct Fault: Error, Equatable, Sendable {
        package let text: String

        package init(text: String) { self.text = text }
    }

    /// What the value of an expression tag is asked of: its expression, without `{{=` and `}}`. Nil: it stays as it is.
    package typealias Evaluate = (String) throws(Fault) -> String?
    /// What a tag stands for, without white space around it. Nil: it is not known.
    package typealias LookUp = (String) throws(Fault) -> String?

    /// A document with its tags replaced. What is not known stays as it is, unless it begins with one of the strict words.
    ///
    /// A tag inside another one is replaced first (`{{inputs.parameters.{{inputs.parameters.which}}}}` takes two rounds).
    ///
    /// - Parameters:
    ///   - strict: first words of tags that must be known; artifacts (`….outputs.artifacts.…`) are left to those who resolve them.
    ///   - evaluate: the values of expression tags; by default they stay as they are.
    package static func replace(
        _ document: JSONValue, strict: [String] = [], evaluate: Evaluate = { _ in nil }, _ value: LookUp
    ) throws(Fault) -> JSONValue {
        let text = document.serialized()
        guard let replaced = try replace(text, strict: strict, evaluate, value) else { return document }
        guard let result = try? JSONValue(parsing: replaced) else {
            throw Fault(text: "replacing the tags makes no sense of the document")
        }
        return result
    }

    /// A text with its tags replaced.
    package static func replace(
        text: String, strict: [String] = [], evaluate: Evaluate = { _ in nil }, _ value: LookUp
    ) throws(Fault) -> String {
        guard case .string(let result) = try replace(.string(text), strict: strict, evaluate: evaluate, value) else {
            return text
        }
        return result
    }

    /// Calls `body` with each tag of a text, as it stands between the braces.
    ///
    /// - Returns: whether all braces that open close too.
    package static func tags<E: Error>(in text: String, _ body: (String) throws(E) -> Void) throws(E) -> Bool {
        let bytes = Array(text.utf8)
        var at = 0
        while let open = position(of: UInt8(ascii: "{"), in: bytes, from: at) {
            guard let close = position(of: UInt8(ascii: "}"), in: bytes, from: open + 2) else { return false }
            try body(String(decoding: bytes[(open + 2)..<close], as: UTF8.self))
            at = close + 2
        }
        return true
    }

    /// Nil where the text has no tag.
    private static func replace(
        _ text: [UInt8], strict: [String], _ evaluate: Evaluate, _ value: LookUp
    ) throws(Fault) -> [UInt8]? {
        var result: [UInt8] = []
        var at = 0
        while let open = position(of: UInt8(ascii: "{"), in: text, from: at) {
            guard let close = position(of: UInt8(ascii: "}"), in: text, from: open + 2) else {
                throw Fault(text: "'{{' without '}}'")
            }
            result += text[at..<open]
            result += try replacement(text[(open + 2)..<close], strict: strict, evaluate, value)
            at = close + 2
        }
        if at == 0 { return nil }
        result += text[at...]
        return result
    }

    private static func replacement(
        _ tag: ArraySlice<UInt8>, strict: [String], _ evaluate: Evaluate, _ value: LookUp
    ) throws(Fault) -> [UInt8] {
        if tag.first == UInt8(ascii: "=") {
            guard let expression = unescaped(tag.dropFirst()) else { throw Fault(text: "an expression tag is cut off") }
            if let value = try evaluate(expression) { return escaped(value) }
            return Array("{{".utf8) + tag + Array("}}".utf8)
        }
        let name = String(decoding: tag, as: UTF8.self)
        let trimmed = name.trimmed
        if let value = try value(trimmed) { return escaped(value) }
        if let inner = lastPosition(of: UInt8(ascii: "{"), in: Array(tag)), inner > 0,
            let value = try value(String(decoding: tag.dropFirst(inner + 2), as: UTF8.self))
        {
            return Array("{{".utf8) + tag.prefix(inner) + escaped(value)
        }
        let first = String(trimmed.prefix { $0 != "." })
        if strict.contains(first), !trimmed.contains(".outputs.artifacts.") {
            throw Fault(text: "failed to resolve {{\(name)}}")
        }
        return Array("{{".utf8) + tag + Array("}}".utf8)
    }

    /// Where a byte stands twice.
    private static func position(of byte: UInt8, in text: [UInt8], from start: Int) -> Int? {
        var index = start
        while index + 1 < text.count {
            if text[index] == byte, text[index + 1] == byte { return index }
            index += 1
        }
        return nil
    }

    private static func lastPosition(of byte: UInt8, in text: [UInt8]) -> Int? {
        text.indices.dropLast().last { text[$0] == byte && text[$0 + 1] == byte }
    }

    /// The text of a part of a JSON text.
    private static func unescaped(_ part: ArraySlice<UInt8>) -> String? {
        (try? JSONValue(parsing: [UInt8(ascii: "\"")] + part + [UInt8(ascii: "\"")]))?.string
    }

    private static func escaped(_ value: String) -> [UInt8] {
        Array(JSONValue.string(value).serialized().dropFirst().dropLast())
    }
}
