extension StringProtocol {
    /// Without white space at either end.
    package var trimmed: String {
        var rest = self[...]
        while let last = rest.last, last.isWhitespace { rest = rest.dropLast() }
        while let first = rest.first, first.isWhitespace { rest = rest.dropFirst() }
        return String(rest)
    }
}
