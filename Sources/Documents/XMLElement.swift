import CExpat

/// An element of a store's XML answer: its name without prefix, its text, its children in order.
package struct XMLElement: Sendable, Equatable {
    package var name: String
    /// All text directly inside, put together.
    package var text = ""
    package var children: [XMLElement] = []

    package init(name: String) { self.name = name }

    /// The first child of that name.
    package subscript(name: String) -> XMLElement? { children.first { $0.name == name } }

    /// All children of that name.
    package func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

    /// Reads a whole document.
    ///
    /// - Returns: the root element, or nil where the bytes are not well-formed, nest deeper than 64, or bring a document type
    ///   of their own (no store's answer does, and its entities could grow without end).
    package static func parse(_ bytes: [UInt8]) -> XMLElement? {
        var reader = Reader()
        guard let parser = unsafe XML_ParserCreate(nil) else { return nil }
        defer { unsafe XML_ParserFree(parser) }
        let complete = unsafe withUnsafeMutablePointer(to: &reader) { state in
            unsafe XML_SetUserData(parser, state)
            unsafe XML_SetElementHandler(
                parser,
                { state, name, _ in
                    unsafe state!.assumingMemoryBound(to: Reader.self).pointee.begin(String(cString: name!))
                },
                { state, _ in unsafe state!.assumingMemoryBound(to: Reader.self).pointee.end() })
            unsafe XML_SetCharacterDataHandler(parser) { state, text, length in
                let bytes = unsafe UnsafeBufferPointer(start: text!, count: Int(length)).map { UInt8(bitPattern: $0) }
                unsafe state!.assumingMemoryBound(to: Reader.self).pointee.add(bytes)
            }
            unsafe XML_SetStartDoctypeDeclHandler(parser) { state, _, _, _, _ in
                unsafe state!.assumingMemoryBound(to: Reader.self).pointee.isRefused = true
            }
            // In pieces, so that a refused document is not read to its end, and no length overflows.
            var start = 0
            repeat {
                let count = min(bytes.count - start, 1 << 16)
                let isLast = start + count == bytes.count
                let status = unsafe bytes[start..<start + count].withUnsafeBytes { piece in
                    unsafe XML_Parse(
                        parser, piece.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(count), isLast ? 1 : 0)
                }
                if status != XML_STATUS_OK { return false }
                if unsafe state.pointee.isRefused { return false }
                start += count
            } while start < bytes.count
            return true
        }
        return complete ? reader.root : nil
    }

    /// What the parser's callbacks build; lives only within `parse`.
    private struct Reader {
        private var open: [XMLElement] = []
        var root: XMLElement?
        var isRefused = false

        mutating func begin(_ name: String) {
            if open.count == 64 { isRefused = true }
            if isRefused { return }
            open.append(XMLElement(name: name.split(separator: ":").last.map(String.init) ?? name))
        }

        mutating func add(_ bytes: [UInt8]) {
            if isRefused || open.isEmpty { return }
            open[open.count - 1].text += String(decoding: bytes, as: UTF8.self)
        }

        mutating func end() {
            if isRefused { return }
            guard let element = open.popLast() else { return }
            if open.isEmpty { root = element } else { open[open.count - 1].children.append(element) }
        }
    }

    /// Text as it may stand in an element: what XML cannot hold at all makes it nil.
    package static func escape(_ text: String) -> String? {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\t", "\n", "\r": escaped += "&#\(scalar.value);"
            case "\u{0}"..<" ", "\u{FFFE}", "\u{FFFF}": return nil
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
