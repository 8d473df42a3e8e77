import Documents
import Testing
import WorkflowEngine
import WorkflowPlanning

@Suite struct StepsTests {
    @Test func aWorkflowOfOnePodIsItsRoot() throws {
        var play = try Play(
            workflow("- name: main\n  container: {image: i, args: [\"{{workflow.name}} {{pod.name}} {{node.name}}\"]}"))
        #expect(play.pods.map(\.nodeID) == ["wf"])
        #expect(play.pods.map(\.podName) == ["wf"])
        #expect(play.arguments("wf") == ["wf wf wf"])
        #expect(play.node("wf")?.phase == .pending)
        try play.finish("wf")
        #expect(play.end?.phase == .succeeded)
        #expect(play.phases == ["wf": "Succeeded"])
        #expect(play.types == ["wf": "Pod"])
    }

    private let groups = workflow(
        """
        - name: main
          steps:
          - - {name: a, template: echo, arguments: {parameters: [{name: m, value: one}]}}
          - - {name: b, template: echo, arguments: {parameters: [{name: m, value: "{{steps.a.outputs.result}}!"}]}}
            - {name: c, template: echo, arguments: {parameters: [{name: m, value: "{{steps.a.status}} {{steps.a.exitCode}}"}]}}
          - - {name: d, template: echo, arguments: {parameters: [{name: m, value: 4}]}}

        """ + echo)

    @Test func groupsFollowEachOtherAndTheirStepsRunTogether() throws {
        var play = try Play(groups)
        #expect(play.pods.map(\.nodeName) == ["wf[0].a"])
        #expect(play.pods.map(\.includesScriptOutput) == [true])
        try play.finish("wf[0].a", outputs: ["result": "two"])
        #expect(play.pods.map(\.nodeName) == ["wf[0].a", "wf[1].b", "wf[1].c"])
        #expect(play.arguments("wf[1].b") == ["two!"])
        #expect(play.arguments("wf[1].c") == ["Succeeded 0"])
        #expect(play.pod("wf[1].b")?.includesScriptOutput == false)
        try play.finish("wf[1].c")
        #expect(play.node("wf[2]") == nil)
        try play.finish("wf[1].b")
        #expect(play.arguments("wf[2].d") == ["4"])
        #expect(play.end == nil)
        try play.finish("wf[2].d")
        #expect(play.end?.phase == .succeeded && play.end?.message.isEmpty == true)
    }

