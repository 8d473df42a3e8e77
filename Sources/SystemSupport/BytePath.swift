/// A file name or path as the kernel knows it: bytes without NUL, of any encoding. Compared by bytes.
///
/// `String` would repair what is not UTF-8 and compare by canonical equivalence, so that names get lost.
package struct BytePath: Hashable, Sendable {
    package let bytes: [UInt8]

    /// Bytes after a NUL are dropped: no path of the kernel's holds one.
    package init(bytes: [UInt8]) {
        if let end = bytes.firstIndex(of: 0) { self.bytes = Array(bytes[..<end]) } else { self.bytes = bytes }
    }

    package init(bytes: ArraySlice<UInt8>) { self.init(bytes: Array(bytes)) }

    package init(_ text: String) { self.init(bytes: Array(text.utf8)) }

    /// For messages: what is not UTF-8 is repaired.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The text when the bytes are valid UTF-8.
    package var validText: String? { String(validating: bytes, as: UTF8.self) }

    package var isEmpty: Bool { bytes.isEmpty }
    package var isAbsolute: Bool { bytes.first == UInt8(ascii: "/") }

    /// The last component after trailing slashes are dropped: Go's `path.Base` (`.` when empty, `/` for the root).
    package var base: BytePath {
        if bytes.isEmpty { return "." }
        var end = bytes.count
        while end > 0, bytes[end - 1] == UInt8(ascii: "/") { end -= 1 }
        if end == 0 { return "/" }
        let start = bytes[..<end].lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        return BytePath(bytes: bytes[start..<end])
    }

    /// All but the last component, lexically cleaned: Go's `path.Dir`.
    package var directory: BytePath {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return BytePath(bytes: bytes[...slash]).cleaned
    }

    /// The components between slashes, empty ones and `.` left out; `..` kept.
    package var components: [BytePath] {
        bytes.split(separator: UInt8(ascii: "/")).map { BytePath(bytes: $0) }.filter { $0 != "." }
    }

    /// Go's `path.Clean`: the shortest equivalent path by text alone; `.` for an empty one.
    package var cleaned: BytePath {
        var kept: [BytePath] = []
        for part in components {
            if part == ".." {
                if let last = kept.last, last != ".." { kept.removeLast() } else if !isAbsolute { kept.append(part) }
            } else {
                kept.append(part)
            }
        }
        let joined = Array(kept.map(\.bytes).joined(separator: [UInt8(ascii: "/")]))
        if isAbsolute { return BytePath(bytes: [UInt8(ascii: "/")] + joined) }
        return joined.isEmpty ? "." : BytePath(bytes: joined)
    }

    /// `self/other`, without cleaning; an empty side gives the other.
    package func appending(_ other: BytePath) -> BytePath {
        if isEmpty { return other }
        if other.isEmpty { return self }
        if bytes.last == UInt8(ascii: "/") { return BytePath(bytes: bytes + other.bytes) }
        return BytePath(bytes: bytes + [UInt8(ascii: "/")] + other.bytes)
    }

    /// The same path with text added at its end, e.g. `.tmp`.
    package func suffixed(_ text: String) -> BytePath { BytePath(bytes: bytes + Array(text.utf8)) }

    /// Whether this (cleaned) path is `parent` or lies below it, by components.
    package func isAtOrBelow(_ parent: BytePath) -> Bool {
        if self == parent || parent == "/" && isAbsolute { return true }
        return bytes.starts(with: parent.bytes) && bytes.count > parent.bytes.count
            && bytes[parent.bytes.count] == UInt8(ascii: "/")
    }

    /// Lends the path as a C string for the length of the call.
    package func withCString<R, E: Error>(_ body: (UnsafePointer<CChar>) throws(E) -> R) throws(E) -> R {
        try unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { (buffer) throws(E) in
            for index in bytes.indices { unsafe buffer[index] = CChar(bitPattern: bytes[index]) }
            unsafe buffer[bytes.count] = 0
            return try unsafe body(UnsafePointer(buffer.baseAddress!))
        }
    }
}

extension BytePath: ExpressibleByStringLiteral, CustomStringConvertible, Comparable {
    package init(stringLiteral value: String) { self.init(value) }
    package var description: String { text }
    package static func < (left: BytePath, right: BytePath) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }
}
