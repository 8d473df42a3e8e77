import CRE2
import Testing

@Suite struct PatternTests {
    private static func compile(_ expression: String) -> (pattern: OpaquePointer?, error: String) {
        var error = [CChar](repeating: 0, count: 32)
        let pattern = cre2_compile(expression, expression.utf8.count, &error, error.count)
        return (pattern, String(cString: error))
    }

    private static func matches(_ expression: String, _ text: [UInt8]) -> Bool? {
        guard let pattern = compile(expression).pattern else { return nil }
        defer { cre2_free(pattern) }
        return text.withUnsafeBytes { cre2_matches(pattern, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count) }
    }

    @Test(arguments: [
        ("b+", "abbc", true), ("^b", "abbc", false), ("^a.*c$", "abbc", true), ("", "", true), ("x", "", false),
        ("(?i)TIMEOUT", "i/o timeout", true), ("a.c", "a\nc", false), ("(?s)a.c", "a\nc", true), ("^b", "a\nb", false),
        ("(?m)^b", "a\nb", true), (#"\d{3}\b"#, "status 503 x", true), ("ä", "xäy", true), ("[à-ü]", "ä", true),
    ])
    func matchesAnywhereAsGoDoes(expression: String, text: String, expected: Bool) {
        #expect(Self.matches(expression, Array(text.utf8)) == expected)
    }

    @Test func takesTextWithZeroesAndBrokenUTF8() {
        #expect(Self.matches("end$", Array("\0\u{0}a".utf8) + [0xE4, 0xFF] + Array("end".utf8)) == true)
        #expect(Self.matches("a\\x00b", [0x61, 0, 0x62]) == true)
    }

    @Test(arguments: ["a(", "[z-a]", "*", "a{2,1}", "(?<x", #"\"#, "(?=a)", #"(a)\1"#])
    func refusesABadExpressionWithItsText(expression: String) {
        let (pattern, error) = Self.compile(expression)
        #expect(pattern == nil)
        #expect(!error.isEmpty && !error.contains("\n"))
    }

    @Test func cutsALongErrorToItsPlace() {
        let (pattern, error) = Self.compile("(" + String(repeating: "long", count: 100))
        #expect(pattern == nil)
        #expect(error.utf8.count == 31)
    }

    @Test func takesTimeInProportionToTheText() {
        // A backtracking engine would need 2^40 steps here.
        let text = [UInt8](repeating: 0x61, count: 40)
        #expect(Self.matches("^(a+)+b$", text) == false)
    }
}
