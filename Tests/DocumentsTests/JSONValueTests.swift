import Documents
import Testing

@Suite struct JSONValueTests {
    @Test func writesGosEscapes() {
        let text = "<a href=\"x\">&\\/ \u{8}\u{C}\n\r\t\u{1}\u{1F}\u{7F} \u{2028}\u{2029}\u{2027}€ä😀"
        #expect(
            JSONValue.string(text).serializedText()
                == "\"\\u003ca href=\\\"x\\\"\\u003e\\u0026\\\\/ \\b\\f\\n\\r\\t\\u0001\\u001f\u{7F} \\u2028\\u2029\u{2027}€ä😀\""
        )
    }

    @Test func sortsKeysByBytesAtEveryLevel() throws {
        let value = try JSONValue(parsing: #"{"b":{"z":1,"Z":2,"ä":3},"a":[{"y":1,"x":2}],"B":0}"#)
        #expect(value.serializedText(sortedKeys: true) == #"{"B":0,"a":[{"x":2,"y":1}],"b":{"Z":2,"z":1,"ä":3}}"#)
    }

    @Test func membersAreSetInPlaceOrAtTheEndAndRemoved() {
        var value: JSONValue = ["a": 1, "b": 2, "c": 3]
        value["b"] = "two"
        value["d"] = nil
        value["e"] = [true, .null]
        value["a"] = nil
        #expect(value.serializedText() == #"{"b":"two","c":3,"e":[true,null]}"#)
        var nothing = JSONValue.null
        nothing["a"] = 1
        #expect(nothing == ["a": 1])
    }

    @Test func nestedMembersAreChangedThroughSubscripts() {
        var value: JSONValue = ["metadata": ["labels": ["x": "false"]]]
        value["metadata"]?["labels"]?["x"] = "true"
        #expect(value == ["metadata": ["labels": ["x": "true"]]])
    }

    @Test func fieldsAreFoundWhateverTheirCaseTheExactNameFirst() throws {
        let object = try #require(try JSONValue(parsing: #"{"NAME":1,"Path":2,"name":3,"PATH":4}"#).object)
        #expect(object.field("name")?.int == 3)
        #expect(object.field("path")?.int == 4)
        #expect(object["path"] == nil)
        #expect(object.field("pat") == nil)
        // Only letters have a case: these bytes differ in the same bit.
        #expect(!JSONObject.isSameField("[", "{"))
    }

    @Test func settingAFieldKeepsItsPlaceAndSpelling() throws {
        var object = try #require(try JSONValue(parsing: #"{"a":1,"PATH":2,"b":3}"#).object)
        object.setField("path", to: "/x")
        object.setField("c", to: 4)
        #expect(JSONValue.object(object).serializedText() == #"{"a":1,"PATH":"/x","b":3,"c":4}"#)
        object.removeField("Path")
        #expect(object.members.map(\.name) == ["a", "b", "c"])
    }

    @Test func equalityIgnoresMemberOrderOnly() throws {
        #expect(try JSONValue(parsing: #"{"a":1,"b":[1,2]}"#) == JSONValue(parsing: #"{"b":[1,2],"a":1}"#))
        #expect(try JSONValue(parsing: "[1,2]") != JSONValue(parsing: "[2,1]"))
        #expect(try JSONValue(parsing: "1.0") != JSONValue(parsing: "1"))
        #expect(try JSONValue(parsing: #"{"a":1}"#) != JSONValue(parsing: #"{"a":1,"b":2}"#))
        #expect(JSONValue.string("\u{E9}") != JSONValue.string("e\u{301}"))
    }

    @Test func integersAreExactOrNothing() throws {
        #expect(try JSONValue(parsing: "9223372036854775807").int == .max)
        #expect(try JSONValue(parsing: "-9223372036854775808").int == .min)
        for text in ["9223372036854775808", "1.0", "1e3", "\"1\"", "true", "null"] {
            #expect(try JSONValue(parsing: text).int == nil, "\(text)")
        }
    }

    @Test func accessorsAnswerForTheirKindOnly() {
        #expect(JSONValue.null.isNull)
        #expect(JSONValue.bool(true).bool == true)
        #expect(JSONValue.string("a").string == "a")
        #expect(JSONValue.array([1]).array == [1])
        #expect(JSONValue.string("a")["a"] == nil)
        #expect(JSONValue.array([]).object == nil)
        #expect(JSONValue.integer(7) == 7)
    }
}
