import Documents
import SystemSupport
import Testing
import WorkflowEngine
import WorkflowModel
import WorkflowPlanning

/// Container sets, suspensions, deadlines, interruption.
@Suite struct NodeKindTests {
    private let set = workflow(
        """
        - name: main
          steps: [[{name: s, template: set}], [{name: e, template: echo, arguments: {parameters: [{name: m, value: "{{steps.s.outputs.result}}"}]}}]]
        - name: set
          containerSet:
            containers: [{name: a, image: i}, {name: main, image: i, dependencies: [a]}, {name: c, image: i, dependencies: [a, main]}]

        """ + echo)

    private func ended(_ name: String, _ code: Int?, _ message: String = "") -> ContainerResult {
        ContainerResult(name: name, exitCode: code, reason: code == 0 ? "Completed" : "Error", message: message)
    }

    @Test func membersOfASetAreNodesBelowTheirPod() throws {
        var play = try Play(set)
        #expect(play.types["wf[0].s"] == "Pod")
        #expect(play.pod("wf[0].s")?.includesScriptOutput == true)
        for member in ["a", "main", "c"] {
            #expect(play.types["wf[0].s.\(member)"] == "Container")
            #expect(play.node("wf[0].s.\(member)")?.boundaryID == play.node("wf[0].s")?.id)
            #expect(play.node("wf[0].s.\(member)")?.displayName == member)
            #expect(play.phases["wf[0].s.\(member)"] == "Pending")
        }
        #expect(play.children("wf[0].s") == ["wf[0].s.a"])
        #expect(play.children("wf[0].s.a") == ["wf[0].s.main", "wf[0].s.c"])
        try play.finish("wf[0].s", outputs: ["result": "r"], containers: [ended("a", 0), ended("main", 0), ended("c", 0)])
        #expect(play.phases["wf[0].s.main"] == "Succeeded")
        // What follows hangs on the last members.
        #expect(play.children("wf[0].s.c") == ["wf[1]"])
        #expect(play.children("wf[0].s") == ["wf[0].s.a"])
        #expect(play.arguments("wf[1].e") == ["r"])
    }

    @Test func membersFailEachForItself() throws {
        var play = try Play(set)
        try play.finish(
            "wf[0].s", .failed, "main: Error (exit code 3)", exitCode: 3,
            containers: [ended("a", 0), ended("main", 3, "boom"), ended("c", 64, "bad"), ended("unknown", 1)])
        #expect(play.phases["wf[0].s.a"] == "Succeeded")
        #expect(play.node("wf[0].s.main")?.phase == .failed)
        #expect(play.node("wf[0].s.main")?.message == "main: Error (exit code 3): boom")
        #expect(play.node("wf[0].s.c")?.phase == .error)
        #expect(play.end?.phase == .failed)
    }

    @Test func aMemberThatNeverEndedFailsWithItsPod() throws {
        var play = try Play(set)
        try play.finish("wf[0].s", .failed, "deadline", containers: [ended("a", 0), ended("main", nil)])
        #expect(play.node("wf[0].s.main")?.message == "Pod Failed whilst container running")
        #expect(play.phases["wf[0].s.c"] == "Failed")
    }

    private func suspended(_ more: String, _ options: String = "") -> String {
        workflow(
            """
            - name: main
              steps: [[{name: w, template: wait}], [{name: e, template: echo, arguments: {parameters: [{name: m, value: "\(more)"}]}}]]
            - name: wait
              suspend: {duration: "90"}
            \(options)

            """ + echo)
    }

    @Test(
        arguments: [("\"90\"", 90_000_000_000), ("1m30s", 90_000_000_000), ("\"0\"", 0), ("10ms", 10_000_000)]
            as [(String, Int64)])
    func suspensionsSayHowLong(_ text: String, _ nanoseconds: Int64) throws {
        var play = try Play(workflow("- name: main\n  suspend: {duration: \(text)}"))
        #expect(play.suspensions.map(\.duration) == [nanoseconds])
        #expect(play.types["wf"] == "Suspend" && play.phases["wf"] == "Running")
        play.resume("wf")
        #expect(play.end?.phase == .succeeded)
    }

