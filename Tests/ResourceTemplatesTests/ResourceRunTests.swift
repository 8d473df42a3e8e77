import Documents
import Foundation
import KubernetesAPI
import ProcessControl
import SystemSupport
import TestSupport
import Testing
import WorkflowModel

@testable import ResourceTemplates

private func configMap(_ name: String, _ data: JSONValue = ["k": "v"]) -> String {
    let object: JSONValue = ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(name)], "data": data]
    return object.serializedText()
}

private func parameters(_ sources: (String, JSONValue)...) -> JSONValue {
    ["parameters": .array(sources.map { ["name": .string($0.0), "valueFrom": $0.1] })]
}

/// Whole runs of resource templates with kubectl against a real API server, with no more rights than a role that names verbs.
@Suite("Resource templates on a real API server", .requires(.kubernetes), .requiresKubectl)
struct ResourceRunTests {
    private func box(token: String? = nil, sink: RecordingSink = RecordingSink()) async throws -> ResourceBox {
        try ResourceBox(try await ClusterServer.shared(.kubernetes), token: token, sink: sink)
    }

    @Test func everyActionDoesWhatItSaysAndReportsWhatItFinds() async throws {
        let box = try await box()
        let name = freshName("actions")
        let place = "\(box.configMaps)/\(name)"
        let outputs = parameters(
            ("p", ["jsonPath": "{.data.k}"]), ("q", ["jqFilter": ".data"]), ("n", ["jsonPath": "{.data.none}"]))
        func act(_ action: String, _ manifest: String, _ fields: JSONValue = [:]) async throws {
            let resource: JSONValue = ["action": .string(action), "manifest": .string(manifest)]
            let aside = try await box.run(try resourceTemplate(resource.merged(with: fields), outputs: outputs))
            #expect(aside == nil)
        }
        try await act("create", configMap(name))
        #expect(box.sink.parameters == ["p": "v", "q": #"{"k":"v"}"#, "n": ""])
        // One request makes the task result complete and brings the outputs.
        #expect(box.sink.calls == ["initialize", "finalize"])
        try await act("apply", configMap(name, ["k": "applied", "b": "<&>"]))
        #expect(box.sink.parameters["q"] == #"{"b":"\u003c\u0026\u003e","k":"applied"}"#)
        #expect(box.said.contains("Warning: "))
        try await act("get", configMap(name))
        #expect(box.sink.parameters["p"] == "applied")
        try await act("replace", configMap(name, ["k": "replaced"]))
        #expect(box.sink.parameters["q"] == #"{"k":"replaced"}"#)
        try await act("patch", "data: {k: strategic}", ["flags": ["configmap", .string(name)]])
        #expect(box.sink.parameters["p"] == "strategic")
        try await act(
            "patch", "data: {k: null, m: merged}", ["mergeStrategy": "merge", "flags": ["configmap", .string(name)]])
        #expect(box.sink.parameters["q"] == #"{"m":"merged"}"#)
        try await act(
            "patch", #"[{"op": "add", "path": "/data/k", "value": "json"}]"#,
            ["mergeStrategy": "json", "flags": ["configmap", .string(name)]])
        #expect(box.sink.parameters["q"] == #"{"k":"json","m":"merged"}"#)
        try await act("patch", configMap(name, ["k": "by file"]))
        #expect(box.sink.parameters["p"] == "by file")
        #expect(try await box.server.object(place) != nil)
        let delete = try resourceTemplate(["action": "delete", "manifest": .string(configMap(name))])
        try await box.run(delete)
        #expect(try await box.server.object(place) == nil)
        // Deleting what is gone is no error.
        try await box.run(delete)
    }

