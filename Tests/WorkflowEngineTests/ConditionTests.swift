import Documents
import SystemSupport
import Testing
import WorkflowEngine
import WorkflowFiles
import WorkflowPlanning

/// Conditions, `depends`, expressions, and what is left of what was not run.
@Suite struct ConditionTests {
    private let leaf = "- {name: leaf, outputs: {parameters: [{name: p, valueFrom: {path: /p}}]}, container: {image: i}}\n"

    @Test func whatIsNotRunIsSkippedAndSaysWhy() throws {
        var play = try Play(
            workflow(
                """
                - name: main
                  steps:
                  - - {name: a, template: leaf}
                  - - {name: b, template: leaf, when: "{{steps.a.outputs.parameters.p}} == heads"}
                    - {name: c, template: leaf, when: "{{=steps.a.outputs.parameters.p == 'tails'}}"}

                """ + leaf))
        try play.finish("wf[0].a", outputs: ["parameters": [["name": "p", "value": "tails"]]])
        #expect(play.node("wf[1].b")?.message == "when 'tails == heads' evaluated false")
        #expect(play.phases["wf[1].b"] == "Skipped")
        try play.finish("wf[1].c")
        #expect(play.end?.phase == .succeeded)
    }

    @Test func aConditionThatMakesNoSenseIsAnError() throws {
        let play = try Play(workflow("- {name: main, steps: [[{name: a, template: leaf, when: \"a b\"}]]}\n" + leaf))
        #expect(play.end?.phase == .failed)
        #expect(play.node("wf[0]")?.phase == .error)
    }

    @Test(arguments: [
        ("a.Succeeded", NodePhase.succeeded, true), ("a.Failed", .succeeded, false), ("a.Failed", .failed, true),
        ("a.Errored", .error, true), ("a", .failed, false), ("a || a.Failed", .failed, true), ("!a.Succeeded", .failed, true),
        ("a.Failed && b", .failed, true), ("(a.Succeeded || a.Errored) && b.Succeeded", .failed, false),
    ])
    func dependsAsksHowOthersHaveEnded(_ depends: String, _ phase: NodePhase, _ isRun: Bool) throws {
        var play = try Play(
            workflow(
                "- {name: main, dag: {tasks: [{name: a, template: leaf}, {name: b, template: leaf}, {name: c-d, template: leaf, depends: \"\(depends)\"}]}}\n"
                    + leaf))
        try play.finish("wf.b")
        try play.finish("wf.a", phase, exitCode: phase == .succeeded ? 0 : 1)
        #expect((play.pod("wf.c-d") != nil) == isRun)
        if !isRun { #expect(play.phases["wf.c-d"] == "Omitted") }
    }

    @Test func continueOnLetsOthersGoOn() throws {
        var play = try Play(
            workflow(
                "- {name: main, steps: [[{name: a, template: leaf, continueOn: {failed: true}}], [{name: b, template: leaf}]]}\n"
                    + leaf))
        try play.finish("wf[0].a", .failed, exitCode: 1)
        #expect(play.phases["wf[0]"] == "Succeeded")
        try play.finish("wf[1].b")
        #expect(play.end?.phase == .succeeded)
        play = try Play(
            workflow(
                "- {name: main, dag: {tasks: [{name: a, template: leaf, continueOn: {failed: true}}, {name: b, template: leaf, dependencies: [a]}]}}\n"
                    + leaf))
        try play.finish("wf.a", .failed, exitCode: 1)
        try play.finish("wf.b")
        #expect(play.end?.phase == .succeeded)
    }

    /// The output of something that was not run: its default, else the consumer's, else `??`, else an error.
    @Test func outputsOfWhatWasNotRun() throws {
        func play(_ value: String, _ producer: String = "", _ consumer: String = "") throws -> Play {
            try Play(
                workflow(
                    """
                    - name: main
                      steps:
                      - - {name: a, template: make, when: "false"}
                      - - {name: b, template: show, arguments: {parameters: [{name: m, value: "\(value)"}]}}
                    - {name: make, outputs: {parameters: [{name: p, valueFrom: {path: /p\(producer)}}]}, container: {image: i}}
                    - {name: show, inputs: {parameters: [{name: m\(consumer)}]}, container: {image: i, args: ["{{inputs.parameters.m}}"]}}
                    """))
        }
        let tag = "{{steps.a.outputs.parameters.p}}"
        #expect(try play(tag, ", default: d").arguments("wf[1].b") == ["d"])
        #expect(try play(tag, "", ", default: c").arguments("wf[1].b") == ["c"])
        #expect(try play("{{=steps.a.outputs.parameters.p ?? 'e'}}").arguments("wf[1].b") == ["e"])
        #expect(
            try play(tag).node("wf[1].b")?.message
                == "inputs.parameters.m: argument references an absent optional (skipped/omitted node output with no default)")
        #expect(try play("x\(tag)").end?.phase == .failed)
    }

    @Test func outputsOfStepsMayBeExpressions() throws {
        var play = try Play(
            workflow(
                """
                - name: main
                  dag: {tasks: [{name: a, template: leaf}, {name: b, template: leaf, when: "1 == 2"}]}
                  outputs:
                    parameters:
                    - {name: o, valueFrom: {expression: "tasks.b.status == 'Skipped' ? asInt(tasks.a.outputs.parameters.p) * 2 : 0"}}
                    - {name: d, valueFrom: {default: none, expression: "tasks.b.outputs.parameters.p"}}

                """ + leaf))
        try play.finish("wf.a", outputs: ["parameters": [["name": "p", "value": "21"]]])
        #expect(play.node("wf")?.outputs?["parameters"] == [["name": "o", "value": "42"], ["name": "d", "value": "none"]])
    }

    @Test func recursionEndsWithItsCondition() throws {
        var play = try Play(
            workflow(
                """
                - name: main
                  inputs: {parameters: [{name: n, value: "0"}]}
                  steps:
                  - - {name: a, template: leaf}
                  - - {name: again, template: main, when: "{{inputs.parameters.n}} < 3", arguments: {parameters: [{name: n, value: "{{=asInt(inputs.parameters.n) + 1}}"}]}}

                """ + leaf))
        for _ in 0..<4 { try play.finish(try #require(play.pods.last).nodeName) }
        #expect(play.end?.phase == .succeeded && play.pods.count == 4)
    }
}
