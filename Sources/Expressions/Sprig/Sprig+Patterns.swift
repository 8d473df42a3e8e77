import ExpressionValues
import RegularExpressions

extension SprigCall {
    func patterns() throws(Fault) -> Value? {
        switch function {
        case .regexMatch, .mustRegexMatch:
            do throws(Fault) {
                return .bool(try evaluator.pattern(text(0)).matches(text(1)))
            } catch {
                if function == .mustRegexMatch { throw error }
                return .bool(false)
            }
        case .regexFind, .mustRegexFind:
            let subject = Array(text(1).utf8)
            let match = try evaluator.pattern(text(0)).firstMatch(in: subject, from: 0)
            return .string(match?[0].map { Bytes.text(subject[$0]) } ?? "")
        case .regexFindAll, .mustRegexFindAll:
            let subject = Array(text(1).utf8)
            let matches = try matches(in: subject, atMost: integer(2) < 0 ? .max : integer(2))
            return matches.isEmpty ? .list(.none) : .strings(matches.map { Bytes.text(subject[$0]) })
        case .regexReplaceAll, .mustRegexReplaceAll, .regexReplaceAllLiteral, .mustRegexReplaceAllLiteral:
            let isLiteral = function == .regexReplaceAllLiteral || function == .mustRegexReplaceAllLiteral
            let pattern = try evaluator.pattern(text(0))
            let subject = Array(text(1).utf8)
            try chargeSearch(subject.count)
            try evaluator.checkGrowth(of: text(1), by: text(2))
            return .string(Bytes.text(pattern.replacingAll(in: subject, with: Array(text(2).utf8), isLiteral: isLiteral)))
        case .regexSplit, .mustRegexSplit: return try parts()
        case .regexQuoteMeta:
            var output = ""
            for scalar in text(0).unicodeScalars {
                if "\\.+*?()|[]{}^$".unicodeScalars.contains(scalar) { output += "\\" }
                output.unicodeScalars.append(scalar)
            }
            return .string(output)
        default: return nil
        }
    }

    /// Each match may search to the end of the text.
    private func chargeSearch(_ length: Int) throws(Fault) { try evaluator.spend(length) }

    private func matches(in subject: [UInt8], atMost limit: Int) throws(Fault) -> [Range<Int>] {
        try chargeSearch(subject.count)
        return try evaluator.pattern(text(0)).allMatches(in: subject, atMost: limit).compactMap { $0[0] }
    }

    private func parts() throws(Fault) -> Value {
        let limit = integer(2)
        if limit == 0 { return .list(.none) }
        let subject = Array(text(1).utf8)
        if subject.isEmpty, !text(0).isEmpty { return .strings([""]) }
        var parts: [String] = []
        var start = 0
        var end = 0
        for match in try matches(in: subject, atMost: limit < 0 ? .max : limit) {
            if limit > 0, parts.count == limit - 1 { break }
            end = match.lowerBound
            if match.upperBound != 0 { parts.append(Bytes.text(subject[start..<end])) }
            start = match.upperBound
        }
        if end != subject.count { parts.append(Bytes.text(subject[start...])) }
        return .strings(parts)
    }
}
