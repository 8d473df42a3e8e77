import Formats
import Testing

@Suite struct TransientPatternTests {
    @Test func matchesAnywhereAndByRE2sRules() throws {
        let pattern = try #require(TransientPattern("(?i)slow down|^exactly$"))
        #expect(pattern.matches("503 please SLOW DOWN now"))
        #expect(pattern.matches("exactly"))
        #expect(!pattern.matches("not exactly"))
        #expect(!pattern.matches(""))
    }

    @Test func isNoneWhereTheExpressionIsNotValid() {
        #expect(TransientPattern("(") == nil)
        #expect(TransientPattern("(?!ahead)") == nil)
    }
}
