import Documents
import Testing
import WorkflowEngine
import WorkflowPlanning

@Suite struct TagTextTests {
    private let values = [
        "a": "1", "inputs.parameters.x": "say \"hi\"\\\n\u{1}ä<>", "which": "a", "v.a": "nested", "t": "{{a}}",
    ]

    private func replaced(_ text: String, strict: [String] = []) throws -> String {
        try TagText.replace(text: text, strict: strict) { values[$0] }
    }

    @Test(arguments: [
        ("{{a}}", "1"), ("x{{a}}y{{a}}", "x1y1"), ("{{ a }}", "1"), ("{{unknown}}", "{{unknown}}"),
        ("{{ unknown }}", "{{ unknown }}"),
        ("no tag", "no tag"), ("{a}", "{a}"), ("}}", "}}"), ("{{inputs.parameters.x}}", "say \"hi\"\\\n\u{1}ä<>"),
        ("{{v.{{which}}}}", "{{v.a}}"), ("{{{a}}}", "{{{a}}}"), ("{{t}}", "{{a}}"), ("", ""), ("{{}}", "{{}}"),
        ("{{=a}}", "{{=a}}"),
    ])
    func replacesTags(_ text: String, _ result: String) throws { #expect(try replaced(text) == result) }

    @Test func replacesInTextsAndNamesAlike() throws {
        let document: JSONValue = ["{{a}}": ["{{a}}", ["k": "{{inputs.parameters.x}}"]], "n": 5]
        let result = try TagText.replace(document) { values[$0] }
        #expect(result == ["1": ["1", ["k": .string(values["inputs.parameters.x"] ?? "")]], "n": 5])
    }

    @Test func innermostTagsComeFirst() throws {
        let once = try replaced("{{v.{{which}}}}")
        #expect(try replaced(once) == "nested")
    }

    @Test(arguments: ["{{steps.a.outputs.result}}", "{{steps}}", "{{ tasks.b.id }}"])
    func strictTagsMustBeKnown(_ text: String) {
        let fault = #expect(throws: TagText.Fault.self) { try replaced(text, strict: ["steps", "tasks"]) }
        #expect(fault?.text == "failed to resolve \(text)")
    }

    @Test(arguments: ["{{steps.a.outputs.artifacts.x}}", "{{stepsA.b}}", "{{item}}"])
    func othersMayStay(_ text: String) throws { #expect(try replaced(text, strict: ["steps", "tasks"]) == text) }

    @Test func bracesThatNeverCloseAreAFault() {
        #expect(throws: TagText.Fault.self) { try replaced("a {{ b") }
    }

    /// The text of a document is one: braces that open in one value and close in the next are left alone, and what stands between
    /// them is replaced all the same.
    @Test func bracesMaySpanValues() throws {
        let document: JSONValue = ["p": ["x {{ y", "{{a}}", "{{a}} }}"]]
        #expect(try TagText.replace(document) { values[$0] } == ["p": ["x {{ y", "1", "1 }}"]])
    }
}
