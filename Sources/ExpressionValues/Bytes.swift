internal import Documents

/// Searches in texts as bytes.
package enum Bytes {
    // Small helpers that are called in many places are kept out of line: the program has to stay small.
    @inline(never)
    package static func begins(_ text: ArraySlice<UInt8>, _ prefix: String) -> Bool { text.starts(with: prefix.utf8) }

    /// The text of bytes; what is no UTF-8 becomes U+FFFD.
    package static func text(_ bytes: some Collection<UInt8>) -> String { RepairedText.string(Array(bytes)) }

    /// Where a part occurs first.
    package static func index(of part: [UInt8], in text: ArraySlice<UInt8>) -> Int? {
        guard let first = part.first else { return text.startIndex }
        guard text.count >= part.count else { return nil }
        var at = text.startIndex
        let last = text.endIndex - part.count
        while at <= last {
            if text[at] == first {
                var length = 1
                while length < part.count, text[at + length] == part[length] { length += 1 }
                if length == part.count { return at }
            }
            at += 1
        }
        return nil
    }

    package static func lastIndex(of part: [UInt8], in text: [UInt8]) -> Int? {
        var at = text.count - part.count
        while at >= 0 {
            if text[at..<at + part.count].elementsEqual(part) { return at }
            at -= 1
        }
        return nil
    }

    /// The parts between separators; an empty separator parts into characters.
    ///
    /// - Parameters:
    ///   - limit: of how many parts at most, the last with all the rest; below 0 for all, nil for 0.
    ///   - keepsSeparator: at the end of each part.
    package static func split(_ text: String, by separator: String, limit: Int = -1, keepsSeparator: Bool = false) -> [String]?
    {
        if limit == 0 { return nil }
        let most = limit < 0 ? Int.max : limit
        if separator.isEmpty {
            let scalars = Array(text.unicodeScalars)
            var parts = scalars.prefix(most).map { String($0) }
            if scalars.count > parts.count {
                parts[parts.count - 1] += String(String.UnicodeScalarView(scalars[parts.count...]))
            }
            return parts
        }
        let wanted = Array(separator.utf8)
        var rest = Array(text.utf8)[...]
        var parts: [String] = []
        while parts.count + 1 < most, let at = index(of: wanted, in: rest) {
            parts.append(self.text(rest[..<(keepsSeparator ? at + wanted.count : at)]))
            rest = rest[(at + wanted.count)...]
        }
        return parts + [self.text(rest)]
    }

    /// - Parameter limit: how many are replaced; below 0 for all.
    package static func replace(_ text: String, _ old: String, by new: String, limit: Int = -1) -> String {
        if limit == 0 || hasEqualBytes(old, new) { return text }
        var left = limit < 0 ? Int.max : limit
        if old.isEmpty {
            var output = ""
            for scalar in text.unicodeScalars {
                if left > 0 { output += new }
                left -= 1
                output.unicodeScalars.append(scalar)
            }
            return left > 0 ? output + new : output
        }
        let wanted = Array(old.utf8)
        var rest = Array(text.utf8)[...]
        var output: [UInt8] = []
        while left > 0, let at = index(of: wanted, in: rest) {
            output += rest[..<at]
            output += new.utf8
            rest = rest[(at + wanted.count)...]
            left -= 1
        }
        return self.text(output + rest)
    }

    /// Without characters of a set at both ends.
    package static func trim(_ text: String, where isTrimmed: (Unicode.Scalar) -> Bool) -> String {
        var scalars = text.unicodeScalars[...]
        while let first = scalars.first, isTrimmed(first) { scalars.removeFirst() }
        while let last = scalars.last, isTrimmed(last) { scalars.removeLast() }
        return String(scalars)
    }

    package static func trim(_ text: String, _ characters: String) -> String {
        let set = Array(characters.unicodeScalars)
        return trim(text) { set.contains($0) }
    }

    package static func trimPrefix(_ text: String, _ prefix: String) -> String {
        text.utf8.starts(with: prefix.utf8) ? self.text(text.utf8.dropFirst(prefix.utf8.count)) : text
    }

    package static func trimSuffix(_ text: String, _ suffix: String) -> String {
        let count = suffix.utf8.count
        guard text.utf8.count >= count, text.utf8.suffix(count).elementsEqual(suffix.utf8) else { return text }
        return self.text(text.utf8.dropLast(count))
    }

    /// In upper case, character by character: one whose upper case is several characters stays as it is.
    package static func upper(_ text: String) -> String { mapped(text) { upper($0) } }
    package static func lower(_ text: String) -> String { mapped(text) { lower($0) } }

    package static func upper(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        single(scalar.properties.uppercaseMapping) ?? scalar
    }
    package static func lower(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        scalar == "\u{130}" ? "i" : single(scalar.properties.lowercaseMapping) ?? scalar
    }

    package static func mapped(_ text: String, _ change: (Unicode.Scalar) -> Unicode.Scalar) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map(change)))
    }

    private static func single(_ text: String) -> Unicode.Scalar? {
        text.unicodeScalars.count == 1 ? text.unicodeScalars.first : nil
    }
}
