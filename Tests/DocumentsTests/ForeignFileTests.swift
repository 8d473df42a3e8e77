import Documents
import Testing

/// Files of other tools, which are read as those tools read them.
@Suite struct ForeignFileTests {
    private func read(_ text: String, name: String = "f") throws -> MarkedDocument {
        try #require(YAMLReader.foreignFile(Array(text.utf8), name: name).first)
    }

    @Test(
        arguments: [
            "a: 1\nb: 2\na: 3\n", #"{"a": 1, "b": 2, "a": 3}"#, #"{a: 1, b: 2, "a": 3}"#, "\"a\": 1\nb: 2\n'a': 3\n",
            "  {\"a\": 1, \"b\": 2,\n \"a\": 3}\n",
        ], ["f", "f.json", "f.yaml"]) func ofAKeyThatStandsTwiceTheLastCounts(text: String, name: String) throws
    {
        let document = try read(text, name: name)
        #expect(document.value == ["a": 3, "b": 2])
        #expect(document.repeatedKeys.count == 1)
        #expect(document.repeatedKeys[0].message.contains("is a duplicate"))
    }

    @Test func repetitionsAreToldWithBothPlaces() throws {
        let document = try read("a:\n  b: 1\n  c: 2\n  b: 3\nd: {e: 1, e: {f: 1, f: 2}}\n")
        #expect(document.value == ["a": ["b": 3, "c": 2], "d": ["e": ["f": 2]]])
        // In the order in which they were read to their end.
        #expect(
            document.repeatedKeys.map(\.message) == [
                "f:4:3: the key 'b' is a duplicate; the first is at 2:3",
                "f:5:21: the key 'f' is a duplicate; the first is at 5:15",
                "f:5:11: the key 'e' is a duplicate; the first is at 5:5",
            ])
        #expect(String(describing: document.place(of: DocumentPath.root.member("a").member("b"))) == "f:4:3")
    }

    /// A merge key is no repetition.
    @Test func whatIsMergedMayBeSetAgain() throws {
        let document = try read("x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  a: 3\n")
        #expect(document.value["y"] == ["a": 3, "b": 2])
        #expect(document.repeatedKeys.isEmpty)
    }

    @Test func eachDocumentHasItsOwnRepetitions() throws {
        let documents = try YAMLReader.foreignFile(Array("a: 1\na: 2\n---\nb: 1\n".utf8), name: "f")
        #expect(documents.map(\.repeatedKeys.count) == [1, 0])
    }

    /// Our own files stay strict: one of both values is a mistake.
    @Test(arguments: ["a: 1\na: 2\n", #"{"a": 1, "a": 2}"#]) func ownFilesStayStrict(text: String) {
        #expect(throws: DocumentError.self) { try YAMLReader.file(Array(text.utf8), name: "w.yaml") }
        #expect(throws: DocumentError.self) { try YAMLReader.file(Array(text.utf8), name: "w.json") }
    }

    @Test(arguments: ["a: [1\n", #"{"a": 1"#, "a: 1\n b: 2\n"]) func whatIsNeitherIsAnError(text: String) {
        #expect(throws: DocumentError.self) { try YAMLReader.foreignFile(Array(text.utf8), name: "f.json") }
    }
}
