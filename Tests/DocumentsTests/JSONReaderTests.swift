import Documents
import SystemSupport
import Testing

@Suite struct JSONReaderTests {
    @Test(arguments: [
        "null", " true ", "false", "0", "-0", "10", "1.5", "-1.50e+10", "1E5", "0e0", "\"\"", "[]", "{}", "[ ]", "{ }", "[1,2]",
        "{\"a\":1}", "\t\r\n [1 , 2 ]\n", "{\"\":[{}]}", "\"\u{7F}\"", "123456789012345678901234567890",
    ])
    func acceptsStrictJSON(_ text: String) throws {
        _ = try JSONValue(parsing: text)
    }

    @Test(arguments: [
        "", " ", "nul", "nulll", "True", "NaN", "Infinity", "-Infinity", "+1", "01", "-01", "-", ".5", "1.", "[1.]", "1.e5",
        "1e",
        "1e+", "0x10", "1_000", "'a'", "{'a':1}", "{a:1}", "[1,]", "[,1]", "[1 2]", "{\"a\":1,}", "{,}", "{\"a\"}", "{\"a\":}",
        "{\"a\" 1}", "{1:2}", "[", "{", "[1", "{\"a\":1", "\"", "\"abc", "\"\\", "\"\\u12\"", "\"\\u12g4\"", "\"\\x41\"",
        "\"\\'\"",
        "\"a\nb\"", "\"a\tb\"", "\"a\0b\"", "1 2", "[]]", "{}}", "// c\n1", "/* c */1", "\u{FEFF}1", "\u{A0}1",
    ])
    func rejectsWhatIsNoJSON(_ text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    }

    @Test(arguments: [
        ("", 1, 1), ("{\n  \"a\": 1,\n  b\n}", 3, 3), ("[1,\n2,\n\n  x]", 4, 3), ("[\"ä\", x]", 1, 8), ("{\"a\":1} x", 1, 9),
        ("[1", 1, 3),
    ])
    func tellsLineAndColumnInBytes(_ text: String, _ line: Int, _ column: Int) throws {
        let error = try #require(throws: JSONError.self) { try JSONValue(parsing: text) }
        #expect(error.line == line)
        #expect(error.column == column)
        #expect(error.message.hasPrefix("parse JSON: line \(line), column \(column): "))
        #expect(!error.message.contains("\n"))
    }

    @Test(arguments: [
        ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\u{8}\u{C}\n\r\t"), ("\"\\u0041\\u00e4\\u20AC\"", "Aä€"),
        ("\"\\ud83d\\ude00\"", "😀"),
        ("\"\\u0000\"", "\0"), ("\"a\\u000ab\"", "a\nb"),
    ])
    func readsEscapes(_ text: String, _ expected: String) throws {
        #expect(try JSONValue(parsing: text) == .string(expected))
    }

    @Test(arguments: [
        ("\"\\ud800\"", "\u{FFFD}"), ("\"\\udc00\"", "\u{FFFD}"), ("\"\\ud800A\"", "\u{FFFD}A"),
        ("\"\\ud800\\u0041\"", "\u{FFFD}A"),
        ("\"\\ud800\\ud83d\\ude00\"", "\u{FFFD}😀"), ("\"\\ude00\\ud83d\"", "\u{FFFD}\u{FFFD}"),
        ("\"\\ud800\\n\"", "\u{FFFD}\n"),
    ])
    func loneSurrogatesBecomeReplacements(_ text: String, _ expected: String) throws {
        #expect(try JSONValue(parsing: text) == .string(expected))
    }

    @Test(
        arguments: [
            ([0xE4], "\u{FFFD}"), ([0xE2, 0x82], "\u{FFFD}\u{FFFD}"), ([0xC0, 0x80], "\u{FFFD}\u{FFFD}"),
            ([0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"), ([0xF4, 0x90, 0x80, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
            ([0x61, 0xFF, 0xC3, 0xA4], "a\u{FFFD}ä"), ([0xF0, 0x9F, 0x98, 0x80], "😀"),
        ] as [([UInt8], String)])
    func invalidBytesBecomeOneReplacementEach(_ content: [UInt8], _ expected: String) throws {
        #expect(try JSONValue(parsing: [0x22] + content + [0x22]) == .string(expected))
        // With an escape in the string, another way through the reader.
        #expect(try JSONValue(parsing: Array("\"\\n".utf8) + content + [0x22]) == .string("\n" + expected))
    }

    @Test func keepsMemberOrderAndNumberText() throws {
        let text = #"{"z":1.50,"a":[1e3,-0,123456789012345678901234567890],"m":{"y":0.10,"b":null}}"#
        #expect(try JSONValue(parsing: text).serializedText() == text)
    }

    @Test func ofEqualNamesTheLastCountsAtTheFirstPlace() throws {
        let value = try JSONValue(parsing: #"{"a":1,"b":2,"a":{"c":3}}"#)
        #expect(value.serializedText() == #"{"a":{"c":3},"b":2}"#)
    }

    @Test func namesAreToldApartByBytes() throws {
        // The same letter composed and decomposed: equal as Swift strings, two names in JSON.
        let text = "{\"\u{E9}\":1,\"e\u{301}\":2}"
        let value = try JSONValue(parsing: text)
        #expect(value.object?.count == 2)
        #expect(value["\u{E9}"]?.int == 1)
        #expect(value["e\u{301}"]?.int == 2)
        #expect(value.serialized() == Array(text.utf8))
    }

    @Test(arguments: ["[", "{\"a\":"])
    func deepNestingIsAnErrorNotACrash(_ opening: String) throws {
        let deep = String(repeating: opening, count: 1_000_000)
        let error = try #require(throws: JSONError.self) { try JSONValue(parsing: deep) }
        #expect(error.reason == "nested deeper than \(JSONValue.maximumDepth) levels")
    }

    @Test func theDeepestDocumentFitsTheSmallestStack() throws {
        // Reading, comparing, writing and freeing recurse; a stack overflow here ends the test process.
        let outcome = Monitor<Bool?>(nil)
        let thread = try WorkerThread {
            let depth = JSONValue.maximumDepth
            let half = depth / 2
            let text = String(repeating: "{\"a\":[", count: half) + "1" + String(repeating: "]}", count: half)
            let isSame = try? JSONValue(parsing: text) == JSONValue(parsing: text)
            let isKept = try? JSONValue(parsing: text).serializedText(sortedKeys: true) == text
            outcome.update { $0 = isSame == true && isKept == true }
        }
        thread.join()
        #expect(outcome.current == true)
    }

    @Test func depthCountsLevelsNotBrackets() throws {
        let wide = "[" + Array(repeating: "[]", count: 10_000).joined(separator: ",") + "]"
        #expect(try JSONValue(parsing: wide).array?.count == 10_000)
    }

    @Test func largeObjectsAreReadAndSearchedQuickly() throws {
        let count = 20_000
        let text = "{" + (0..<count).map { "\"k\($0)\":\($0)" }.joined(separator: ",") + "}"
        var object = try #require(try JSONValue(parsing: text).object)
        #expect(object.count == count)
        for number in stride(from: 0, to: count, by: 7) { #expect(object["k\(number)"]?.int == Int64(number)) }
        object["k5"] = nil
        object["k7"] = "new"
        object["extra"] = 1
        #expect(object["k5"] == nil)
        #expect(object["k6"]?.int == 6)
        #expect(object["k7"]?.string == "new")
        #expect(object.members[6].name == "k7")
        #expect(object.members.last?.name == "extra")
    }
}
