/// Finds the places of values in a JSON text.
package enum JSONMarks {
    /// A JSON document with its places.
    ///
    /// - Throws: `DocumentError` with the place of the fault.
    package static func document(
        _ bytes: [UInt8], file: String, repeatedKeys: RepeatedKeys = .refused
    ) throws(DocumentError) -> MarkedDocument {
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: bytes) } catch {
            throw .at(file, SourcePosition(line: error.line, column: error.column), error.reason)
        }
        var scanner = Scanner(bytes: bytes, file: file, repeatedKeys: repeatedKeys)
        let marks = try scanner.marks()
        return MarkedDocument(value: value, file: file, marks: marks, repeatedKeys: scanner.repetitions)
    }

    /// Walks a text that is known to be JSON.
    private struct Scanner {
        let bytes: [UInt8]
        let file: String
        let repeatedKeys: RepeatedKeys
        var repetitions: [DocumentError] = []
        var at = 0
        var line = 1
        var column = 1

        mutating func step() {
            if bytes[at] == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if bytes[at] & 0xC0 != 0x80 {
                column += 1
            }
            at += 1
        }

        /// Steps over white space, commas and colons.
        mutating func skip() {
            while at < bytes.count, [0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ","), UInt8(ascii: ":")].contains(bytes[at]) {
                step()
            }
        }

        var position: SourcePosition { SourcePosition(line: line, column: column) }

        mutating func marks() throws(DocumentError) -> DocumentMarks {
            skip()
            let start = position
            switch bytes[at] {
            case UInt8(ascii: "{"): return try members(start)
            case UInt8(ascii: "["):
                step()
                var children: [DocumentMarks] = []
                while !ends(with: UInt8(ascii: "]")) { children.append(try marks()) }
                return DocumentMarks(start, children: children)
            case UInt8(ascii: "\""): text()
            default:
                while at < bytes.count, ![0x20, 0x09, 0x0A, 0x0D, 0x2C, 0x5D, 0x7D].contains(bytes[at]) { step() }
            }
            return DocumentMarks(start)
        }

        private mutating func ends(with closing: UInt8) -> Bool {
            skip()
            if bytes[at] != closing { return false }
            step()
            return true
        }

        private mutating func members(_ start: SourcePosition) throws(DocumentError) -> DocumentMarks {
            step()
            var names: [SourcePosition] = []
            var children: [DocumentMarks] = []
            var seen = JSONObject()
            while !ends(with: UInt8(ascii: "}")) {
                let begin = at
                let place = position
                text()
                let name = (try? JSONValue(parsing: Array(bytes[begin..<at])))?.string ?? ""
                if let first = seen[name]?.int {
                    let fault = DocumentError.at(
                        file, place, "the name '\(name)' is a duplicate; the first is at \(names[Int(first)])")
                    if repeatedKeys == .refused { throw fault }
                    repetitions.append(fault)
                    // The value stands at the first one's place among the members.
                    names[Int(first)] = place
                    children[Int(first)] = try marks()
                    continue
                }
                names.append(place)
                seen[name] = .integer(names.count - 1)
                children.append(try marks())
            }
            return DocumentMarks(start, names: names, children: children)
        }

        private mutating func text() {
            step()
            while bytes[at] != UInt8(ascii: "\"") {
                if bytes[at] == UInt8(ascii: "\\") { step() }
                step()
            }
            step()
        }
    }
}
