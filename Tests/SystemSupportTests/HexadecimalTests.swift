import Testing

@testable import SystemSupport

@Suite struct HexadecimalTests {
    @Test func readsWhatItWrites() {
        let all = (0...255).map { UInt8($0) }
        #expect(hexadecimalBytes(of: hexadecimal(all).utf8) == all)
        #expect(hexadecimalBytes(of: hexadecimal(all).uppercased().utf8) == all)
        #expect(hexadecimalBytes(of: "".utf8) == [])
    }

    @Test(arguments: ["0", "000", "0g", "+1", "-1", "0x", " 0", "ä0"]) func refusesOtherText(text: String) {
        #expect(hexadecimalBytes(of: text.utf8) == nil)
    }
}