    @Test func flagsAloneNameAnObject() async throws {
        let box = try await box()
        let name = freshName("flags")
        try await box.server.create(
            ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(name)], "data": ["k": "v"]],
            in: box.configMaps)
        let get: JSONValue = ["action": "get", "flags": ["configmap", .string(name)]]
        try await box.run(try resourceTemplate(get, outputs: parameters(("p", ["jsonPath": "{.data.k}"]))))
        #expect(box.sink.parameters == ["p": "v"])
        try await box.run(try resourceTemplate(["action": "delete", "flags": ["configmap", .string(name)]]))
        #expect(try await box.server.object("\(box.configMaps)/\(name)") == nil)
        // What is not there has the defaults.
        let gone: JSONValue = ["action": "get", "flags": ["configmap", .string(name), "--ignore-not-found"]]
        let defaults = parameters(("p", ["jsonPath": "{.data.k}", "default": "d"]), ("q", ["jqFilter": ".data"]))
        try await box.run(try resourceTemplate(gone, outputs: defaults))
        #expect(box.sink.parameters == ["p": "d", "q": ""])
        let waiting = gone.merged(with: ["successCondition": "data.k == v"])
        let error = await #expect(throws: ExecutorError.self) { try await box.run(try resourceTemplate(waiting)) }
        #expect(error?.message == "get a resource: the object does not exist, so its conditions cannot be checked")
    }

    @Test func aManifestMayBeAnInputArtifact() async throws {
        let box = try await box()
        let name = freshName("artifact")
        try box.folder.write(Data(configMap(name).utf8), to: "in/m.json")
        let inputs: JSONValue = [
            "artifacts": [
                ["name": "m", "path": .string(box.folder.url.appending(path: "in/m.json").path), "raw": ["data": ""]]
            ]
        ]
        let fields: JSONValue = ["action": "create", "manifestFrom": ["artifact": ["name": "m"]]]
        try await box.run(try resourceTemplate(fields, inputs: inputs))
        #expect(try await box.server.object("\(box.configMaps)/\(name)") != nil)
        let missing: JSONValue = ["action": "create", "manifestFrom": ["artifact": ["name": "x"]]]
        let error = await #expect(throws: ExecutorError.self) {
            try await box.run(try resourceTemplate(missing, inputs: inputs))
        }
        #expect(error?.message == "read the manifest: the template has no input artifact 'x'")
    }

    @Test func aGeneratedNameIsFollowed() async throws {
        let box = try await box()
        let manifest =
            #"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "made-"}, "data": {"phase": "done"}}"#
        let fields: JSONValue = [
            "action": "create", "manifest": .string(manifest), "successCondition": "data.phase == done",
            "failureCondition": "data.phase == broken",
        ]
        try await box.run(try resourceTemplate(fields, outputs: parameters(("p", ["jsonPath": "{.metadata.name}"]))))
        #expect(box.sink.parameters["p"]?.hasPrefix("made-") == true)
    }

    @Test func conditionsAreWaitedForUntilOneHolds() async throws {
        let box = try await box()
        let server = box.server
        let name = freshName("conditions")
        let manifest = """
            {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "\(name)"}, "spec": {"template": {"spec":
            {"restartPolicy": "Never", "containers": [{"name": "c", "image": "x"}]}}}}
            """
        let fields: JSONValue = [
            "action": "create", "manifest": .string(manifest), "successCondition": "status.active > 1, status.ready in (1, 2)",
            "failureCondition": "status.active > 5",
        ]
        let template = try resourceTemplate(fields, outputs: parameters(("p", ["jsonPath": "{.status.active}"])))
        let job = "apis/batch/v1/namespaces/\(server.namespace)/jobs/\(name)"
        let steps = Task {
            while try await server.object(job) == nil { try await Task.sleep(for: .milliseconds(20)) }
            for status: JSON in [["active": 1, "ready": 1], ["active": 2, "ready": 0], ["active": 2, "ready": 2]] {
                try await server.patch("\(job)/status", ["status": status])
            }
        }
        try await box.run(template)
        try await steps.value
        #expect(box.sink.parameters == ["p": "2"])
        try await server.patch("\(job)/status", ["status": ["active": 6]])
        let again = try resourceTemplate(fields.merged(with: ["action": "get"]))
        let error = await #expect(throws: ExecutorError.self) { try await box.run(again) }
        #expect(error?.message == "failure condition '{status.active gt [5]}' evaluated true")
        // Failed or not, the task result is complete.
        #expect(box.sink.calls.last == "finalize")
    }

    /// A kind whose plural no rule of English gives.
    @Test func theServersOwnNameForAKindIsUsed() async throws {
        let box = try await box()
        let name = freshName("irregular")
        let manifest = #"{"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "\#(name)", "labels": {"a": "b"}}}"#
        try await box.run(
            try resourceTemplate([
                "action": "create", "manifest": .string(manifest), "successCondition": "metadata.labels.a == b",
            ]))
    }

    @Test func objectsOfTheClusterAndOfOtherGroupsAreActedOn() async throws {
        let box = try await box()
        let name = freshName("cluster")
        let role =
            #"{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "\#(name)"}, "rules": []}"#
        try await box.run(
            try resourceTemplate(
                ["action": "create", "manifest": .string(role), "successCondition": .string("metadata.name == \(name)")],
                outputs: parameters(("p", ["jsonPath": "{.metadata.uid}"]))))
        #expect(box.sink.parameters["p"]?.isEmpty == false)
        try await box.server.delete("apis/rbac.authorization.k8s.io/v1/clusterroles/\(name)")
        let workflow = """
            {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"generateName": "child-"},
            "spec": {"entrypoint": "e", "templates": [{"name": "e", "container": {"image": "x"}}]}}
            """
        try await box.run(
            try resourceTemplate(
                [
                    "action": "create", "manifest": .string(workflow), "successCondition": "spec.entrypoint == e",
                    // To validate custom resources kubectl may want to list their definitions, which no role of a pod lets it.
                    "flags": ["--validate=false"],
                ],
                outputs: parameters(("p", ["jqFilter": ".spec.templates[0].name, 1.50, [1e3, .x]"]))))
        #expect(box.sink.parameters["p"] == "e\n1.5\n[1000,null]")
    }

    @Test func severalObjectsAreAnErrorAfterTheyAreMade() async throws {
        let box = try await box()
        let names = [freshName("several"), freshName("several")]
        let manifest = names.map { configMap($0) }.joined(separator: "\n---\n")
        let error = await #expect(throws: ExecutorError.self) {
            try await box.run(try resourceTemplate(["action": "create", "manifest": .string(manifest)]))
        }
        #expect(error?.message.contains("a list of objects") == true)
        for name in names { #expect(try await box.server.object("\(box.configMaps)/\(name)") != nil) }
        let applied = await #expect(throws: ExecutorError.self) {
            try await box.run(try resourceTemplate(["action": "apply", "manifest": .string(manifest)]))
        }
        #expect(applied?.message.contains("a list of objects") == true)
        // But they are all deleted.
        try await box.run(try resourceTemplate(["action": "delete", "manifest": .string(manifest)]))
        for name in names { #expect(try await box.server.object("\(box.configMaps)/\(name)") == nil) }
    }

    @Test func kubectlsErrorReachesTheUserWhole() async throws {
        let box = try await box()
        func fault(_ fields: JSONValue) async -> String {
            let error = await #expect(throws: ExecutorError.self) { try await box.run(try resourceTemplate(fields)) }
            return error?.message ?? ""
        }
        let name = freshName("conflict")
        let create: JSONValue = ["action": "create", "manifest": .string(configMap(name))]
        try await box.run(try resourceTemplate(create))
        let exists = await fault(create)
        #expect(exists.hasPrefix("no more retries Error from server (AlreadyExists): error when creating"), "\(exists)")
        #expect(box.said.contains("Error from server (AlreadyExists)"))
        let old = configMap(name).replacing("\"name\"", with: "\"resourceVersion\":\"1\",\"name\"")
        let conflict = await fault(["action": "replace", "manifest": .string(old)])
        #expect(conflict.contains("(Conflict)") && conflict.contains("the object has been modified"), "\(conflict)")
        let forbidden = await fault(["action": "get", "flags": ["pods", "x"]])
        #expect(forbidden.contains("Error from server (Forbidden): pods \"x\" is forbidden: User"), "\(forbidden)")
        let unknown = await fault(["action": "create", "manifest": "apiVersion: v1\nkind: NoSuchKind\nmetadata: {name: x}\n"])
        #expect(unknown.contains("NoSuchKind") || unknown.contains("validat"), "\(unknown)")
        #expect(await fault(["action": "create", "manifest": "a: [", "flags": ["--validate=false"]]).contains("error parsing"))
        #expect(await fault(["action": "nonsense", "manifest": .string(configMap(name))]).contains("unknown command"))
        #expect(await fault(["action": "get", "flags": ["--nonsense"]]).contains("unknown flag: --nonsense"))
    }

    @Test func aReadThatIsForbiddenNamesTheMissingRule() async throws {
        let box = try await box()
        let object = KubernetesObject(apiVersion: "v1", kind: "Pod", namespace: box.server.namespace, name: "x")
        let access = ClusterAccess(
            server: box.server.url.absoluteString, trust: .certificates(try SmallFile.read(BytePath(box.server.authority))),
            credentials: GivenCredentials(token: .fixed(Secret(try #require(box.server.resourceToken)))), namespace: "argo")
        let client = KubernetesClient(access: { access }, settings: .init(userAgent: "argoexec-test"))
        let reader = ClusterObjectReader(client, log: .silent)
        let error = #expect(throws: APIError.self) { try reader.read(object) }
        #expect(error?.status == 403)
        #expect(
            error?.message.contains(#"{apiGroups: [""], resources: ["pods"], verbs: ["get"]}"#) == true,
            "\(error?.message ?? "")")
        let node = KubernetesObject(apiVersion: "v1", kind: "Node", namespace: "", name: "x")
        #expect(#expect(throws: APIError.self) { try reader.read(node) }?.message.contains("needs a ClusterRole") == true)
    }

    @Test func anObjectThatIsDeletedMeanwhileEndsTheWait() async throws {
        let box = try await box()
        let (server, place) = (box.server, box.configMaps)
        let name = freshName("deleted")
        let deletion = Task {
            while try await server.object("\(place)/\(name)") == nil { try await Task.sleep(for: .milliseconds(20)) }
            try await server.delete("\(place)/\(name)")
        }
        let error = await #expect(throws: ExecutorError.self) {
            try await box.run(
                try resourceTemplate([
                    "action": "create", "manifest": .string(configMap(name)), "successCondition": "data.k == never",
                ]))
        }
        #expect(
            error?.message.hasPrefix("wait for configmap./\(name): it was deleted before its conditions were fulfilled: ")
                == true)
        try await deletion.value
    }

    @Test func deleteTakesNeitherConditionsNorOutputs() async throws {
        let box = try await box()
        let manifest = JSONValue.string(configMap("x"))
        let cases: [(JSONValue, JSONValue)] = [
            (["successCondition": "a"], [:]), (["failureCondition": "a"], [:]), ([:], parameters(("p", ["jsonPath": "{.a}"]))),
        ]
        for (fields, outputs) in cases {
            let resource: JSONValue = ["action": "delete", "manifest": manifest]
            let error = await #expect(throws: ExecutorError.self) {
                try await box.run(try resourceTemplate(resource.merged(with: fields), outputs: outputs))
            }
            #expect(error?.message == "successCondition, failureCondition and outputs are not supported for delete action")
        }
        #expect(box.said.isEmpty)
    }

    @Test func whatIsWrongWithTheTemplateChangesNothingInTheCluster() async throws {
        let box = try await box()
        let name = freshName("early")
        let error = await #expect(throws: ExecutorError.self) {
            try await box.run(
                try resourceTemplate([
                    "action": "create", "manifest": .string(configMap(name)), "successCondition": "a ~ b",
                ]))
        }
        #expect(error?.message.hasPrefix("success condition 'a ~ b' failed to parse: ") == true)
        #expect(try await box.server.object("\(box.configMaps)/\(name)") == nil)
    }

    @Test func anErrorOfJQReachesTheUserWhole() async throws {
        let box = try await box()
        let create: JSONValue = ["action": "create", "manifest": .string(configMap(freshName("jq")))]
        let error = await #expect(throws: ExecutorError.self) {
            try await box.run(
                try resourceTemplate(
                    create, outputs: parameters(("good", ["jqFilter": ".kind"]), ("bad", ["jqFilter": ".data |"]))))
        }
        #expect(error?.message.hasPrefix("output parameter 'bad': jq: error: syntax error") == true, "\(error?.message ?? "")")
        #expect(box.sink.outputs == nil)
    }

    @Test func whereLogsAreKeptTheOtherContainerCompletesTheTaskResult() async throws {
        let box = try await box()
        let create: JSONValue = ["action": "create", "manifest": .string(configMap(freshName("logs")))]
        let outputs = parameters(("p", ["jsonPath": "{.kind}"])).merged(
            with: ["artifacts": [["name": "a", "path": "/a"]], "result": "r"])
        try await box.run(try resourceTemplate(create, outputs: outputs, archivesLogs: true))
        #expect(box.sink.calls == ["initialize", "report"])
        #expect(box.sink.outputs?["artifacts"] == nil)
        #expect(box.sink.outputs?["result"] == "r")
    }

    @Test func aTaskResultThatCannotBeMadeIsToldButNoFailure() async throws {
        let refusal = ExecutorError.failed("refused")
        let box = try await box(sink: RecordingSink(refusing: refusal))
        let create: JSONValue = ["action": "create", "manifest": .string(configMap(freshName("refused")))]
        let aside = try await box.run(try resourceTemplate(create))
        #expect(aside.map(errorText)?.contains("create the task result: refused") == true)
        #expect(box.sink.calls == ["initialize", "finalize"])
    }

    @Test func terminationEndsTheWaitAndCompletesTheTaskResult() async throws {
        let box = try await box()
        let (server, place, termination) = (box.server, box.configMaps, box.termination)
        let name = freshName("ended")
        let end = Task {
            while try await server.object("\(place)/\(name)") == nil { try await Task.sleep(for: .milliseconds(20)) }
            termination.signal()
        }
        let error = await #expect(throws: ExecutorError.self) {
            try await box.run(
                try resourceTemplate([
                    "action": "create", "manifest": .string(configMap(name)), "successCondition": "data.k == never",
                ]), interval: "1h")
        }
        #expect(error?.message.hasSuffix(": ended by SIGTERM") == true, "\(error?.message ?? "")")
        #expect(box.sink.calls == ["initialize", "finalize"])
        try await end.value
    }

    /// Nobody answers where the server should be, until it comes back.
    @Test func aServerThatIsAwayIsWaitedFor() async throws {
        let server = try await ClusterServer.shared(.kubernetes)
        let port = try #require(server.url.port)
        let relay = try ComingAndGoingServer(to: port)
        defer { relay.stop() }
        let box = try ResourceBox(server, url: "https://127.0.0.1:\(relay.port)")
        let name = freshName("away")
        let place = "\(box.configMaps)/\(name)"
        let script = Task {
            // It comes back once kubectl has met nobody.
            try await happens("nobody answers") { box.said.contains("refused") }
            try relay.open()
            // It goes away again once kubectl has been told what was made.
            try await happens("the object is made") { box.log.contains("acted on the object") }
            relay.close()
            try await server.patch(place, ["data": ["k": "done"]])
            try relay.open()
        }
        let fields: JSONValue = [
            "action": "create", "manifest": .string(configMap(name)), "successCondition": "data.k == done",
        ]
        try await box.run(try resourceTemplate(fields, outputs: parameters(("p", ["jsonPath": "{.data.k}"]))))
        try await script.value
        #expect(box.sink.parameters == ["p": "done"])
    }
}

@Suite struct MissingProgramTests {
    @Test func anImageWithoutKubectlSaysWhichHasIt() throws {
        let tools = ToolBox(
            environment: .init(["PATH=/nonexistent"]), interruption: Interruption(try EventDescriptor()), log: .silent)
        let error = #expect(throws: ExecutorError.self) { try tools.find("kubectl") }
        #expect(
            error?.message
                == "run kubectl: this image has no kubectl: use the image argoexec, argoexec-slim is without it "
                + "(exec: \"kubectl\": executable file not found in $PATH)")
    }
}
