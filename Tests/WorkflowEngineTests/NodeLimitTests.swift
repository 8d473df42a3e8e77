import Documents
import SystemSupport
import Testing
import WorkflowEngine
import WorkflowFiles
import WorkflowModel
import WorkflowPlanning

/// How large a run may be, counted before it begins and while it runs.
@Suite struct NodeLimitTests {
    /// Templates that each call the next one twice.
    private func doubling(_ count: Int) -> String {
        (0..<count).map { "- {name: t\($0), steps: [[{name: a, template: t\($0 + 1)}, {name: b, template: t\($0 + 1)}]]}\n" }
            .joined()
            + "- {name: t\(count), container: {image: i}}\n"
    }

    private func refusal(_ text: String, _ limit: Int = RunSettings.defaultMaximumNodes) -> String? {
        var settings = RunSettings()
        settings.maximumNodes = limit
        do {
            _ = try Play.plan([text], settings)
            return nil
        } catch let refusal as WorkflowRefusal { return refusal.message } catch { return "\(error)" }
    }

    @Test func whatMakesTooManyNodesIsNamed() {
        let text = workflow(doubling(60), entrypoint: "t0")
        // With n more below: 3 · 2^n - 2 nodes.
        #expect(
            refusal(text)
                == "w.yaml:55:5: spec.templates[48]: template 't48' makes 12286 nodes with all that it calls; a run may have 10000 "
                + "(--max-nodes N sets the limit)")
    }

    @Test func theLimitCountsEveryNode() throws {
        let text = workflow(doubling(3), entrypoint: "t0")
        #expect(refusal(text, 21)?.contains("makes 22 nodes") == true)
        #expect(refusal(text, 22) == nil)
        var play = try Play(text)
        for pod in play.pods { try play.finish(pod.nodeName) }
        #expect(play.end?.phase == .succeeded)
        #expect(play.run.allNodes.count == 22)
    }

    @Test func dagsAndContainerSetsCountToo() {
        let set = "- {name: set, containerSet: {containers: [{name: a, image: i}, {name: b, image: i}]}}\n"
        let dag = "- {name: main, dag: {tasks: [{name: x, template: set}, {name: y, template: set}]}}\n"
        #expect(refusal(workflow(dag + set), 6)?.contains("template 'main' makes 7 nodes") == true)
        #expect(refusal(workflow(dag + set), 7) == nil)
    }

    @Test func templatesThatCallEachOtherTooDeepAreToldBefore() throws {
        func chain(_ count: Int) -> String {
            workflow(
                (0..<count).map { "- {name: t\($0), steps: [[{name: a, template: t\($0 + 1)}]]}\n" }.joined()
                    + "- {name: t\(count), container: {image: i}}\n", entrypoint: "t0")
        }
        #expect(refusal(chain(99))?.contains("template 't0' calls templates 100 levels deep; at most 99 can run") == true)
        #expect(refusal(chain(98)) == nil)
        #expect(try Play(chain(98)).pods.count == 1)
    }

    @Test func whatIsOnlyKnownLaterIsCountedByTheRun() throws {
        let text = workflow(
            """
            - name: main
              inputs: {parameters: [{name: which, value: many}]}
              steps: [[{name: a, template: "{{inputs.parameters.which}}"}]]
            - {name: many, dag: {tasks: [{name: x, template: one}, {name: y, template: one}, {name: z, template: one}]}}
            - {name: one, container: {image: i}}
            """)
        var settings = RunSettings()
        settings.maximumNodes = 4
        var play = try Play(text, settings: settings)
        for pod in play.pods { try play.finish(pod.nodeName) }
        #expect(play.pods.count == 1)
        #expect(play.end?.phase == .error || play.end?.phase == .failed)
        #expect(play.run.allNodes.contains { $0.message.contains("the run has 4 nodes, and may have no more") })
    }

    // MARK: Dry runs

    private func dryRun(_ text: String, _ settings: RunSettings = RunSettings()) throws -> (
        run: WorkflowRun, pods: [PodRequest]
    ) {
        let plan = try Play.plan([text], settings)
        let now = Timestamp(seconds: 1_700_000_000)
        let identity = WorkflowRun.Identity(name: "wf", namespace: "argo", uid: "u-1", creationTimestamp: now)
        var run = WorkflowRun(plan: plan, identity: identity, abridgement: Abridgement())
        var pods: [PodRequest] = []
        var actions = run.start(at: now)[...]
        while let action = actions.popFirst() {
            guard case .runPod(let pod) = action else { continue }
            pods.append(pod)
            actions += run.podFinished(pod.nodeID, PodResult(phase: .succeeded, outputs: nil, exitCode: 0), at: now)
        }
        return (run, pods)
    }

    @Test func aDryRunIsAsLongAsTheFile() throws {
        var settings = RunSettings()
        settings.maximumNodes = .max
        let (run, pods) = try dryRun(workflow(doubling(39), entrypoint: "t0"), settings)
        #expect(run.phase == .succeeded)
        #expect(pods.count == 2)
        #expect(run.allNodes.count <= 4 * 40)
    }

    @Test func aDryRunRunsCallsWithOtherArguments() throws {
        let text = workflow(
            """
            - name: main
              steps:
              - - {name: a, template: two, arguments: {parameters: [{name: p, value: x}]}}
              - - {name: b, template: two, arguments: {parameters: [{name: p, value: y}]}}
              - - {name: c, template: two, arguments: {parameters: [{name: p, value: x}]}}
            - name: two
              inputs: {parameters: [{name: p}]}
              steps: [[{name: s, template: leaf, arguments: {parameters: [{name: p, value: "{{inputs.parameters.p}}"}]}}]]
            - {name: leaf, inputs: {parameters: [{name: p}]}, container: {image: "{{inputs.parameters.p}}"}}
            """)
        let (run, pods) = try dryRun(text)
        #expect(pods.map { $0.template["container"]?["image"]?.string } == ["x", "y"])
        #expect(run.abridgement?.isComplete == true)
        #expect(run.phase == .succeeded)
    }

    @Test func outputsOfWhatIsLeftOutAreStandIns() throws {
        let text = workflow(
            """
            - name: main
              steps:
              - [{name: a, template: two}, {name: b, template: two}]
              - [{name: c, template: leaf, arguments: {parameters: [{name: p, value: "{{steps.b.outputs.parameters.o}}"}]}}]
            - name: two
              steps: [[{name: s, template: make}]]
              outputs: {parameters: [{name: o, valueFrom: {parameter: "{{steps.s.outputs.parameters.o}}", default: d}}]}
            - {name: make, outputs: {parameters: [{name: o, valueFrom: {path: /o}}]}, container: {image: i}}
            - {name: leaf, inputs: {parameters: [{name: p}]}, container: {image: i, args: ["{{inputs.parameters.p}}"]}}
            """)
        let (_, pods) = try dryRun(text)
        #expect(pods.last?.template["container"]?["args"]?.array?.compactMap(\.string) == ["<known later: wf[0].b o>"])
    }
}
