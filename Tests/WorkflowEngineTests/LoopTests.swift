import Documents
import Testing
import WorkflowEngine
import WorkflowFiles
import WorkflowPlanning

/// Loops: their items, the names of their nodes, what they leave behind.
@Suite struct LoopTests {
    private func names(_ loop: String) throws -> [String] {
        let play = try Play(
            workflow("- {name: main, steps: [[{name: a, template: leaf, \(loop)}]]}\n- {name: leaf, container: {image: i}}"))
        return play.pods.map { String($0.nodeName.dropFirst("wf[0].".count)) }
    }

    @Test(arguments: [
        ("withItems: [x, y]", ["a(0:x)", "a(1:y)"]),
        ("withItems: [1, 2.5, true]", ["a(0:1)", "a(1:2.5)", "a(2:true)"]),
        ("withItems: [{b: 2, a: x}]", ["a(0:a:x,b:2)"]),
        ("withItems: [[x, 1]]", ["a(0:[x 1])"]),
        ("withItems: [\"f(x)\"]", ["a(0:fx)"]),
        ("withParam: '[\"p\", {\"k\": [1]}]'", ["a(0:p)", "a(1:k:[1])"]),
        ("withSequence: {count: 3}", ["a(0:0)", "a(1:1)", "a(2:2)"]),
        ("withSequence: {start: \"4\", end: \"2\"}", ["a(0:4)", "a(1:3)", "a(2:2)"]),
        ("withSequence: {start: 9, count: 2, format: \"n%03d.%%\"}", ["a(0:n009.%)", "a(1:n010.%)"]),
        ("withSequence: {start: 254, end: 255, format: \"%02X\"}", ["a(0:FE)", "a(1:FF)"]),
    ])
    func theNodesOfItems(_ loop: String, _ expected: [String]) throws { #expect(try names(loop) == expected) }

    /// Numbers at the ends of what fits are refused like others, and no run is kept busy with them.
    @Test(arguments: [
        (#"{"count": "-9223372036854775808"}"#, "withSequence: the last number is too large"),
        (#"{"start": "-9223372036854775808", "end": "9223372036854775807"}"#, "withSequence: more than 10000000 items"),
    ])
    func aSequenceBeyondAllNumbersIsAnError(_ sequence: String, _ cause: String) throws {
        let document = try JSONValue(parsing: sequence)
        let error = #expect(throws: StepError.self) { try Loop.items(of: ["withSequence": document]) }
        #expect(error?.message == cause)
    }

    @Test func itemsArePutIntoArguments() throws {
        let play = try Play(
            workflow(
                """
                - name: main
                  steps:
                  - - {name: a, template: echo, withItems: [{n: 1, s: x}], arguments: {parameters: [{name: m, value: "{{item.n}} {{item.s}} {{item}} {{=item.s + '!'}}"}]}}

                """ + echo))
        #expect(play.arguments("wf[0].a(0:n:1,s:x)") == [#"1 x {"n":1,"s":"x"} x!"#])
    }

    @Test(arguments: ["withParam: '[]'", "withSequence: {count: 0}"])
    func withoutItemsAStepIsSkipped(_ loop: String) throws {
        for body in ["steps: [[{name: a, template: leaf, \(loop)}]]", "dag: {tasks: [{name: a, template: leaf, \(loop)}]}"] {
            let play = try Play(workflow("- {name: main, \(body)}\n- {name: leaf, container: {image: i}}"))
            #expect(play.end?.phase == .succeeded)
            let node = try #require(play.run.allNodes.first { $0.type == .skipped })
            #expect(node.message == "Skipped, empty params" && node.phase == .skipped)
        }
    }

    @Test func outputsAreGatheredInTheOrderOfTheItems() throws {
        var play = try Play(
            workflow(
                """
                - name: main
                  dag:
                    tasks:
                    - {name: a, template: leaf, withItems: [x, y, z]}
                    - name: b
                      template: echo
                      depends: a.AnySucceeded
                      arguments: {parameters: [{name: m, value: "{{tasks.a.outputs.result}} {{tasks.a.outputs.parameters}} {{tasks.a.outputs.parameters.p}}"}]}
                - name: leaf
                  outputs: {parameters: [{name: p, valueFrom: {path: /p}}]}
                  container: {image: i}

                """ + echo))
        try play.finish("wf.a(2:z)", outputs: ["result": "{\"k\":1}", "parameters": [["name": "p", "value": "pz"]]])
        try play.finish("wf.a(1:y)", .failed, exitCode: 1)
        try play.finish("wf.a(0:x)", outputs: ["result": "1", "parameters": [["name": "p", "value": "px"]]])
        #expect(play.node("wf.a")?.type == .taskGroup && play.node("wf.a")?.phase == .failed)
        #expect(play.arguments("wf.b") == [#"[1,{"k":1}] [{"p":"px"},{"p":"pz"}] ["px","pz"]"#])
        #expect(play.children("wf.a") == ["wf.a(0:x)", "wf.a(1:y)", "wf.a(2:z)"])
    }

    @Test func whatIsNoListIsAnError() throws {
        let play = try Play(
            workflow(
                "- {name: main, steps: [[{name: a, template: leaf, withParam: 'x'}]]}\n- {name: leaf, container: {image: i}}"))
        #expect(
            play.node("wf[0]")?.message.hasPrefix("failed to resolve references: withParam value could not be parsed") == true)
        #expect(play.end?.phase == .failed)
    }

    @Test func aFanOutOverManyItemsRuns() throws {
        var play = try Play(
            workflow(
                "- {name: main, steps: [[{name: a, template: leaf, withSequence: {count: 1000}}]]}\n- {name: leaf, container: {image: i}}"
            ))
        for pod in play.pods { try play.finish(pod.nodeName) }
        #expect(play.end?.phase == .succeeded && play.pods.count == 1000)
    }
}
