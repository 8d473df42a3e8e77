import Documents
import Testing

@Suite struct YAMLReaderTests {
    private func documents(_ text: String) throws -> [MarkedDocument] {
        try YAMLReader.documents(Array(text.utf8), file: "w.yaml")
    }

    private func value(_ text: String) throws -> JSONValue { try #require(try documents(text).first).value }

    private func fault(_ text: String) -> String? { fault(Array(text.utf8)) }

    private func fault(_ bytes: [UInt8]) -> String? {
        do {
            _ = try YAMLReader.documents(bytes, file: "w.yaml")
            return nil
        } catch { return error.message }
    }

    @Test func keepsTheOrderOfMembers() throws {
        let value = try value("z: 1\na: {c: 2, b: 3}\nm: [1, two]\n")
        #expect(value.serializedText() == #"{"z":1,"a":{"c":2,"b":3},"m":[1,"two"]}"#)
    }

    @Test func readsSeveralDocuments() throws {
        let documents = try documents("---\na: 1\n---\n# nothing\n---\nb: 2\n...\n---\nc: 3\n")
        #expect(documents.map { $0.value.serializedText() } == [#"{"a":1}"#, "null", #"{"b":2}"#, #"{"c":3}"#])
    }

    @Test func anEmptyFileHasNoDocument() throws {
        #expect(try documents("").isEmpty)
        #expect(try documents("# only a comment\n").isEmpty)
    }

    @Test func knowsThePlaceOfEachValue() throws {
        let document = try #require(
            try documents("spec:\n  templates:\n  - name: ä\n    steps:\n    - - {naïve: x, template: y}\n").first)
        func place(_ path: DocumentPath) -> String { document.place(of: path).description }
        let step = DocumentPath(members: "spec", "templates").element(0).member("steps").element(0).element(0)
        #expect(place(.root) == "w.yaml:1:1")
        #expect(place(DocumentPath(members: "spec", "templates")) == "w.yaml:2:3")
        #expect(place(DocumentPath(members: "spec", "templates").element(0)) == "w.yaml:3:5")
        #expect(place(step) == "w.yaml:5:9")
        // Columns count characters, not bytes.
        #expect(place(step.member("template")) == "w.yaml:5:20")
        #expect(document.valuePlace(of: step.member("template")).description == "w.yaml:5:30")
        // What is not there is where it should be.
        #expect(place(step.member("arguments").member("x")) == "w.yaml:5:9")
        #expect("\(step.member("a.b/c").member("d"))" == "spec.templates[0].steps[0][0]['a.b/c'].d")
    }

    @Test func aliasesRepeatTheirAnchor() throws {
        let value = try value("a: &x {k: [1, 2]}\nb: *x\nc: [*x, &y 5, *y]\n")
        #expect(value.serializedText() == #"{"a":{"k":[1,2]},"b":{"k":[1,2]},"c":[{"k":[1,2]},5,5]}"#)
    }

    @Test func anAnchorMayBeGivenAgain() throws {
        #expect(try value("a: &x 1\nb: *x\nc: &x 2\nd: *x\n").serializedText() == #"{"a":1,"b":1,"c":2,"d":2}"#)
    }

    @Test func anchorsEndWithTheirDocument() {
        #expect(fault("a: &x 1\n---\nb: *x\n") == "w.yaml:3:4: unknown anchor 'x'")
    }

    /// goyaml v2 sets merged members where the merge key stands.
    @Test func mergeKeysSetMembersInPlace() throws {
        let base = "b: &b {k: 1, l: 2}\nc: &c {l: 3, m: 4}\n"
        #expect(try value(base + "v: {<<: *b, l: 9}")["v"]?.serializedText() == #"{"k":1,"l":9}"#)
        #expect(try value(base + "v: {l: 9, <<: *b}")["v"]?.serializedText() == #"{"l":2,"k":1}"#)
        #expect(try value(base + "v: {<<: [*b, *c]}")["v"]?.serializedText() == #"{"l":2,"m":4,"k":1}"#)
        #expect(try value(base + "v: {<<: {q: 1}}")["v"]?.serializedText() == #"{"q":1}"#)
        #expect(try value(base + "v: {'<<': 1}")["v"]?.serializedText() == #"{"\u003c\u003c":1}"#)
    }

    @Test func mergedMembersKeepTheirPlace() throws {
        let document = try #require(try documents("b: &b {x: 1}\nv:\n  <<: *b\n  w: 2\n").first)
        #expect(document.place(of: DocumentPath(members: "v", "x")).description == "w.yaml:1:8")
        #expect(document.place(of: DocumentPath(members: "v", "w")).description == "w.yaml:4:3")
    }

    @Test(arguments: ["v: {<<: 1}", "v: {<<: [1]}", "a: &a [1]\nv: {<<: *a}"])
    func refusesToMergeWhatIsNoMapping(_ text: String) {
        #expect(fault(text)?.hasSuffix("only mappings can be merged with '<<'") == true)
    }

