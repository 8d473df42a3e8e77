import SystemSupport
import Testing

@Suite struct TextSearchTests {
    @Test(arguments: [
        ("", "", true), ("abc", "", true), ("", "a", false), ("abc", "abc", true), ("abc", "bc", true), ("abc", "bd", false),
        ("aab", "ab", true), ("ab", "abc", false), ("http://a", "://", true), ("xäy", "ä", true), ("e\u{301}", "e", true),
    ])
    func findsAPartByBytes(text: String, part: String, expected: Bool) {
        #expect(text.contains(part) == expected)
        #expect(text.dropFirst(0).contains(part) == expected)
    }

    @Test func tellsWhereThePartIs() throws {
        let text = "scheme://rest://more"
        let range = try #require(text.firstRange(of: "://"))
        #expect(text[..<range.lowerBound] == "scheme")
        #expect(text[range.upperBound...] == "rest://more")
        #expect(text.dropFirst(8).firstRange(of: "scheme") == nil)
    }
}
