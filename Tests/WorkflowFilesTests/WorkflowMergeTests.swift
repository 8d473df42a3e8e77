import Documents
import Testing
import WorkflowFiles
import WorkflowModel

@Suite struct WorkflowMergeTests {
    private func merged(_ base: String, _ over: String) throws -> String {
        func object(_ text: String) throws -> JSONObject {
            try #require(try YAMLReader.documents(Array(text.utf8), file: "f").first?.value.object)
        }
        return JSONValue.object(StrategicMerge.merge(try object(base), try object(over))).serializedText()
    }

    @Test(arguments: [
        ("{a: 1, b: 2}", "{b: 3, c: 4}", #"{"a":1,"b":3,"c":4}"#),
        ("{a: {x: 1, z: 2}}", "{a: {z: 3}}", #"{"a":{"x":1,"z":3}}"#),
        ("{a: {x: 1}}", "{a: 5}", #"{"a":5}"#),
        ("{a: 1, b: 2}", "{a: null}", #"{"b":2}"#),
        ("{args: [1, 2]}", "{args: [3]}", #"{"args":[3]}"#),
        ("{containers: [{name: a}]}", "{containers: [{name: b}]}", #"{"containers":[{"name":"b"}]}"#),
        ("{env: [{name: a, value: v}]}", "{env: [{name: a, value: w}]}", #"{"env":[{"name":"a","value":"w"}]}"#),
        (
            "{env: [{name: a, x: 1}, {name: b}]}", "{env: [{name: c}, {name: b, x: 2}]}",
            #"{"env":[{"name":"c"},{"name":"a","x":1},{"name":"b","x":2}]}"#
        ),
        ("{volumes: [{name: a}]}", "{volumes: [{name: b}]}", #"{"volumes":[{"name":"b"},{"name":"a"}]}"#),
        (
            "{volumeMounts: [{mountPath: /a, name: v}]}", "{volumeMounts: [{mountPath: /a, readOnly: true}]}",
            #"{"volumeMounts":[{"mountPath":"/a","name":"v","readOnly":true}]}"#
        ),
        ("{env: [{value: v}]}", "{env: [{name: a}]}", #"{"env":[{"name":"a"}]}"#),
        ("{env: []}", "{env: [{name: a}]}", #"{"env":[{"name":"a"}]}"#),
    ])
    func mergesAsAStrategicPatch(_ base: String, _ over: String, _ result: String) throws {
        #expect(try merged(base, over) == result)
    }

    @Test(
        arguments: [
            ("{}", []), ("{dependencies: [a, b, a]}", ["a", "b"]), ("{depends: a}", ["a"]),
            ("{depends: ' a && b-1&&c '}", ["a", "b-1", "c"]),
            ("{depends: ''}", []), ("{depends: 'a || b'}", nil), ("{depends: '!a'}", nil), ("{depends: a.Succeeded}", nil),
            ("{depends: '(a)'}", nil),
            ("{depends: 'a & b'}", nil), ("{depends: 'a &&'}", nil), ("{depends: 'a &&& b'}", nil), ("{depends: 'a b'}", nil),
        ] as [(String, [String]?)])
    func dependsOfNamesAloneIsAListOfDependencies(_ text: String, _ names: [String]?) throws {
        let value = try #require(try YAMLReader.documents(Array(text.utf8), file: "f").first?.value)
        #expect(TemplateCall.dependencies(of: value) == names)
    }
}
