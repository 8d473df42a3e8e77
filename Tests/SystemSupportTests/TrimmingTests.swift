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

@Suite struct HexadecimalTests {
    @Test func goesBothWays() {
        #expect(hexadecimal([0x00, 0xAF, 0x7F]) == "00af7f")
        #expect(hexadecimalBytes("00Af7f") == [0x00, 0xAF, 0x7F])
        #expect(hexadecimalBytes("") == [])
        #expect(hexadecimalBytes("0") == nil)
        #expect(hexadecimalBytes("0g") == nil)
        #expect(hexadecimalBytes("+1") == nil)
    }
}
