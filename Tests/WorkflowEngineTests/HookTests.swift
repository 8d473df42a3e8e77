import Documents
import SystemSupport
import Testing
import WorkflowEngine
import WorkflowFiles
import WorkflowPlanning

/// Hooks, exit handlers, limits, locks, daemons, what is remembered.
@Suite struct HookTests {
    private let leaf = "- {name: leaf, container: {image: i}}\n"

    @Test func theExitHandlerRunsHoweverItEnds() throws {
        for phase in [NodePhase.succeeded, .failed] {
            var play = try Play(
                workflow(
                    "- {name: main, container: {image: i}}\n- {name: bye, container: {image: i, args: [\"{{workflow.status}}\"]}}\n",
                    spec: "onExit: bye"))
            try play.finish("wf", phase, "main: Error (exit code 1)", exitCode: 1)
            #expect(play.end == nil && play.arguments("wf.onExit") == [phase.rawValue])
            #expect(play.pod("wf.onExit")?.isOnExit == true)
            try play.finish("wf.onExit")
            #expect(play.end?.phase.rawValue == phase.rawValue)
        }
    }

    @Test func aFailedExitHandlerFailsTheWorkflow() throws {
        var play = try Play(workflow("- {name: main, container: {image: i}}\n" + leaf, spec: "hooks: {exit: {template: leaf}}"))
        try play.finish("wf")
        try play.finish("wf.onExit", .failed, "main: Error (exit code 2)", exitCode: 2)
        #expect(play.end?.phase == .failed && play.end?.message == "main: Error (exit code 2)")
    }

    @Test func exitHandlersOfStepsSeeTheirOutputs() throws {
        for body in ["steps: [[§], [{name: z, template: leaf}]]", "dag: {tasks: [§, {name: z, template: leaf, depends: a}]}"] {
            let word = body.hasPrefix("steps") ? "steps" : "tasks"
            let call =
                "{name: a, template: make, hooks: {exit: {template: echo, arguments: {parameters: [{name: m, value: \"{{\(word).a.outputs.parameters.p}}\"}]}}}}"
            var play = try Play(
                workflow(
                    "- {name: main, \(body.replacing("§", with: call))}\n- {name: make, outputs: {parameters: [{name: p, valueFrom: {path: /p}}]}, container: {image: i}}\n"
                        + leaf + echo))
            let name = word == "steps" ? "wf[0].a" : "wf.a"
            try play.finish(name, outputs: ["parameters": [["name": "p", "value": "v"]]])
            #expect(play.arguments("\(name).onExit") == ["v"])
            #expect(play.pods.count == 2, "what comes after waits for the exit handler")
            try play.finish("\(name).onExit")
            try play.finish(word == "steps" ? "wf[1].z" : "wf.z")
            #expect(play.end?.phase == .succeeded)
            #expect(play.node("\(name).onExit")?.document["nodeFlag"] == ["hooked": true])
        }
    }

    @Test func hooksRunWhenTheirExpressionHolds() throws {
        var play = try Play(
            workflow(
                "- {name: main, steps: [[{name: a, template: leaf, hooks: {now: {expression: 'steps[\"a\"].status == \"Running\"', template: leaf}}}]]}\n"
                    + leaf, spec: "hooks: {up: {expression: workflow.status == \"Running\", template: leaf}}"))
        #expect(play.pods.map(\.nodeName) == ["wf[0].a", "wf.hooks.up"])
        play.take(play.run.podStarted(play.node("wf[0].a")?.id ?? "", at: play.now))
        #expect(play.pods.last?.nodeName == "wf[0].a.hooks.now")
        try play.finish("wf[0].a")
        #expect(play.end == nil)
        try play.finish("wf.hooks.up")
        try play.finish("wf[0].a.hooks.now")
        #expect(play.end?.phase == .succeeded)
    }

    @Test func noMoreRunThanMay() throws {
        let loop = "withSequence: {count: 5}"
        for text in [
            workflow("- {name: main, steps: [[{name: a, template: leaf, \(loop)}]]}\n" + leaf, spec: "parallelism: 2"),
            workflow("- {name: main, parallelism: 2, dag: {tasks: [{name: a, template: leaf, \(loop)}]}}\n" + leaf),
        ] {
            var play = try Play(text)
            for number in 0..<5 {
                #expect(play.pods.count == min(5, number + 2))
                try play.finish(play.pods[number].nodeName)
            }
            #expect(play.end?.phase == .succeeded)
        }
    }

    @Test func failFastKeepsTheRestFromBeginning() throws {
        var play = try Play(
            workflow(
                "- {name: main, parallelism: 1, failFast: true, steps: [[{name: a, template: leaf, withSequence: {count: 4}}]]}\n"
                    + leaf))
        try play.finish("wf[0].a(0:0)")
        try play.finish("wf[0].a(1:1)", .failed, exitCode: 1)
        #expect(play.end?.phase == .failed && play.pods.count == 2)
        #expect(play.end?.message == "template has failed or errored children and failFast enabled")
    }

