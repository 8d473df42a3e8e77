import SystemSupport

extension JSONValue {
    /// Arrays and objects may be nested this deep.
    ///
    /// Reading, comparing, writing and freeing a document recurse; this many levels fit the smallest stack of ours, 512 KiB, in
    /// an unoptimised build too.
    package static let maximumDepth = 256

    /// Reads a whole text as strict JSON (RFC 8259), with white space around it.
    ///
    /// As Go's reader does, bytes in strings that are not UTF-8 and escapes of lone surrogates become U+FFFD; of several members
    /// of one name the last counts.
    package init(parsing bytes: [UInt8]) throws(JSONError) { try self.init(parsing: bytes.span) }

    /// Reads a whole text as strict JSON.
    package init(parsing bytes: Span<UInt8>) throws(JSONError) {
        do throws(JSONReader.Fault) {
            var reader = JSONReader()
            self = try reader.document(bytes)
        } catch {
            var line = 1
            var start = 0
            for index in 0..<min(error.offset, bytes.count) where bytes[index] == UInt8(ascii: "\n") {
                line += 1
                start = index + 1
            }
            throw JSONError(reason: error.reason, line: line, column: error.offset - start + 1)
        }
    }

    /// Reads a whole text as strict JSON.
    package init(parsing text: String) throws(JSONError) { try self.init(parsing: Array(text.utf8)) }
}

/// One pass over the bytes of a JSON text; the bytes themselves are passed along, which is faster than keeping them.
struct JSONReader {
    struct Fault: Error {
        let offset: Int
        let reason: String
    }

    private var at = 0
    private var depth = 0

    mutating func document(_ bytes: Span<UInt8>) throws(Fault) -> JSONValue {
        skipSpace(bytes)
        let value = try value(bytes)
        skipSpace(bytes)
        if at < bytes.count { throw fault("unexpected \(shown(bytes[at])) after the document") }
        return value
    }

    private func fault(_ reason: String) -> Fault { Fault(offset: at, reason: reason) }

    private func shown(_ byte: UInt8) -> String {
        (0x20..<0x7F).contains(byte) ? "'\(Character(Unicode.Scalar(byte)))'" : "byte \(byte)"
    }

    private mutating func skipSpace(_ bytes: Span<UInt8>) {
        while at < bytes.count {
            switch bytes[at] {
            case 0x20, 0x09, 0x0A, 0x0D: at += 1
            default: return
            }
        }
    }

    private mutating func value(_ bytes: Span<UInt8>) throws(Fault) -> JSONValue {
        guard at < bytes.count else { throw fault("the text ends where a value should stand") }
        switch bytes[at] {
        case UInt8(ascii: "{"): return .object(try object(bytes))
        case UInt8(ascii: "["): return .array(try array(bytes))
        case UInt8(ascii: "\""): return .string(try string(bytes))
        case UInt8(ascii: "-"), 0x30...0x39: return .number(try number(bytes))
        case UInt8(ascii: "t"):
            try word("true", bytes)
            return .bool(true)
        case UInt8(ascii: "f"):
            try word("false", bytes)
            return .bool(false)
        case UInt8(ascii: "n"):
            try word("null", bytes)
            return .null
        case let byte: throw fault("unexpected \(shown(byte)) where a value should stand")
        }
    }

    private mutating func word(_ word: String, _ bytes: Span<UInt8>) throws(Fault) {
        for byte in word.utf8 {
            guard at < bytes.count, bytes[at] == byte else { throw fault("not the word \(word)") }
            at += 1
        }
    }

    private mutating func descend() throws(Fault) {
        if depth == JSONValue.maximumDepth { throw fault("nested deeper than \(JSONValue.maximumDepth) levels") }
        depth += 1
        at += 1
    }

    private mutating func array(_ bytes: Span<UInt8>) throws(Fault) -> [JSONValue] {
        try descend()
        defer { depth -= 1 }
        var elements: [JSONValue] = []
        skipSpace(bytes)
        if at < bytes.count, bytes[at] == UInt8(ascii: "]") {
            at += 1
            return elements
        }
        while true {
            skipSpace(bytes)
            elements.append(try value(bytes))
            if try endsAfterElement(UInt8(ascii: "]"), bytes) { return elements }
        }
    }

    private mutating func object(_ bytes: Span<UInt8>) throws(Fault) -> JSONObject {
        try descend()
        defer { depth -= 1 }
        var object = JSONObject()
        skipSpace(bytes)
        if at < bytes.count, bytes[at] == UInt8(ascii: "}") {
            at += 1
            return object
        }
        while true {
            skipSpace(bytes)
            guard at < bytes.count else { throw fault("the text ends inside an object") }
            guard bytes[at] == UInt8(ascii: "\"") else {
                throw fault("unexpected \(shown(bytes[at])) where a name should stand")
            }
            let name = try string(bytes)
            skipSpace(bytes)
            guard at < bytes.count, bytes[at] == UInt8(ascii: ":") else { throw fault("no ':' after a name") }
            at += 1
            skipSpace(bytes)
            object[name] = try value(bytes)
            if try endsAfterElement(UInt8(ascii: "}"), bytes) { return object }
        }
    }

