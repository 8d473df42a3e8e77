import Documents

/// Checks of values that go beyond their kind: what the API server refuses by its schema or its own rules, and the controller
/// would never see.
enum FieldLimits {
    /// What is wrong with a number that must be in a range; nil for nothing.
    static func problem(_ number: Int64, _ range: ClosedRange<Int64>) -> String? {
        range.contains(number)
            ? nil : "\(number) is out of range: expected a number from \(range.lowerBound) to \(range.upperBound)"
    }

    /// What is wrong with a file's permissions: an error beyond 0777, a warning for a number that looks like octal digits read as
    /// decimal ones.
    static func modeProblem(_ mode: Int64) -> (Finding.Severity, String)? {
        let digits = String(mode)
        let meant = digits.count == 3 ? Int64(digits, radix: 8) : nil
        let hint = meant.map { "; did you mean 0\(digits) (in JSON \($0))?" } ?? ""
        if !(0...0o777).contains(mode) {
            return (.error, "mode \(mode) is out of range: expected a number from 0 to 511 (0777)\(hint)")
        }
        // Read as octal they are usual permissions, as decimal they are not.
        guard [400, 440, 444, 500].contains(mode) else { return nil }
        return (.warning, "mode \(mode) means 0\(String(mode, radix: 8))\(hint)")
    }

    static func choiceProblem(_ text: String, _ choices: [String]) -> String? {
        choices.contains(text)
            ? nil
            : "expected one of \(choices.filter { !$0.isEmpty }.joined(separator: ", ")), found '\(text.prefix(40))'"
                + NearName.hint(text, among: choices)
    }

    static func quantityProblem(_ text: String) -> String? {
        isQuantity(text) ? nil : "expected an amount such as 0.5, 100m or 1.5Gi, found '\(text.prefix(40))'"
    }

    /// Kubernetes' notation of amounts: a decimal number, then a binary or decimal unit or an exponent.
    static func isQuantity(_ text: String) -> Bool {
        guard let rest = afterNumber(text[...]) else { return false }
        if rest.isEmpty { return true }
        if ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].contains(rest) { return true }
        if rest.utf8.count == 1, let unit = rest.first, "numkMGTPE".contains(unit) { return true }
        guard rest.first == "e" || rest.first == "E" else { return false }
        return afterNumber(rest.dropFirst())?.isEmpty ?? false
    }

    /// What follows a signed decimal number; nil where there is none.
    private static func afterNumber(_ text: Substring) -> Substring? {
        var rest = text
        if rest.first == "+" || rest.first == "-" { rest.removeFirst() }
        let isDigit = { (character: Character) in character.isASCII && character.isNumber }
        let whole = rest.prefix(while: isDigit)
        rest = rest.dropFirst(whole.count)
        guard rest.first == "." else { return whole.isEmpty ? nil : rest }
        let fraction = rest.dropFirst().prefix(while: isDigit)
        return whole.isEmpty && fraction.isEmpty ? nil : rest.dropFirst(1 + fraction.count)
    }
}