    private func locked(_ lock: String) -> String {
        workflow(
            "- {name: main, dag: {tasks: [{name: a, template: one}, {name: b, template: one}, {name: c, template: one}]}}\n"
                + "- {name: one, synchronization: {\(lock)}, container: {image: i}}\n")
    }

    @Test func aMutexIsHeldByOneAtATime() throws {
        var play = try Play(locked("mutex: {name: m}"))
        #expect(play.pods.map(\.nodeName) == ["wf.a"])
        #expect(play.node("wf.b")?.phase == .pending)
        #expect(play.node("wf.b")?.message == "Waiting for argo/Mutex/m lock. Lock status: 0/1")
        #expect(play.node("wf.b")?.document["synchronizationStatus"] == ["waiting": "argo/Mutex/m"])
        try play.finish("wf.a", .failed, exitCode: 1)
        #expect(play.pods.map(\.nodeName) == ["wf.a", "wf.b"])
        try play.finish("wf.b")
        try play.finish("wf.c")
        #expect(play.end?.phase == .failed)
    }

    @Test func aSemaphoreHasAsManyPlacesAsItsConfigMapSays() throws {
        var settings = RunSettings()
        settings.configMapValue = { name, key in name == "sizes" && key == "two" ? "2" : nil }
        let play = try Play(locked("semaphores: [{configMapKeyRef: {name: sizes, key: two}}]"), settings: settings)
        #expect(play.pods.count == 2)
        let missing = try Play(locked("semaphore: {configMapKeyRef: {name: sizes, key: three}}"), settings: settings)
        #expect(missing.node("wf.a")?.message.contains("semaphore: key 'three' of config map 'sizes' is not there") == true)
    }

    @Test func aLockThatOnlyAWaitingNodeCouldGiveBackFails() throws {
        let play = try Play(
            workflow(
                "- {name: main, synchronization: {mutex: {name: m}}, steps: [[{name: a, template: one}]]}\n"
                    + "- {name: one, synchronization: {mutex: {name: m}}, container: {image: i}}\n"))
        #expect(play.end?.phase == .failed)
        #expect(play.node("wf[0].a")?.message == "deadlock: lock argo/Mutex/m is held by wf, which waits for this node")
    }

    @Test func theWorkflowHoldsItsLocksToo() throws {
        let templates = "- {name: main, synchronization: {mutex: {name: m}}, container: {image: i}}\n"
        let play = try Play(workflow(templates, spec: "synchronization: {mutex: {name: m}}"))
        #expect(play.end?.phase == .error)
        #expect(play.node("wf")?.message == "deadlock: lock argo/Mutex/m is held by the workflow, which waits for this node")
        let missing = try Play(
            workflow(templates, spec: "synchronization: {semaphore: {configMapKeyRef: {name: c, key: k}}}"))
        #expect(missing.end?.phase == .error && missing.pods.isEmpty)
        #expect(missing.end?.message == "semaphore: key 'k' of config map 'c' is not there")
    }

    @Test func aDaemonRunsBesideWhatComesAfterIt() throws {
        var play = try Play(
            workflow(
                "- {name: main, steps: [[{name: d, template: serve}], [{name: a, template: echo, arguments: {parameters: [{name: m, value: \"{{steps.d.ip}}\"}]}}]]}\n"
                    + "- {name: serve, daemon: true, container: {image: i}}\n" + echo))
        #expect(play.pods.count == 1)
        play.take(play.run.podStarted(play.node("wf[0].d")?.id ?? "", address: "10.0.0.7", at: play.now))
        #expect(play.arguments("wf[1].a") == ["10.0.0.7"])
        try play.finish("wf[1].a")
        #expect(play.stopped == [play.node("wf[0].d")?.id ?? ""])
        #expect(play.end == nil && play.phases["wf[0].d"] == "Succeeded")
        try play.finish("wf[0].d", .failed, exitCode: 143)
        #expect(play.end?.phase == .succeeded)
    }

    @Test func whatIsRememberedIsNotRunAgain() throws {
        let text = workflow(
            "- {name: main, memoize: {key: k1, maxAge: 1h, cache: {configMap: {name: c}}}, outputs: {parameters: [{name: p, valueFrom: {path: /p}}]}, container: {image: i}}\n"
        )
        var play = try Play(text)
        try play.finish("wf", outputs: ["parameters": [["name": "p", "value": "v"]]])
        let kept = try #require(play.remembered.first)
        #expect(kept.cache == "c" && kept.key == "k1")
        for (age, isHit) in [(Int64(60), true), (7200, false)] {
            var settings = RunSettings()
            let time = Timestamp(seconds: 1_700_000_000 - age)
            settings.recall = { cache, key in cache == "c" && key == "k1" ? (kept.outputs, time) : nil }
            let again = try Play(text, settings: settings)
            #expect(again.pods.isEmpty == isHit)
            if isHit {
                #expect(again.end?.phase == .succeeded)
                #expect(again.node("wf")?.outputs?["parameters"] == [["name": "p", "value": "v"]])
            }
        }
    }
}
