import SystemSupport
import Testing

@Suite struct TrimmingTests {
    @Test(arguments: [
        ("", ""), (" \t\r\n", ""), ("a", "a"), (" a b\n", "a b"), ("\r\na\r\n", "a"), ("\u{A0}a\u{2003}", "a"),
    ])
    func takesWhiteSpaceFromBothEnds(text: String, expected: String) {
        #expect(text.trimmed == expected)
        #expect(text[...].trimmed == expected)
    }
}
