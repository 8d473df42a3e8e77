import RegularExpressions
import Testing

@Suite struct RegularExpressionTests {
    @Test func matchesAnywhereAndByRE2sRules() throws {
        let pattern = try RegularExpression("(?i)slow down|^exactly$")
        #expect(pattern.matches("503 please SLOW DOWN now"))
        #expect(pattern.matches("exactly"))
        #expect(!pattern.matches("not exactly"))
        #expect(!pattern.matches(""))
    }

    @Test func isNoneWhereTheExpressionIsNotValid() {
        #expect(throws: RegularExpression.Invalid.self) { try RegularExpression("(") }
        #expect(throws: RegularExpression.Invalid.self) { try RegularExpression("(?!ahead)") }
    }

    @Test func findsAllMatchesThatDoNotOverlap() throws {
        func all(_ pattern: String, _ text: String) throws -> [Range<Int>] {
            try RegularExpression(pattern).allMatches(in: Array(text.utf8)).compactMap { $0[0] }
        }
        #expect(try all("a+", "baac a") == [1..<3, 5..<6])
        #expect(try all("a*", "baac") == [0..<0, 1..<3, 4..<4])
        #expect(try all("", "é") == [0..<0, 2..<2])
    }

    @Test func tellsGroupsThatTookNoPart() throws {
        let match = try RegularExpression("(a)|(b)").firstMatch(in: Array("xb".utf8), from: 0)
        #expect(match == [1..<2, nil, 1..<2])
    }

    @Test func aBadPatternHasAReason() {
        #expect(throws: RegularExpression.Invalid.self) { try RegularExpression("a(") }
    }

    @Test func matchingIsLinear() throws {
        let text = String(repeating: "a", count: 200_000)
        #expect(try !RegularExpression("^(a|aa)+$b").matches(text))
        #expect(try RegularExpression("(a*)*(a*)*(a*)*$").matches(text))
    }
}
