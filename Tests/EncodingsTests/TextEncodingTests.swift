import Encodings
import Testing

@Suite struct TextEncodingTests {
    @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")])
    func base64GoesBothWays(plain: String, encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(plain.utf8))
    }

    @Test func base64UsesTheStandardAlphabet() {
        #expect(Base64.encode([0xFB, 0xFF, 0xBF]) == "+/+/")
        #expect(Base64.decode("+/+/") == [0xFB, 0xFF, 0xBF])
    }

    @Test(arguments: ["Zg=", "Zg", "Z===", "Zm9v\n", "Zm-v", "=Zg=", "Zm9vZ"])
    func base64RefusesWhatIsNotBase64(text: String) { #expect(Base64.decode(text) == nil) }

    @Test func percentEncodingKeepsOnlyTheUnreserved() {
        #expect(PercentEncoding.encode("aZ09-._~ +/%ä") == "aZ09-._~%20%2B%2F%25%C3%A4")
        #expect(PercentEncoding.encode("a/b c", keepingSlashes: true) == "a/b%20c")
        #expect(PercentEncoding.encode([0xE4, 0x00, 0x0A]) == "%E4%00%0A")
    }

    @Test func percentDecodingLeavesBrokenSequences() {
        #expect(PercentEncoding.decode(Array("a%20b+c%2bd%".utf8)) == Array("a b+c+d%".utf8))
        #expect(PercentEncoding.decode(Array("a+b%2Bc".utf8), plusIsSpace: true) == Array("a b+c".utf8))
        #expect(PercentEncoding.decode(Array("%zz%4".utf8)) == Array("%zz%4".utf8))
        #expect(PercentEncoding.decode(Array("%E4".utf8)) == [0xE4])
    }
}

@Suite struct PercentEncodingRuleTests {
    @Test func keepsWhatTheCallerKeeps() {
        #expect(PercentEncoding.encode(Array("a/b?c".utf8)) { $0 != UInt8(ascii: "?") } == "a/b%3Fc")
    }

    @Test(arguments: [("", true), ("a%2Fb", true), ("%", false), ("%4", false), ("a%zz", false), ("%41%4", false)])
    func knowsBrokenSequences(text: String, isWhole: Bool) { #expect(PercentEncoding.isWhole(Array(text.utf8)) == isWhole) }
}
