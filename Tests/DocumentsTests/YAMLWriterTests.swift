import Documents
import Testing

@Suite struct YAMLWriterTests {
    private func text(_ value: JSONValue) -> String { String(decoding: value.yaml(), as: UTF8.self) }

    @Test func writesBlockStyle() {
        let value: JSONValue = [
            "apiVersion": "v1", "empty": [:], "none": [],
            "items": [["name": "a", "args": ["--x", "1", 1, true, .null]], [["b"]]],
        ]
        #expect(
            text(value)
                == """
                apiVersion: v1
                empty: {}
                none: []
                items:
                - name: a
                  args:
                  - --x
                  - "1"
                  - 1
                  - true
                  - null
                -
                  -
                    - b

                """.replacing("-\n  -\n    - b", with: "-\n  -\n    - b"))
    }

    @Test func writesTextOfSeveralLinesAsALiteral() {
        #expect(text(["source": "echo a\n  b\n"]) == "source: |\n  echo a\n    b\n")
        #expect(text(["source": "a\nb"]) == "source: |-\n  a\n  b\n")
        #expect(text(["source": "a\n\nb\n\n"]) == "source: |+\n  a\n\n  b\n\n")
        #expect(text(["source": " a\nb"]) == "source: \" a\\nb\"\n")
    }

    @Test(arguments: [
        "", " ", "a ", " a", "yes", "No", "on", "~", "null", "12", "0x1f", "1e3", ".5", "1:30", "2001-01-01", "-", "- a", "-a",
        "--flag", "---", "--- a", "...", "?", "? a", "?a", ":", ":a", "a:", "a: b", "a:b", "#", "# a", "a # b", "a#b", "&a",
        "*a",
        "!a", "|", ">", "'", "\"", "a'b", "%a", "@a", "`a`", "[a", "{a", "]", "}", ",", "a,b", "{{workflow.name}}", "<<", "=",
        "a\tb",
        "\t", "a\nb", "a\n", "\n", "\na", "a\n ", "a\n\n", "a\n\n\n", "a\n\t\n", "a\r\nb", "\r", "\\", "a\\nb", "ä", "日本", "😀",
        "\u{0}",
        "\u{7}", "\u{7F}", "\u{85}", "\u{A0}", "\u{2028}", "\u{FEFF}", "\u{FFFE}", "\u{FFFF}", "\u{10FFFF}", "a\u{0}b\n",
        ".inf", "-.NaN",
        "a\n  b\n c", "a\n   \nb", "x: |\n  y", "y", "n", "_1", "1_000", "0o7", "+1", "1e999", "é", "e\u{301}",
    ])
    func readsBackTheTextItWrote(_ text: String) throws {
        for value in [["k": .string(text)], [.string(text)], ["o": [["i": .string(text)]]], JSONValue.string(text)]
            as [JSONValue]
        {
            let written = value.yaml()
            #expect(
                try YAMLReader.documents(written, file: "w").first?.value == value,
                "\(String(decoding: written, as: UTF8.self))")
        }
        let key: JSONValue = .object(JSONObject([(text, JSONValue.integer(1))]))
        #expect(try YAMLReader.documents(key.yaml(), file: "w").first?.value == key)
    }

    @Test func writesSeveralDocuments() throws {
        let documents: [JSONValue] = [["a": 1], "x\ny\n", ["b"]]
        let written = JSONValue.yaml(documents: documents)
        #expect(String(decoding: written, as: UTF8.self).hasPrefix("---\na: 1\n---\n"))
        #expect(try YAMLReader.documents(written, file: "w").map(\.value) == documents)
    }
}