    @Test func aSuspensionWithoutDurationWaitsForSomebody() throws {
        var play = try Play(suspended("x").replacing("suspend: {duration: \"90\"}", with: "suspend: {}"))
        #expect(play.suspensions.map(\.duration) == [nil])
        play.resume("wf[0].w")
        #expect(play.children("wf[0].w") == ["wf[1]"])
        #expect(play.arguments("wf[1].e") == ["x"])
        // Once is enough.
        play.resume("wf[0].w")
        #expect(play.pods.count == 1)
    }

    @Test func outputsOfASuspensionAreSuppliedOrTheirDefaults() throws {
        let outputs =
            "  inputs: {parameters: [{name: b, default: ib}]}\n  outputs: {parameters: [{name: a, valueFrom: {supplied: {}, default: da}}, {name: b, valueFrom: {supplied: {}}}]}"
        let text = suspended("{{steps.w.outputs.parameters.a}}{{steps.w.outputs.parameters.b}}", outputs)
        var play = try Play(text)
        #expect(play.node("wf[0].w")?.outputs?["parameters"]?.array?.count == 2)
        play.resume("wf[0].w")
        #expect(play.arguments("wf[1].e") == ["daib"])
        play = try Play(text)
        play.resume("wf[0].w", outputs: ["a": "A", "b": "B"])
        #expect(play.arguments("wf[1].e") == ["AB"])
    }

    @Test func anOutputThatIsNotSuppliedIsAnError() throws {
        var play = try Play(
            suspended("{{steps.w.outputs.parameters.a}}", "  outputs: {parameters: [{name: a, valueFrom: {supplied: {}}}]}"))
        play.resume("wf[0].w")
        #expect(play.node("wf[0].w")?.phase == .error)
        #expect(play.node("wf[0].w")?.message == "raw output parameter 'a' has not been set and does not have a default value")
        #expect(play.end?.phase == .failed)
    }

    @Test func anInterruptionStopsPodsAndWhatWaits() throws {
        var play = try Play(
            workflow(
                """
                - name: main
                  steps: [[{name: a, template: leaf}, {name: b, template: leaf}, {name: w, template: wait}], [{name: c, template: leaf}]]
                - name: wait
                  suspend: {}
                - name: leaf
                  container: {image: i}
                """))
        try play.finish("wf[0].a")
        play.interrupt()
        #expect(play.stopped == [play.node("wf[0].b")?.id ?? ""])
        #expect(play.node("wf[0].w")?.message == "Stopped with strategy 'Terminate'")
        #expect(play.end == nil)
        try play.finish("wf[0].b", .failed, "main: Error (exit code 143)", exitCode: 143)
        #expect(play.end?.phase == .failed)
        #expect(play.end?.message == "Stopped with strategy 'Terminate'")
        #expect(play.node("wf[1]") == nil)
        play.interrupt()
        #expect(play.stopped.count == 1)
    }

    @Test func afterAnInterruptionNothingNewBegins() throws {
        for kind in [
            "steps: [[{name: a, template: leaf}], [{name: b, template: leaf}]]",
            "dag: {tasks: [{name: a, template: leaf}, {name: b, template: leaf, dependencies: [a]}]}",
        ] {
            var play = try Play(workflow("- name: main\n  \(kind)\n- name: leaf\n  container: {image: i}"))
            play.interrupt()
            // It had succeeded before it could be stopped.
            try play.finish(play.pods[0].nodeName)
            #expect(play.pods.count == 1)
            #expect(play.end?.phase == .failed)
            #expect(play.end?.message == "Stopped with strategy 'Terminate'")
        }
    }

