import Documents
import SystemSupport
import Testing
import WorkflowEngine
import WorkflowPlanning

@Suite struct StatusTests {
    @Test func theFinishedWorkflowHasTheCRDsShape() throws {
        var play = try Play(
            workflow(
                """
                - name: main
                  steps: [[{name: a, template: leaf}]]
                - {name: leaf, container: {image: i}}
                """))
        play.now = Timestamp(seconds: 1_700_000_010)
        play.run.podStarted(play.pods[0].nodeID, at: play.now)
        play.run.podProgressed(play.pods[0].nodeID, "x/7")
        #expect(play.run.status["progress"] == "0/7")
        play.run.podProgressed(play.pods[0].nodeID, "3/7")
        #expect(play.run.status["progress"] == "3/7")
        try play.finish("wf[0].a", outputs: ["result": "r"])
        let document = play.run.workflowDocument()
        #expect(document["kind"] == "Workflow" && document["apiVersion"] == "argoproj.io/v1alpha1")
        #expect(document["metadata"]?["name"] == "wf" && document["metadata"]?["uid"] == "u-1")
        #expect(document["metadata"]?["labels"]?["workflows.argoproj.io/phase"] == "Succeeded")
        #expect(document["spec"]?["entrypoint"] == "main")
        let id = "wf-\(NodeNames.hash("wf[0].a"))"
        let group = "wf-\(NodeNames.hash("wf[0]"))"
        let expected = """
            {"phase":"Succeeded","startedAt":"2023-11-14T22:13:20Z","finishedAt":"2023-11-14T22:13:32Z","progress":"7/7","nodes":{\
            "wf":{"id":"wf","name":"wf","displayName":"wf","type":"Steps","templateName":"main","templateScope":"local/wf",\
            "phase":"Succeeded","startedAt":"2023-11-14T22:13:20Z","finishedAt":"2023-11-14T22:13:32Z","progress":"7/7",\
            "children":["\(group)"],"outboundNodes":["\(id)"]},\
            "\(group)":{"id":"\(group)","name":"wf[0]","displayName":"[0]","type":"StepGroup","templateScope":"local/wf",\
            "phase":"Succeeded","boundaryID":"wf","startedAt":"2023-11-14T22:13:20Z","finishedAt":"2023-11-14T22:13:32Z",\
            "progress":"7/7","nodeFlag":{},"children":["\(id)"]},\
            "\(id)":{"id":"\(id)","name":"wf[0].a","displayName":"a","type":"Pod","templateName":"leaf","templateScope":"local/wf",\
            "phase":"Succeeded","boundaryID":"wf","startedAt":"2023-11-14T22:13:20Z","finishedAt":"2023-11-14T22:13:32Z",\
            "progress":"7/7","outputs":{"result":"r","exitCode":"0"}}},\
            "conditions":[{"type":"PodRunning","status":"False"},{"type":"Completed","status":"True"}]}
            """
        let status = try #require(document["status"])
        #expect(status == (try JSONValue(parsing: expected)), "\(status.serializedText())")
        let names = status["nodes"]?.object?.members.map(\.name) ?? []
        #expect(names == names.sorted())
    }

    @Test func aWorkflowOnItsWayIsRunning() throws {
        let play = try Play(workflow("- {name: main, container: {image: i}}"))
        let status = play.run.status
        #expect(status["phase"] == "Running" && status["finishedAt"]?.isNull == true && status["progress"] == "0/1")
        #expect(status["nodes"]?["wf"]?["phase"] == "Pending")
        #expect(status["conditions"] == [["type": "PodRunning", "status": "True"]])
    }

    @Test(arguments: ["x", "3", "1/0", "5/4", "-1/2", "1/2/3", "9223372036854775808/1", ""])
    func progressThatIsNoneIsIgnored(_ text: String) throws {
        var play = try Play(workflow("- {name: main, container: {image: i}}"))
        play.run.podProgressed("wf", text)
        #expect(play.run.status["progress"] == "0/1")
    }

    @Test func hugeProgressDoesNotOverflow() throws {
        var play = try Play(
            workflow(
                "- name: main\n  steps: [[{name: a, template: l}, {name: b, template: l}]]\n- {name: l, container: {image: i}}")
        )
        for pod in play.pods { play.run.podProgressed(pod.nodeID, "1/9223372036854775807") }
        #expect(play.run.status["progress"]?.string?.hasSuffix("/9223372036854775807") == true)
    }

    @Test func displayNamesMayBeGiven() throws {
        let play = try Play(
            workflow(
                "- {name: main, annotations: {workflows.argoproj.io/display-name: \"say-{{inputs.parameters.x}}\"}, inputs: {parameters: [{name: x, value: hi}]}, container: {image: i}}"
            ))
        #expect(play.node("wf")?.displayName == "say-hi")
    }
}
