import Documents
import Testing
import WorkflowModel

@Suite struct ReportTests {
    @Test func theCreateBodyNamesItsWorkflowAndHasNoResult() {
        let body = TaskResult.createBody(
            nodeID: "wf-123", workflowName: "wf", workflowUID: "u-1", instanceID: "", result: NodeResult())
        #expect(
            body == [
                "apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowTaskResult",
                "metadata": [
                    "name": "wf-123",
                    "labels": [
                        "workflows.argoproj.io/workflow": "wf", "workflows.argoproj.io/report-outputs-completed": "false",
                    ],
                    "ownerReferences": [
                        ["apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": "wf", "uid": "u-1"]
                    ],
                ],
            ])
    }

    @Test func anInstanceIDBecomesALabel() {
        let body = TaskResult.createBody(
            nodeID: "n", workflowName: "w", workflowUID: "u", instanceID: "blue",
            result: NodeResult(outputs: Outputs(result: "")))
        #expect(body["metadata"]?["labels"]?["workflows.argoproj.io/controller-instanceid"] == "blue")
        #expect(body["outputs"] == ["result": ""])
    }

    @Test func patchesLeaveTheLabelsAlone() {
        #expect(
            TaskResult.patchBody(NodeResult(outputs: Outputs(), progress: "1/2")).serializedText()
                == #"{"metadata":{},"outputs":{},"progress":"1/2"}"#)
        #expect(
            TaskResult.patchBody(NodeResult(phase: .failed, message: "m")).serializedText()
                == #"{"metadata":{},"phase":"Failed","message":"m"}"#)
    }

    @Test func finalisingSetsTheLabelAloneOrWithALastReport() {
        #expect(
            TaskResult.finalizeBody().serializedText()
                == #"{"metadata":{"labels":{"workflows.argoproj.io/report-outputs-completed":"true"}}}"#)
        #expect(
            TaskResult.finalizeBody(NodeResult(outputs: Outputs(exitCode: "0"))).serializedText()
                == #"{"metadata":{"labels":{"workflows.argoproj.io/report-outputs-completed":"true"}},"outputs":{"exitCode":"0"}}"#
        )
    }

    @Test func emptyListsAreLeftOutAnEmptyResultIsNot() {
        #expect(Outputs().document.serializedText() == "{}")
        #expect(Outputs(result: "", exitCode: "").document.serializedText() == #"{"result":"","exitCode":""}"#)
    }

    @Test func unknownOutputFieldsAreKept() throws {
        let outputs = try Outputs(document: ["future": [1], "artifacts": [["name": "a"]], "result": "r"])
        #expect(outputs.document == ["future": [1], "artifacts": [["name": "a"]], "result": "r"])
    }

    @Test func aPluginsAnswerIsRead() throws {
        let node = try NodeResult(
            document: [
                "phase": "Succeeded", "message": "m", "outputs": ["parameters": [["name": "p", "value": 1]]], "progress": "1/1",
            ])
        #expect(node.phase == .succeeded)
        #expect(node.outputs?.parameters[0].value == "1")
        #expect(node.document["outputs"] == ["parameters": [["name": "p", "value": "1"]]])
        #expect(try NodeResult(document: ["phase": ""]).phase == nil)
        #expect(try NodeResult(document: ["phase": "Odd"]).document["phase"] == "Odd")
        #expect(throws: ModelError.self) { try NodeResult(document: ["outputs": []]) }
    }

    // MARK: Limits of the resource definition

    private func check(_ text: String) throws {
        try CRDLimits.check(try Outputs(document: try JSONValue(parsing: text)))
    }

    @Test(arguments: [
        #"{"artifacts":[{"name":"a.b_{c}-D9","mode":511},{"name":"x","mode":0,"s3":{"key":"k"}}],"parameters":[{"name":"A_b-9"}]}"#,
        "{}",
    ])
    func whatTheServerTakesPasses(_ text: String) throws { try check(text) }

    @Test(arguments: [
        (#"{"artifacts":[{"name":"a b"}]}"#, "report artifact 'a b': the name"),
        (#"{"artifacts":[{"name":""}]}"#, "report artifact ''"),
        (#"{"artifacts":[{"name":"ä"}]}"#, "report artifact 'ä'"),
        (#"{"parameters":[{"name":"a.b"}]}"#, "report parameter 'a.b': the name"),
        (#"{"artifacts":[{"name":"a","mode":512}]}"#, "report artifact 'a': mode 512"),
        (#"{"artifacts":[{"name":"a","mode":-1}]}"#, "report artifact 'a': mode -1"),
        (#"{"artifacts":[{"name":"a","s3":{},"gcs":{}}]}"#, "report artifact 'a': it has more than one location: gcs, s3"),
        (
            #"{"artifacts":[{"name":"a","artifactGC":{"strategy":"Later"}}]}"#,
            "report artifact 'a': artifactGC.strategy 'Later'"
        ),
        (#"{"artifacts":[{"name":"a","s3":{"addressingStyle":"odd"}}]}"#, "report artifact 'a': s3.addressingStyle 'odd'"),
    ])
    func whatTheServerWouldRefuseIsNamed(_ text: String, _ message: String) throws {
        let error = try #require(throws: ModelError.self) { try check(text) }
        #expect(error.message.hasPrefix(message))
    }
}
