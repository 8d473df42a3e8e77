import RegularExpressions
import Testing

@Suite struct RegularExpressionTests {
    @Test func matchesAnywhereAndByRE2sRules() throws {
        let pattern = try #require(RegularExpression("(?i)slow down|^exactly$"))
        #expect(pattern.matches("503 please SLOW DOWN now"))
        #expect(pattern.matches("exactly"))
        #expect(!pattern.matches("not exactly"))
        #expect(!pattern.matches(""))
    }

    @Test func isNoneWhereTheExpressionIsNotValid() {
        #expect(RegularExpression("(") == nil)
        #expect(RegularExpression("(?!ahead)") == nil)
    }
}
