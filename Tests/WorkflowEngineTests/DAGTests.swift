import Documents
import Testing
import WorkflowEngine
import WorkflowPlanning

@Suite struct DAGTests {
    private func dag(_ tasks: String, options: String = "") -> String {
        workflow(
            """
            - name: main
              dag: {\(options)tasks: [\(tasks)]}
            - name: leaf
              outputs: {parameters: [{name: p, valueFrom: {path: /p}}]}
              container: {image: i}

            """ + echo)
    }

    private var diamond: String {
        dag(
            """
            {name: A, template: leaf}, {name: B, template: echo, dependencies: [A], arguments: {parameters: [{name: m, value: "{{tasks.A.outputs.parameters.p}}"}]}},
            {name: C, template: leaf, dependencies: [A]}, {name: D, template: echo, dependencies: [B, C], arguments: {parameters: [{name: m, value: "{{tasks.A.outputs.parameters.p}}{{tasks.B.outputs.result}}"}]}}
            """)
    }

    @Test func tasksRunAsSoonAsTheirDependenciesHaveSucceeded() throws {
        var play = try Play(diamond)
        #expect(play.pods.map(\.nodeName) == ["wf.A"])
        try play.finish("wf.A", outputs: ["parameters": [["name": "p", "value": "v"]]])
        #expect(play.pods.map(\.nodeName) == ["wf.A", "wf.B", "wf.C"])
        #expect(play.arguments("wf.B") == ["v"])
        #expect(play.pod("wf.B")?.includesScriptOutput == true)
        #expect(play.pod("wf.C")?.includesScriptOutput == false)
        try play.finish("wf.C")
        #expect(play.node("wf.D") == nil)
        try play.finish("wf.B", outputs: ["result": "r"])
        #expect(play.arguments("wf.D") == ["vr"])
        try play.finish("wf.D")
        #expect(play.end?.phase == .succeeded)
        #expect(play.children("wf") == ["wf.A"])
        #expect(play.children("wf.A") == ["wf.B", "wf.C"])
        #expect(play.children("wf.B") == ["wf.D"])
        #expect(play.children("wf.C") == ["wf.D"])
        #expect(play.node("wf")?.outboundNodes == [play.node("wf.D")?.id ?? ""])
        #expect(play.node("wf.B")?.displayName == "B")
    }

    @Test func whatComesAfterAFailureIsOmitted() throws {
        var play = try Play(diamond)
        try play.finish("wf.A", outputs: ["parameters": [["name": "p", "value": "v"]]])
        try play.finish("wf.B", .failed, "main: Error (exit code 1)", exitCode: 1)
        #expect(play.end == nil)
        try play.finish("wf.C")
        #expect(play.phases == ["wf": "Failed", "wf.A": "Succeeded", "wf.B": "Failed", "wf.C": "Succeeded", "wf.D": "Omitted"])
        #expect(play.node("wf.D")?.message == "omitted: depends condition not met")
        #expect(play.types["wf.D"] == "Skipped")
        #expect(play.end?.phase == .failed)
    }

    @Test func independentBranchesGoOnToTheirEnd() throws {
        for failFast in [true, false] {
            var play = try Play(
                dag(
                    "{name: A, template: leaf}, {name: B, template: leaf}, {name: B2, template: leaf, dependencies: [B]}",
                    options: "failFast: \(failFast), "))
            try play.finish("wf.A", .failed, exitCode: 1)
            #expect(play.end == nil)
            try play.finish("wf.B")
            #expect(play.pods.last?.nodeName == "wf.B2")
            try play.finish("wf.B2")
            #expect(play.end?.phase == .failed)
            #expect(play.phases["wf.B2"] == "Succeeded")
        }
    }

    @Test func anErrorOfATaskIsTheDagsPhase() throws {
        var play = try Play(dag("{name: A, template: leaf}"))
        try play.finish("wf.A", .error, "init: Error (exit code 64)")
        #expect(play.end?.phase == .error)
        #expect(play.end?.message.isEmpty == true)
    }

    @Test func onlyTargetsAndWhatTheyNeedAreRun() throws {
        var play = try Play(
            dag(
                "{name: A, template: leaf}, {name: B, template: leaf, dependencies: [A]}, {name: C, template: leaf}",
                options: "target: B, "))
        try play.finish("wf.A")
        try play.finish("wf.B")
        #expect(play.end?.phase == .succeeded)
        #expect(play.node("wf.C") == nil)
    }

    @Test func dependsOfNamesAloneIsUnderstood() throws {
        var play = try Play(
            dag("{name: A, template: leaf}, {name: B, template: leaf}, {name: C, template: leaf, depends: \"A && B\"}"))
        try play.finish("wf.B")
        #expect(play.node("wf.C") == nil)
        try play.finish("wf.A")
        try play.finish("wf.C")
        #expect(play.end?.phase == .succeeded)
        #expect(play.children("wf.A") == ["wf.C"] && play.children("wf.B") == ["wf.C"])
    }

    @Test func nestedDagsLinkTheirEndsToWhatFollows() throws {
        var play = try Play(
            workflow(
                """
                - name: main
                  dag: {tasks: [{name: A, template: inner}, {name: B, template: leaf, dependencies: [A]}]}
                - name: inner
                  dag: {tasks: [{name: x, template: leaf}, {name: z, template: leaf}]}
                  outputs: {parameters: [{name: up, valueFrom: {parameter: "{{tasks.x.outputs.parameters.p}}"}}]}
                - name: leaf
                  outputs: {parameters: [{name: p, valueFrom: {path: /p}}]}
                  container: {image: i}
                """))
        try play.finish("wf.A.z")
        try play.finish("wf.A.x", outputs: ["parameters": [["name": "p", "value": "v"]]])
        #expect(play.node("wf.A")?.outputs == ["parameters": [["name": "up", "value": "v"]]])
        #expect(play.children("wf.A.x") == ["wf.B"] && play.children("wf.A.z") == ["wf.B"])
        try play.finish("wf.B")
        #expect(play.end?.phase == .succeeded)
    }

    @Test func aTaskWhoseInputsAreMissingIsAnErrorOfItsOwn() throws {
        var play = try Play(diamond)
        try play.finish("wf.A")
        #expect(play.node("wf.B")?.phase == .error)
        #expect(play.node("wf.B")?.message == "failed to resolve {{tasks.A.outputs.parameters.p}}")
        try play.finish("wf.C")
        #expect(play.end?.phase == .error)
    }

    /// Chains of tasks are walked without recursion, which would end the process.
    @Test func longChainsAreWalked() throws {
        let count = 3000
        var tasks: [String] = []
        for number in (0..<count).reversed() {
            let before: String = number == 0 ? "" : "t\(number - 1)"
            tasks.append("{name: t\(number), template: leaf, dependencies: [\(before)]}")
        }
        var play = try Play(dag(tasks.joined(separator: ", ")))
        for number in 0..<5 { try play.finish("wf.t\(number)") }
        #expect(play.pods.map(\.nodeName) == ["wf.t0", "wf.t1", "wf.t2", "wf.t3", "wf.t4", "wf.t5"])
        try play.finish("wf.t5", .failed, exitCode: 1)
        #expect(play.end?.phase == .failed)
        #expect(play.phases.values.filter { $0 == "Omitted" }.count == count - 6)
    }
}