    /// Steps over a comma, or over the closing bracket and answers true.
    private mutating func endsAfterElement(_ closing: UInt8, _ bytes: Span<UInt8>) throws(Fault) -> Bool {
        skipSpace(bytes)
        guard at < bytes.count else {
            throw fault("the text ends inside an \(closing == UInt8(ascii: "]") ? "array" : "object")")
        }
        let byte = bytes[at]
        guard byte == closing || byte == UInt8(ascii: ",") else { throw fault("unexpected \(shown(byte)) after a value") }
        at += 1
        return byte == closing
    }

    private mutating func number(_ bytes: Span<UInt8>) throws(Fault) -> JSONNumber {
        let start = at
        if bytes[at] == UInt8(ascii: "-") { at += 1 }
        if at < bytes.count, bytes[at] == UInt8(ascii: "0") { at += 1 } else { try digits(bytes) }
        if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
            at += 1
            try digits(bytes)
        }
        if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
            at += 1
            if at < bytes.count, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at += 1 }
            try digits(bytes)
        }
        return JSONNumber(unchecked: text(bytes.extracting(start..<at)))
    }

    private mutating func digits(_ bytes: Span<UInt8>) throws(Fault) {
        let start = at
        while at < bytes.count, (0x30...0x39).contains(bytes[at]) { at += 1 }
        if at == start { throw fault("a digit is missing in a number") }
    }

    private mutating func string(_ bytes: Span<UInt8>) throws(Fault) -> String {
        at += 1
        let start = at
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\""):
                let result = text(bytes.extracting(start..<at))
                at += 1
                return result
            case UInt8(ascii: "\\"): return try escapedString(from: start, bytes)
            case 0..<0x20: throw fault("unescaped control character in a string")
            default: at += 1
            }
        }
        throw fault("the text ends inside a string")
    }

    /// The rest of a string in which `at` stands on the first backslash.
    private mutating func escapedString(from start: Int, _ bytes: Span<UInt8>) throws(Fault) -> String {
        var buffer: [UInt8] = []
        var run = start
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\""):
                append(bytes.extracting(run..<at), to: &buffer)
                at += 1
                return text(buffer.span)
            case UInt8(ascii: "\\"):
                append(bytes.extracting(run..<at), to: &buffer)
                try escape(bytes, into: &buffer)
                run = at
            case 0..<0x20: throw fault("unescaped control character in a string")
            default: at += 1
            }
        }
        throw fault("the text ends inside a string")
    }

    private func append(_ bytes: Span<UInt8>, to buffer: inout [UInt8]) {
        for index in bytes.indices { buffer.append(bytes[index]) }
    }

    private mutating func escape(_ bytes: Span<UInt8>, into buffer: inout [UInt8]) throws(Fault) {
        at += 1
        guard at < bytes.count else { throw fault("the text ends inside a string") }
        switch bytes[at] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): buffer.append(bytes[at])
        case UInt8(ascii: "b"): buffer.append(0x08)
        case UInt8(ascii: "f"): buffer.append(0x0C)
        case UInt8(ascii: "n"): buffer.append(0x0A)
        case UInt8(ascii: "r"): buffer.append(0x0D)
        case UInt8(ascii: "t"): buffer.append(0x09)
        case UInt8(ascii: "u"):
            at += 1
            var code = try hexadecimal(bytes)
            if (0xD800..<0xDC00).contains(code), at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"),
                bytes[at + 1] == UInt8(ascii: "u")
            {
                let low = self
                at += 2
                let second = try hexadecimal(bytes)
                if (0xDC00..<0xE000).contains(second) {
                    code = 0x10000 + (code - 0xD800) << 10 + (second - 0xDC00)
                } else {
                    self = low
                }
            }
            if let encoded = UTF8.encode(Unicode.Scalar(code) ?? "\u{FFFD}") { buffer += encoded }
            return
        case let byte: throw fault("unknown escape \(shown(byte)) in a string")
        }
        at += 1
    }

    private mutating func hexadecimal(_ bytes: Span<UInt8>) throws(Fault) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard at < bytes.count, let digit = hexadecimalValue(bytes[at]) else {
                throw fault("four hexadecimal digits are missing after \\u")
            }
            code = code << 4 | UInt32(digit)
            at += 1
        }
        return code
    }

    private func text(_ bytes: Span<UInt8>) -> String { RepairedText.string(bytes) }
}