    @Test func theWorkflowsDeadlineReachesPodsAndWhatWaits() throws {
        var play = try Play(
            workflow(
                """
                - name: main
                  steps: [[{name: a, template: leaf}, {name: w, template: wait}]]
                - name: wait
                  suspend: {}
                - name: leaf
                  activeDeadlineSeconds: 100
                  container: {image: i}
                """, spec: "activeDeadlineSeconds: 60"))
        #expect(play.pods[0].deadline == Timestamp(seconds: 1_700_000_060))
        #expect(play.pods[0].activeDeadlineSeconds == 60)
        play.take(play.run.deadlineReached(at: Timestamp(seconds: 1_700_000_059)))
        #expect(play.node("wf[0].w")?.phase == .running)
        play.take(play.run.deadlineReached(at: Timestamp(seconds: 1_700_000_060)))
        #expect(play.node("wf[0].w")?.message == "Step exceeded its deadline")
        try play.finish("wf[0].a", .failed, "Pod was active on the node longer than the specified deadline", exitCode: 143)
        #expect(play.end?.phase == .failed)
    }

    @Test func afterTheDeadlineNoPodBegins() throws {
        var play = try Play(
            workflow(
                "- name: main\n  steps: [[{name: a, template: leaf}], [{name: b, template: leaf}]]\n- name: leaf\n  container: {image: i}",
                spec: "activeDeadlineSeconds: 2"))
        try play.finish("wf[0].a")
        #expect(play.pods.count == 1)
        #expect(play.node("wf[1].b")?.message == "Step exceeded its deadline")
        #expect(play.end?.phase == .failed)
    }

    @Test(
        arguments: [
            ("activeDeadlineSeconds: 7", 7), ("activeDeadlineSeconds: \"{{inputs.parameters.num}}\"", 9), ("timeout: 30s", 30),
            ("timeout: 1m, activeDeadlineSeconds: 40", 40), ("timeout: 20s, activeDeadlineSeconds: 40", 20),
        ] as [(String, Int64)])
    func theShortestLimitCounts(_ fields: String, _ seconds: Int64) throws {
        let play = try Play(
            workflow("- {name: main, \(fields), inputs: {parameters: [{name: num, value: 9}]}, container: {image: i}}"))
        #expect(play.pods.map(\.activeDeadlineSeconds) == [seconds])
        #expect(play.pods[0].deadline == nil)
    }

    @Test func eventsThatAreLateOrUnknownChangeNothing() throws {
        var play = try Play(workflow("- name: main\n  container: {image: i}"))
        let result = PodResult(phase: .failed)
        #expect(play.run.podFinished("other", result, at: play.now).isEmpty)
        #expect(play.run.resume("wf", at: play.now).isEmpty)
        #expect(play.run.start(at: play.now).isEmpty)
        try play.finish("wf")
        #expect(play.run.podFinished("wf", result, at: play.now).isEmpty)
        #expect(play.run.interrupted(at: play.now).isEmpty)
        #expect(play.node("wf")?.phase == .succeeded)
    }

    /// Levels that are reached one a look, since each waits for something, count like those of one look.
    @Test(arguments: [
        "[[{name: a, template: z}], [{name: b, template: main, when: '1 == 1'}]]",
        "[[{name: a, template: z, hooks: {x: {expression: 'steps.a.status == \"Succeeded\"', template: main}}}]]",
    ])
    func theLimitOfDepthHoldsWhereEachLevelWaits(_ steps: String) throws {
        var play = try Play(workflow("- {name: main, steps: \(steps)}\n- {name: z, suspend: {duration: '0'}}"))
        var resumed = 0
        while play.end == nil, resumed < play.suspensions.count, resumed < 300 {
            let name = try #require(play.run.node(play.suspensions[resumed].id)?.name)
            resumed += 1
            play.resume(name)
        }
        #expect(play.end != nil)
        #expect(resumed < 150)
        #expect(play.run.allNodes.contains { $0.message.contains("maximum recursion depth exceeded") })
    }
}
