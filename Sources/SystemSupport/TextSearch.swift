extension StringProtocol {
    // The standard library's functions of these names bring its regular expressions along, which is a twelfth of the product.
    // These take their place wherever this module is imported; `scripts/build-static` tells where one was missed.

    /// Where `part` occurs first, byte for byte; an empty part at the start.
    package func firstRange(of part: String) -> Range<Index>? {
        let text = utf8
        let wanted = part.utf8
        var start = text.startIndex
        while true {
            var position = start
            var rest = wanted.makeIterator()
            while true {
                guard let byte = rest.next() else { return start..<position }
                guard position < text.endIndex else { return nil }
                guard text[position] == byte else { break }
                position = text.index(after: position)
            }
            start = text.index(after: start)
        }
    }

    /// Whether `part` occurs, byte for byte.
    package func contains(_ part: String) -> Bool { firstRange(of: part) != nil }
}
