import Testing

@testable import SystemSupport

@Suite struct HexadecimalTests {
    @Test func readsWhatItWrites() {
        let all = (0...255).map { UInt8($0) }
        #expect(bytes(ofHexadecimal: hexadecimal(all).utf8) == all)
        #expect(bytes(ofHexadecimal: hexadecimal(all).uppercased().utf8) == all)
        #expect(bytes(ofHexadecimal: "".utf8) == [])
    }

    @Test(arguments: ["0", "000", "0g", "+1", "-1", "0x", " 0", "ä0"]) func refusesOtherText(text: String) {
        #expect(bytes(ofHexadecimal: text.utf8) == nil)
    }
}