    @Test func nodesAreNamedAndLinkedAsTheControllerDoes() throws {
        var play = try Play(groups)
        for name in ["wf[0].a", "wf[1].b", "wf[1].c", "wf[2].d"] { try play.finish(name, outputs: ["result": "x"]) }
        #expect(
            play.types == [
                "wf": "Steps", "wf[0]": "StepGroup", "wf[0].a": "Pod", "wf[1]": "StepGroup", "wf[1].b": "Pod", "wf[1].c": "Pod",
                "wf[2]": "StepGroup", "wf[2].d": "Pod",
            ])
        #expect(play.children("wf") == ["wf[0]"])
        #expect(play.children("wf[0]") == ["wf[0].a"])
        #expect(play.children("wf[0].a") == ["wf[1]"])
        #expect(play.children("wf[1]") == ["wf[1].b", "wf[1].c"])
        #expect(play.children("wf[1].b") == ["wf[2]"])
        #expect(play.children("wf[1].c") == ["wf[2]"])
        #expect(play.node("wf")?.outboundNodes == [play.node("wf[2].d")?.id ?? ""])
        let node = try #require(play.node("wf[1].b"))
        #expect(node.id == "wf-\(NodeNames.hash("wf[1].b"))")
        #expect(node.displayName == "b")
        #expect(node.boundaryID == "wf")
        #expect(node.templateName == "echo")
        #expect(node.templateScope == "local/wf")
        #expect(node.inputs == ["parameters": [["name": "m", "value": "x!"]]])
        #expect(play.node("wf[1]")?.displayName == "[1]")
        #expect(play.node("wf[1]")?.boundaryID == "wf")
    }

    @Test func aFailureEndsTheGroupsButNotItsNeighbours() throws {
        var play = try Play(groups)
        try play.finish("wf[0].a", outputs: ["result": "x"])
        try play.finish("wf[1].b", .failed, "main: Error (exit code 1)", exitCode: 1)
        // The other step of the group goes on.
        #expect(play.node("wf[1]")?.phase == .running)
        try play.finish("wf[1].c")
        let id = try #require(play.node("wf[1].b")?.id)
        #expect(play.node("wf[1]")?.message == "child '\(id)' failed")
        #expect(play.node("wf")?.message == "child '\(id)' failed")
        #expect(play.node("wf[2]") == nil)
        #expect(play.end?.phase == .failed)
        #expect(play.end?.message == "child '\(id)' failed")
    }

    @Test func anEmptyGroupIsPassed() throws {
        var play = try Play(
            workflow("- name: main\n  steps: [[], [{name: a, template: leaf}]]\n- {name: leaf, container: {image: i}}"))
        try play.finish("wf[1].a")
        #expect(play.end?.phase == .succeeded)
        #expect(play.children("wf") == ["wf[0]"] && play.children("wf[0]") == ["wf[1]"])
    }

    @Test func nestedStepsAreOneNodeOfTheGroup() throws {
        var play = try Play(
            workflow(
                """
                - name: main
                  steps:
                  - - {name: x, template: inner}
                  - - {name: z, template: inner}
                - name: inner
                  steps:
                  - - {name: i, template: leaf}
                  - - {name: j, template: leaf}
                - name: leaf
                  container: {image: i}
                """))
        try play.finish("wf[0].x[0].i")
        try play.finish("wf[0].x[1].j")
        #expect(play.node("wf[0].x")?.phase == .succeeded)
        #expect(play.children("wf[0].x[1].j") == ["wf[1]"])
        #expect(play.node("wf[0].x[1].j")?.displayName == "j")
        #expect(play.node("wf[0].x[1].j")?.boundaryID == play.node("wf[0].x")?.id)
        try play.finish("wf[1].z[0].i")
        try play.finish("wf[1].z[1].j")
        #expect(play.end?.phase == .succeeded)
    }

    @Test func parametersComeFromArgumentsThenDefaults() throws {
        let play = try Play(
            workflow(
                """
                - name: main
                  inputs: {parameters: [{name: g, default: d}]}
                  steps:
                  - - {name: a, template: t, arguments: {parameters: [{name: p, value: "{{inputs.parameters.g}}{{workflow.parameters.w}}"}]}}
                - name: t
                  inputs: {parameters: [{name: p, default: no}, {name: q, default: 1.50}, {name: r, value: true}, {name: s, default: "{{workflow.uid}}"}]}
                  container: {image: i, args: ["{{inputs.parameters.p}}", "{{inputs.parameters.q}}", "{{inputs.parameters.r}}", "{{inputs.parameters.s}}", "{{inputs.parameters}}"]}
                """, spec: "arguments: {parameters: [{name: w, value: 7}]}"),
            settings: RunSettings(parameters: [("w", "8")]))
        let list =
            #"[{"name":"p","default":"false","value":"d8"},{"name":"q","default":"1.5","value":"1.5"},"#
            + #"{"name":"r","value":"true"},{"name":"s","default":"u-1","value":"u-1"}]"#
        #expect(play.arguments("wf[0].a") == ["d8", "1.5", "true", "u-1", list])
    }

    @Test func artifactsGoFromStepToStep() throws {
        var play = try Play(
            workflow(
                """
                - name: main
                  steps:
                  - - {name: a, template: make}
                  - - name: b
                      template: use
                      arguments: {artifacts: [{name: in, from: "{{steps.a.outputs.artifacts.out}}"}, {name: part, from: "{{steps.a.outputs.artifacts.out}}", subPath: "x/{{steps.a.outputs.parameters.p}}"}]}
                  outputs: {artifacts: [{name: whole, from: "{{steps.b.outputs.artifacts.res}}"}]}
                - name: make
                  outputs: {artifacts: [{name: out, path: /o}], parameters: [{name: p, valueFrom: {path: /p}}]}
                  container: {image: i, args: ["{{outputs.artifacts.out.path}} {{outputs.parameters.p.path}}"]}
                - name: use
                  inputs: {artifacts: [{name: in, path: /in, mode: 0755}, {name: part, path: /part}, {name: maybe, path: /m, optional: true}]}
                  outputs: {artifacts: [{name: res, path: /r}]}
                  container: {image: i, args: ["{{inputs.artifacts.in.path}}"]}
                """))
        #expect(play.arguments("wf[0].a") == ["/o /p"])
        try play.finish(
            "wf[0].a",
            outputs: [
                "artifacts": [["name": "out", "path": "/o", "s3": ["key": "k/out.tgz"]]],
                "parameters": [["name": "p", "value": "y"]],
            ])
        let inputs = try #require(play.pod("wf[1].b")?.template["inputs"]?["artifacts"]?.array)
        #expect(
            inputs[0] == ["name": "in", "path": "/in", "s3": ["key": "k/out.tgz"], "mode": 493])
        #expect(inputs[1] == ["name": "part", "path": "/part", "s3": ["key": "k/out.tgz/x/y"]])
        #expect(inputs[2] == ["name": "maybe", "path": "/m", "optional": true])
        #expect(play.arguments("wf[1].b") == ["/in"])
        try play.finish("wf[1].b", outputs: ["artifacts": [["name": "res", "path": "/r", "s3": ["key": "k/res.tgz"]]]])
        #expect(play.node("wf")?.outputs == ["artifacts": [["name": "whole", "path": "/r", "s3": ["key": "k/res.tgz"]]]])
        #expect(play.end?.phase == .succeeded)
    }

    @Test func anOptionalArtifactThatIsNotThereIsLeftOut() throws {
        let text = { (optional: Bool) in
            workflow(
                """
                - name: main
                  steps:
                  - - {name: a, template: make}
                  - - {name: b, template: use, arguments: {artifacts: [{name: in, from: "{{steps.a.outputs.artifacts.out}}", optional: \(optional)}]}}
                - name: make
                  outputs: {artifacts: [{name: out, path: /o, optional: true}]}
                  container: {image: i}
                - name: use
                  inputs: {artifacts: [{name: in, path: /in, optional: true}]}
                  container: {image: i}
                """)
        }
        var play = try Play(text(true))
        try play.finish("wf[0].a", outputs: [:])
        #expect(play.pod("wf[1].b")?.template["inputs"]?["artifacts"] == [["name": "in", "path": "/in", "optional": true]])
        play = try Play(text(false))
        try play.finish("wf[0].a", outputs: [:])
        #expect(play.node("wf[1]")?.phase == .error)
        #expect(play.end?.phase == .failed)
        #expect(play.end?.message.contains("Unable to resolve: \"steps.a.outputs.artifacts.out\"") == true)
    }

    @Test func outputsOfStepsArePassedUp() throws {
        var play = try Play(
            workflow(
                """
                - name: main
                  steps: [[{name: a, template: inner}], [{name: b, template: echo, arguments: {parameters: [{name: m, value: "{{steps.a.outputs.parameters.up}}"}]}}]]
                - name: inner
                  steps: [[{name: x, template: make}]]
                  outputs: {parameters: [{name: up, valueFrom: {parameter: "{{steps.x.outputs.parameters.p}}"}}, {name: d, valueFrom: {parameter: "{{steps.x.outputs.parameters.gone}}", default: dflt}}]}
                - name: make
                  outputs: {parameters: [{name: p, valueFrom: {path: /p}}, {name: gone, valueFrom: {path: /g}}]}
                  container: {image: i}

                """ + echo))
        try play.finish("wf[0].a[0].x", outputs: ["parameters": [["name": "p", "value": "v"]]])
        #expect(
            play.node("wf[0].a")?.outputs == ["parameters": [["name": "up", "value": "v"], ["name": "d", "value": "dflt"]]])
        #expect(play.arguments("wf[1].b") == ["v"])
    }

    /// A step that succeeded without its declared output: the reference would wait for it forever.
    @Test func anOutputThatNeverCameIsAnError() throws {
        var play = try Play(
            workflow(
                """
                - name: main
                  steps: [[{name: a, template: make}], [{name: b, template: echo, arguments: {parameters: [{name: m, value: "{{steps.a.outputs.parameters.p}}"}]}}]]
                - name: make
                  outputs: {parameters: [{name: p, valueFrom: {path: /p}}]}
                  container: {image: i}

                """ + echo))
        try play.finish("wf[0].a")
        #expect(play.end?.phase == .failed)
        #expect(play.end?.message == "failed to resolve references: failed to resolve {{steps.a.outputs.parameters.p}}")
    }

    @Test func globalOutputsAreSeenByLaterTemplates() throws {
        var play = try Play(
            workflow(
                """
                - name: main
                  steps: [[{name: a, template: make}], [{name: b, template: use, arguments: {artifacts: [{name: in, from: "{{workflow.outputs.artifacts.ga}}"}]}}]]
                - name: make
                  outputs:
                    parameters: [{name: p, globalName: gp, valueFrom: {path: /p}}]
                    artifacts: [{name: f, globalName: ga, path: /f}]
                  container: {image: i}
                - name: use
                  inputs: {artifacts: [{name: in, path: /in}]}
                  container: {image: i, args: ["{{workflow.outputs.parameters.gp}}"]}
                """))
        try play.finish(
            "wf[0].a",
            outputs: [
                "parameters": [["name": "p", "globalName": "gp", "value": "v"]],
                "artifacts": [["name": "f", "globalName": "ga", "path": "/f", "s3": ["key": "k"]]],
            ])
        #expect(play.arguments("wf[1].b") == ["v"])
        #expect(play.pod("wf[1].b")?.template["inputs"]?["artifacts"] == [["name": "in", "path": "/in", "s3": ["key": "k"]]])
        #expect(
            play.run.outputs == [
                "parameters": [["name": "gp", "value": "v"]], "artifacts": [["name": "ga", "s3": ["key": "k"]]],
            ])
    }

    @Test func inlineTemplatesRunInPlace() throws {
        let play = try Play(
            workflow(
                """
                - name: main
                  steps:
                  - - name: a
                      arguments: {parameters: [{name: m, value: hey}]}
                      inline: {inputs: {parameters: [{name: m}]}, container: {image: i, args: ["{{inputs.parameters.m}}"]}}
                """))
        #expect(play.arguments("wf[0].a") == ["hey"])
        #expect(play.pods[0].podName == "wf-\(NodeNames.hash("wf[0].a"))")
    }

    @Test func inlineTemplatesHaveThePlaceWhereTheyAreWritten() throws {
        let inner = "{name: c, inline: {container: {image: i}}}"
        let play = try Play(
            workflow(
                "- name: main\n  steps:\n  - - {name: a, template: leaf}\n    - {name: b, inline: {dag: {tasks: [\(inner)]}}}\n"
                    + "- {name: leaf, container: {image: i}}\n"))
        func place(_ name: String) throws -> String? {
            play.run.plan.site(of: try #require(play.node(name)))?.finding(.error, "x").message
        }
        #expect(try place("wf[0].a")?.hasSuffix(": spec.templates[1]: x") == true)
        #expect(try place("wf[0].b") == "w.yaml:10:19: spec.templates[0].steps[0][1].inline: x")
        #expect(
            try place("wf[0].b.c") == "w.yaml:10:52: spec.templates[0].steps[0][1].inline.dag.tasks[0].inline: x")
    }

    /// Tags in a template inside a step are replaced with the step: they can be the outer template's.
    @Test func inlineTemplatesSeeWhatIsAroundThem() throws {
        var play = try Play(
            workflow(
                """
                - name: main
                  inputs: {parameters: [{name: x, value: outer}]}
                  steps:
                  - - {name: a, inline: {container: {image: i}}}
                  - - {name: b, inline: {container: {image: i, args: ["{{inputs.parameters.x}} {{steps.a.outputs.result}}"]}}}
                """))
        #expect(play.pod("wf[0].a")?.includesScriptOutput == true)
        try play.finish("wf[0].a", outputs: ["result": "r"])
        #expect(play.arguments("wf[1].b") == ["outer r"])
    }

    @Test func templateNamesMayBeMadeOfTags() throws {
        var play = try Play(
            workflow(
                """
                - name: main
                  inputs: {parameters: [{name: t, default: leaf}]}
                  steps: [[{name: a, template: "{{inputs.parameters.t}}"}]]
                - name: leaf
                  container: {image: i}
                """))
        try play.finish("wf[0].a")
        #expect(play.end?.phase == .succeeded)
        #expect(play.node("wf[0].a")?.templateName == "leaf")
    }

    @Test func aTemplateNameThatLeadsNowhereIsAnError() throws {
        let play = try Play(
            workflow(
                """
                - name: main
                  inputs: {parameters: [{name: t, default: gone}]}
                  steps: [[{name: a, template: "{{inputs.parameters.t}}"}]]
                """))
        #expect(play.end?.phase == .failed)
        #expect(play.node("wf[0].a")?.message == "template 'gone' is not defined")
        #expect(play.types["wf[0].a"] == "Skipped")
    }

    @Test func endlessCallsByTagsAreStopped() throws {
        let play = try Play(
            workflow(
                """
                - name: main
                  inputs: {parameters: [{name: t, default: main}]}
                  steps: [[{name: a, template: "{{inputs.parameters.t}}"}]]
                """))
        #expect(play.end?.phase == .failed)
        #expect(play.run.allNodes.contains { $0.message == "maximum recursion depth exceeded" })
    }

    @Test func volumesTakeTagsOfEarlierSteps() throws {
        var play = try Play(
            workflow(
                """
                - name: main
                  steps: [[{name: a, template: make}], [{name: b, template: use}]]
                - name: make
                  outputs: {parameters: [{name: p, valueFrom: {path: /p}}]}
                  container: {image: i}
                - name: use
                  container: {image: i, volumeMounts: [{name: v, mountPath: /v}]}
                """,
                spec:
                    "volumes: [{name: v, persistentVolumeClaim: {claimName: \"{{workflow.name}}-{{steps.a.outputs.parameters.p}}\"}}]"
            ))
        try play.finish("wf[0].a", outputs: ["parameters": [["name": "p", "value": "7"]]])
        #expect(play.pod("wf[1].b")?.volumes == [["name": "v", "persistentVolumeClaim": ["claimName": "wf-7"]]])
    }
}
