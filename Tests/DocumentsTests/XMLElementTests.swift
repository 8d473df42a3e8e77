import Documents
import Testing

@Suite struct XMLElementTests {
    private func parse(_ text: String) -> XMLElement? { XMLElement.parse(Array(text.utf8)) }

    @Test func readsElementsTextAndReferences() throws {
        let root = try #require(
            parse(
                """
                <?xml version="1.0" encoding="UTF-8"?>
                <s3:List xmlns:s3="urn:x"><Key>a &amp; b&#10;c</Key><Key>ä<![CDATA[<d>]]></Key><Empty/></s3:List>
                """))
        #expect(root.name == "List")
        #expect(root["Key"]?.text == "a & b\nc")
        #expect(root.all("Key").map(\.text) == ["a & b\nc", "ä<d>"])
        #expect(root["Empty"] == XMLElement(name: "Empty"))
        #expect(root["Other"] == nil)
    }

    @Test(arguments: ["", "plain text", "<a>", "<a></b>", "<a/><b/>", "<a>&undefined;</a>", "<html><br></html>"])
    func refusesWhatIsNotWellFormed(text: String) { #expect(parse(text) == nil) }

    @Test func refusesDocumentTypes() {
        #expect(parse("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>") == nil)
        #expect(parse("<!DOCTYPE html><html></html>") == nil)
    }

    @Test func refusesDeepNesting() {
        let deep = String(repeating: "<a>", count: 65) + String(repeating: "</a>", count: 65)
        #expect(parse(deep) == nil)
        let fits = String(repeating: "<a>", count: 64) + String(repeating: "</a>", count: 64)
        #expect(parse(fits) != nil)
    }

    @Test func readsDocumentsLargerThanOnePiece() throws {
        let keys = (0..<20_000).map { "<Key>object-\($0)-é</Key>" }.joined()
        let root = try #require(parse("<List>\(keys)</List>"))
        #expect(root.all("Key").count == 20_000)
        #expect(root.children.last?.text == "object-19999-é")
        #expect(parse("<List>\(keys)") == nil)
    }

    @Test func readsLatin1WhereTheDocumentSaysSo() {
        let bytes = Array("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>".utf8) + [0xE4] + Array("</a>".utf8)
        #expect(XMLElement.parse(bytes)?.text == "ä")
        #expect(XMLElement.parse(Array("<a>".utf8) + [0xE4] + Array("</a>".utf8)) == nil)
    }

    @Test func escapesWhatAnElementMayHold() {
        #expect(XMLElement.escape("a<b>&\"c\"\n\u{E4}") == "a&lt;b&gt;&amp;\"c\"&#10;\u{E4}")
        #expect(XMLElement.escape("bell\u{7}") == nil)
        #expect(XMLElement.escape("\u{FFFF}") == nil)
        let text = "tab\tline\nreturn\r<&>"
        #expect(parse("<a>\(XMLElement.escape(text)!)</a>")?.text == text)
    }
}
