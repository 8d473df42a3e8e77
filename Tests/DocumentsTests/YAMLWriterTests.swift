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
        String(repeating: "k", count: 1020), String(repeating: "k", count: 1030), String(repeating: "\u{7}", count: 300),
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

    /// What readers of other languages and of either YAML take for something else than a text, as PyYAML, ruamel, js-yaml, Psych and
    /// goyaml have it.
    @Test(arguments: [
        "2024-01-01", "2024-1-1", "2024-01-01T00:00:00Z", "2024-01-01 10:20:30", "2024-01-01t10:20:30.5+01:00",
        "0001-01-01T00:00:00Z",
        "1:30", "1:30:00", "-1:30.5", "190:20:30", "1:30:00.5", "12e03", "685.230_15e+03", "6.8523015e+5",
        "0xFFFFFFFFFFFFFFFFFFFF", "-0x10", "+0xff", "0b1010_0111", "0o17", "017", "0o8", "08", "018446744073709551616",
        "18446744073709551616", "-9223372036854775809", "1_000_000", "1,000", "1.", "1.5", "+1", "-1", "+.5", "-.5", "1e5",
        "1E-5",
        ".inf", "-.INF", "+.Inf", ".nan", ".NaN", "inf", "NaN", "=", "<<", "~", "", "null", "NULL", "Null",
        "y", "Y", "n", "N", "yes", "Yes", "YES", "no", "NO", "on", "On", "OFF", "off", "true", "True", "TRUE", "false", "FALSE",
        "tRuE",
        "-", "?", ":", "- a", "? a", ": a", ":a", ":symbol", "-1a", "--", "---", "--- a", "...", "... a", "#a", "a #b", "a: b",
        "a:",
        "!a", "!!str a", "&a", "*a", "|", ">", "%a", "@a", "`a`", "'a'", "\"a\"", "[a]", "{a}", "{{a}}", ",a", " a", "a ",
        "\ta", "a\t",
        "\u{FEFF}a", "a\u{FEFF}", "\u{A0}a", "a\u{A0}", "\u{85}", "a\u{85}b", "\u{2028}", "a\u{0}b", "\u{1B}[31m", "\u{7F}",
        "\u{FFFE}",
        "a\rb", "1Gi", "10.0.0.1", "12:34:56:78:9a:bc",
    ])
    func quotesWhatSomeReaderTakesForSomethingElse(_ text: String) {
        // A text that begins and ends so is a text for every reader.
        let isQuoted = { (written: Substring) in written.hasPrefix("\"") && written.hasSuffix("\"") }
        let key = self.text(.object(JSONObject([(text, JSONValue.bool(true))])))
        #expect(isQuoted(key.dropLast(": true\n".count)), "\(key)")
        let value = self.text(["k": .string(text)])
        #expect(isQuoted(value.dropFirst("k: ".count).dropLast()), "\(value)")
        let element = self.text([.string(text)])
        #expect(isQuoted(element.dropFirst("- ".count).dropLast()), "\(element)")
    }

    @Test(arguments: [
        "a", "alpine:3", "quay.io/argoproj/argoexec:latest", "--flag", "-c", "--set=a:b", "/var/run/argo", "./run.sh", "../x",
        "a#b", "a, b",
        "echo 'hi' && exit 1", "_x", "$(VAR)", "yes, please", "nothing", "on-exit", "ä", "日本",
    ])
    func leavesPlainWhatEveryReaderTakesForText(_ text: String) {
        #expect(self.text(["k": .string(text)]) == "k: \(text)\n")
        #expect(self.text(.object(JSONObject([(text, JSONValue.bool(true))]))) == "\(text): true\n")
    }

    @Test(arguments: [
        ("1", "1"), ("-0", "-0"), ("1.5", "1.5"), ("1e3", "1.0e+3"), ("1E400", "1.0e+400"), ("1.5e-7", "1.5e-7"),
        ("-2.5E+10", "-2.5e+10"),
    ])
    func writesNumbersThatAreNumbersForEveryReader(_ number: String, _ written: String) throws {
        #expect(text(["k": try JSONValue(parsing: Array(number.utf8))]) == "k: \(written)\n")
    }

    @Test func asksForAKeyThatIsTooLongToBeFound() {
        let name = String(repeating: "k", count: 2000)
        let value: JSONValue = .object(JSONObject([(name, JSONValue.object(["a": 1])), ("b", 2)]))
        #expect(text(value) == "? \(name)\n:\n  a: 1\nb: 2\n")
    }

    @Test func writesSeveralDocuments() throws {
        let documents: [JSONValue] = [["a": 1], "x\ny\n", ["b"]]
        let written = JSONValue.yaml(documents: documents)
        #expect(String(decoding: written, as: UTF8.self).hasPrefix("---\na: 1\n---\n"))
        #expect(try YAMLReader.documents(written, file: "w").map(\.value) == documents)
    }
}
