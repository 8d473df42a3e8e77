import Documents
import Foundation
import KubernetesAPI
import SystemSupport
import Testing
import WorkflowModel

private let identity = TaskResultIdentity(nodeID: "node-1", workflowName: "wf", workflowUID: "uid", instanceID: "")
private let output = NodeResult(outputs: Outputs(result: "42"))
private let progress = NodeResult(progress: "1/2")
private let exists = ScriptedAPI.Answer.refusal(409, "AlreadyExists", "exists")
private let missing = ScriptedAPI.Answer.refusal(404, "NotFound", "missing")

private let create = "POST"
private let patch = "PATCH"

private func createBody(_ result: NodeResult = NodeResult()) -> String {
    TaskResult.createBody(nodeID: "node-1", workflowName: "wf", workflowUID: "uid", instanceID: "", result: result)
        .serializedText()
}

private func patchBody(_ result: NodeResult) -> String { TaskResult.patchBody(result).serializedText() }

private func finalizeBody(_ result: NodeResult = NodeResult()) -> String { TaskResult.finalizeBody(result).serializedText() }

/// The states and outcomes of contract 04 §3.3.
@Suite struct TaskResultStoreTests {
    /// What a server with these answers is asked; a failing step is marked.
    private func requests(_ answers: [ScriptedAPI.Answer?], _ steps: (TaskResultStore) throws -> Void) throws -> [String] {
        let server = try ScriptedAPI(answers)
        defer { server.stop() }
        try steps(TaskResultStore(ClientFixture(server.url).client, identity: identity))
        return server.requests.map { $0.line.prefix { $0 != " " } + " " + $0.body }
    }

    @Test func aStepOfTwoReportsTakesThreeRequests() throws {
        let seen = try requests([]) { store in
            try store.initialize()
            try store.report(progress)
            try store.finalize(output)
        }
        #expect(seen == ["POST " + createBody(), "PATCH " + patchBody(progress), "PATCH " + finalizeBody(output)])
    }

    @Test func patchesWhatExistsAlready() throws {
        let seen = try requests([exists]) { store in
            try store.report(output)
            try store.report(progress)
        }
        #expect(seen == ["POST " + createBody(output), "PATCH " + patchBody(output), "PATCH " + patchBody(progress)])
    }

    @Test func makesWhatWasDeletedAgain() throws {
        let seen = try requests([.init(), missing]) { store in
            try store.initialize()
            try store.report(output)
            try store.report(progress)
        }
        #expect(
            seen == [
                "POST " + createBody(), "PATCH " + patchBody(output), "POST " + createBody(output),
                "PATCH " + patchBody(progress),
            ])
    }

    @Test func staysUnmadeAfterOtherErrors() throws {
        let seen = try requests([.refusal(500, "InternalError", "x"), nil]) { store in
            #expect(throws: APIError.self) { try store.initialize() }
            #expect(throws: APIError.self) { try store.initialize() }
            try store.report(output)
        }
        #expect(seen == ["POST " + createBody(), "POST " + createBody(), "POST " + createBody(output)])
    }

    @Test func aConflictOfAnotherKindIsAnError() throws {
        _ = try requests([.refusal(409, "Conflict", "x")]) { store in
            let error = #expect(throws: APIError.self) { try store.initialize() }
            #expect(error?.reason == "Conflict")
        }
    }

    @Test func finalizesWhateverWasMade() throws {
        #expect(try requests([]) { try $0.finalize(NodeResult()) } == ["PATCH " + finalizeBody()])
        _ = try requests([missing]) { store in
            let error = #expect(throws: APIError.self) { try store.finalize(NodeResult()) }
            #expect(error?.status == 404)
            #expect(error?.isTransient == false)
        }
    }

    /// The creation at the start failed: the outputs must arrive all the same.
    @Test func finalizesWithOutputsWhereNothingWasMade() throws {
        #expect(try requests([]) { try $0.finalize(output) } == ["POST " + createBody(output), "PATCH " + finalizeBody()])
        #expect(
            try requests([exists]) { try $0.finalize(output) } == [
                "POST " + createBody(output), "PATCH " + finalizeBody(output),
            ])
        let deleted = try requests([.init(), missing]) { store in
            try store.initialize()
            try store.finalize(output)
        }
        #expect(
            deleted == [
                "POST " + createBody(), "PATCH " + finalizeBody(output), "POST " + createBody(output),
                "PATCH " + finalizeBody(),
            ])
    }
}

@Suite struct TaskResultFileTests {
    private let folder: Folder
    private let path: BytePath

    init() throws {
        folder = try Folder()
        path = folder.path.appending("taskresult.json")
    }

    private var content: JSONValue { get throws { try JSONValue(parsing: SmallFile.read(path)) } }

    @Test func holdsWhatTheServerWouldHold() throws {
        let file = TaskResultFile(path, identity: identity)
        try file.initialize()
        #expect(try content == JSONValue(parsing: createBody()))
        try file.report(progress)
        try file.report(output)
        try file.finalize(NodeResult())
        var expected = try #require(JSONValue(parsing: createBody()).object)
        expected["progress"] = "1/2"
        expected["outputs"] = ["result": "42"]
        #expect(try content.merged(with: ["metadata": ["labels": [TaskResult.completedLabel: "false"]]]) == .object(expected))
        #expect(try content["metadata"]?["labels"]?[TaskResult.completedLabel] == "true")
        #expect(folder.names == ["taskresult.json"])
    }

    @Test func takesOutputsAtTheEnd() throws {
        try TaskResultFile(path, identity: identity).finalize(output)
        #expect(try content["outputs"]?["result"] == "42")
        #expect(try content["metadata"]?["labels"]?[TaskResult.completedLabel] == "true")
    }

    @Test func manyWritersLoseNothing() throws {
        let path = path
        try Parallel.forEach(count: 40, width: 8) { index in
            let file = TaskResultFile(path, identity: identity)
            try file.report(index % 2 == 0 ? progress : output)
        }
        #expect(try content["outputs"]?["result"] == "42")
        #expect(try content["progress"] == "1/2")
        #expect(folder.names == ["taskresult.json"])
    }

    @Test func keepsWhatItCannotRead() throws {
        try SmallFile.write(path, Array("{\"half\":".utf8))
        let error = #expect(throws: ExecutorError.self) { try TaskResultFile(path, identity: identity).report(output) }
        #expect(error?.message.contains("read the task result in \(path)") == true)
        #expect(try SmallFile.read(path) == Array("{\"half\":".utf8))
    }

    @Test func needsItsFolder() {
        let file = TaskResultFile(folder.path.appending("no/file"), identity: identity)
        #expect(throws: SystemError.self) { try file.initialize() }
    }
}

@Suite struct MergePatchTests {
    /// The test cases of RFC 7386, appendix A.
    @Test(arguments: [
        (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
        (#"{"a":"b"}"#, #"{"a":null}"#, "{}"), (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
        (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
        (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
        (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#),
        (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#), (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#), (#"{"a":"foo"}"#, "null", "null"),
        (#"{"a":"foo"}"#, #""bar""#, #""bar""#), (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#),
        ("[1,2]", #"{"a":"b","c":null}"#, #"{"a":"b"}"#), ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
    ]) func followsTheStandard(document: String, patch: String, result: String) throws {
        #expect(try JSONValue(parsing: document).merged(with: JSONValue(parsing: patch)) == JSONValue(parsing: result))
    }
}