    @Test func refusesAKeyThatIsWrittenTwice() {
        #expect(
            fault("a: 1\nb:\n  k: 1\n  l: 2\n  k: 3\n")
                == "w.yaml:5:3: the key 'k' is a duplicate; the first is at 3:3")
        #expect(fault("{yes: 1, true: 2}") == "w.yaml:1:10: the key 'true' is a duplicate; the first is at 1:2")
        #expect(fault("b: &b {x: 1}\nv: {<<: *b, x: 2, x: 3}")?.contains("'x' is a duplicate") == true)
    }

    @Test(arguments: [
        ("a:\n\tb: 1\n", "w.yaml:2:1: a tab stands where only spaces may"),
        ("ä: 1\na: [1,\n", "w.yaml:3:1: did not find expected node content while parsing a flow node"),
        ("a: 'b\n", "w.yaml:2:1: found unexpected end of stream while scanning a quoted scalar that began at 1:4"),
        ("a: *x", "w.yaml:1:4: unknown anchor 'x'"),
        ("a: &x [*x]", "w.yaml:1:8: anchor 'x' contains itself"),
        ("a: b: c", "w.yaml:1:5: mapping values are not allowed in this context"),
        ("a: @b", "w.yaml:1:4: found character that cannot start any token while scanning for the next token"),
        ("a: \"\\q\"", "w.yaml:1:5: found unknown escape character while parsing a quoted scalar that began at 1:4"),
        ("- a\nb: c", "w.yaml:2:1: did not find expected '-' indicator while parsing a block collection that began at 1:1"),
    ])
    func saysWhatIsWrongAndWhere(_ text: String, _ message: String) { #expect(fault(text) == message) }

    @Test func aTemplateTagWithoutQuotesIsAnError() {
        // Reads as a mapping whose key is a mapping.
        #expect(fault("v: {{inputs.parameters.x}}") == "w.yaml:1:5: a key must be a text, not a collection")
    }

    @Test func saysWhereBytesAreNoText() {
        #expect(fault(Array("a: b\nc: ".utf8) + [0xE4] + Array("\n".utf8)) == "w.yaml:2:4: incomplete UTF-8 octet sequence")
        #expect(fault(Array("ä: ".utf8) + [0xFF]) == "w.yaml:1:4: invalid leading UTF-8 octet")
        #expect(fault(Array("a: ".utf8) + [0x07]) == "w.yaml:1:4: control characters are not allowed")
    }

    @Test func readsAByteOrderMarkAndCarriageReturns() throws {
        let bytes: [UInt8] = [0xEF, 0xBB, 0xBF] + Array("a: 1\r\nb: |\r\n  x\r\n  y\r\n".utf8)
        let value = try #require(try YAMLReader.documents(bytes, file: "w.yaml").first).value
        #expect(value == ["a": 1, "b": "x\ny\n"])
    }

    @Test func refusesAliasesThatGrowWithoutEnd() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...20 {
            text += "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", "))]\n"
        }
        #expect(fault(text)?.hasSuffix("aliases make the document too large") == true)
    }

    @Test func refusesDeepNesting() {
        for (opening, closing) in [("[", "]"), ("{a: ", "}")] {
            let deep = String(repeating: opening, count: 257) + String(repeating: closing, count: 257)
            #expect(fault(deep)?.hasSuffix("nested deeper than 256 levels") == true)
            let allowed = String(repeating: opening, count: 256) + String(repeating: closing, count: 256)
            #expect(fault(allowed) == nil)
        }
        #expect(fault(String(repeating: "- ", count: 100_000) + "x") != nil)
        // An alias cannot lead below that either.
        let half = "a: &a " + String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
        #expect(fault(half + "\nb: " + String(repeating: "[", count: 100) + "*a" + String(repeating: "]", count: 100)) != nil)
    }

    @Test func readsJSONFilesStrictly() throws {
        let text = "{\n  \"a\": [1, \"\\ud83d\\ude00\"],\n\t\"b\": {\"c\": \"\\/\"}\n}"
        let document = try #require(try YAMLReader.file(Array(text.utf8), name: "w.json").first)
        #expect(document.value == ["a": [1, "😀"], "b": ["c": "/"]])
        #expect(document.place(of: DocumentPath(members: "b", "c")).description == "w.json:3:8")
        #expect(document.place(of: DocumentPath(members: "a").element(1)).description == "w.json:2:12")
    }

    @Test func refusesJSONWithTheSameNameTwice() {
        let text = "{\"a\": 1,\n \"a\": {\"x\": [1, {}]}, \"b\": 2}"
        #expect {
            _ = try YAMLReader.file(Array(text.utf8), name: "w.json")
        } throws: { error in
            (error as? DocumentError)?.message == "w.json:2:2: the name 'a' is a duplicate; the first is at 1:2"
        }
    }

    @Test func takesABraceForJSONOrFlowStyle() throws {
        #expect(try YAMLReader.file(Array("{\"a\": \"\\u00e4\"}".utf8), name: "w.yaml").first?.value == ["a": "ä"])
        #expect(try YAMLReader.file(Array("{a: b}".utf8), name: "w.yaml").first?.value == ["a": "b"])
    }

    @Test func reportsTheFaultOfAJSONFile() {
        #expect {
            _ = try YAMLReader.file(Array("{\"a\": 1,\n  b: 2}".utf8), name: "w.json")
        } throws: { error in
            (error as? DocumentError)?.message == "w.json:2:3: unexpected 'b' where a name should stand"
        }
    }
}
