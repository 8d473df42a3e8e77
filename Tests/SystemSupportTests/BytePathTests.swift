import SystemSupport
import Testing

@Suite struct BytePathTests {
    @Test(
        arguments: [
            ("", "."), ("/", "/"), ("a//b/", "a/b"), ("/a/./b/../c", "/a/c"), ("/../a", "/a"), ("../a/..", ".."), ("a/..", "."),
            ("/a/b/../../..", "/"),
        ] as [(BytePath, BytePath)])
    func cleansAsGoDoes(path: BytePath, cleaned: BytePath) { #expect(path.cleaned == cleaned) }

    @Test(arguments: [("", "."), ("/", "/"), ("/a/b", "b"), ("/a/b//", "b"), ("b", "b")] as [(BytePath, BytePath)])
    func namesItsLastComponent(path: BytePath, base: BytePath) { #expect(path.base == base) }

    @Test(arguments: [("/a", "/"), ("/a/b", "/a"), ("a", "."), ("a//b", "a")] as [(BytePath, BytePath)])
    func namesItsDirectory(path: BytePath, directory: BytePath) { #expect(path.directory == directory) }

    @Test func comparesByComponentsNotByText() {
        #expect(BytePath("/a/b").isAtOrBelow("/a"))
        #expect(BytePath("/a").isAtOrBelow("/a"))
        #expect(BytePath("/a").isAtOrBelow("/"))
        #expect(!BytePath("/ab").isAtOrBelow("/a"))
        #expect(!BytePath("/").isAtOrBelow("/a"))
    }

    @Test func keepsBytesThatAreNoText() {
        let latin1 = BytePath(bytes: [0x2F, 0xE4, 0x0A])
        #expect(latin1.base.bytes == [0xE4, 0x0A])
        #expect(latin1.validText == nil)
        #expect(latin1.withCString { name in (0..<4).map { UInt8(bitPattern: name[$0]) } } == [0x2F, 0xE4, 0x0A, 0])
    }

    @Test func tellsTwoSpellingsOfOneLetterApart() {
        #expect(BytePath("\u{E9}") != BytePath("e\u{301}"))
        #expect("\u{E9}" as String == "e\u{301}")
    }

    @Test func endsAtNul() { #expect(BytePath(bytes: [0x61, 0, 0x62]) == "a") }
}
