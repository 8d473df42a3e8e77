import Documents
import SystemSupport
import Testing

@testable import KubernetesAPI

/// Calls for any resource, as they go over the wire.
@Suite struct ResourceCallTests {
    private static let node = APIResource(version: "v1", plural: "nodes", kind: "Node", isNamespaced: false)

    private func seen(_ answers: [ScriptedAPI.Answer?], _ calls: (KubernetesClient) throws -> Void) throws -> [ScriptedAPI
        .Request]
    {
        let server = try ScriptedAPI(answers)
        defer { server.stop() }
        try calls(ClientFixture(server.url).client)
        return server.requests
    }

    private func answer(_ kind: String, _ more: String = "") -> ScriptedAPI.Answer {
        .init(body: #"{"kind":"\#(kind)","apiVersion":"v1","metadata":{}\#(more)}"#)
    }

    @Test func addressesAnyResource() throws {
        let requests = try seen([answer("Secret"), answer("Node"), answer("WorkflowTaskSet"), answer("ConfigMap")]) { client in
            _ = try client.get(ResourcePath(.secrets, name: "s/ü"))
            _ = try client.get(ResourcePath(Self.node, name: "n"))
            _ = try client.patch(
                ResourcePath(.taskSets, name: "wf", subresource: "status"), .merge, ["status": [:]])
            _ = try client.get(ResourcePath(.configMaps, name: "c", namespace: "other"))
        }
        #expect(
            requests.map(\.line) == [
                "GET /api/v1/namespaces/my-ns/secrets/s%2F%C3%BC HTTP/1.1", "GET /api/v1/nodes/n HTTP/1.1",
                "PATCH /apis/argoproj.io/v1alpha1/namespaces/my-ns/workflowtasksets/wf/status HTTP/1.1",
                "GET /api/v1/namespaces/other/configmaps/c HTTP/1.1",
            ])
        #expect(requests[0].headers["content-type"] == nil)
        #expect(requests[0].headers["accept"] == "application/json")
    }

    /// Others have changed the object at the same time: a merge is sent again, and what depends on a version or is a list of
    /// operations is not.
    @Test func sendsAMergeAgainThatMetAnotherChange() throws {
        let path = ResourcePath(.secrets, name: "s")
        let conflict = ScriptedAPI.Answer.refusal(409, "Conflict", "the object has been modified")
        let again = try seen([conflict, conflict, answer("Secret")]) { client in
            _ = try client.patch(path, .merge, ["data": [:]])
        }
        #expect(again.count == 3 && again[0].body == again[2].body)
        let versions: JSONValue = ["metadata": ["resourceVersion": "1"]]
        for (kind, patch) in [(PatchKind.merge, versions), (.json, []), (.apply(manager: "m", force: false), [:])] {
            let once = try seen([conflict, answer("Secret")]) { client in
                let error = #expect(throws: APIError.self) { _ = try client.patch(path, kind, patch) }
                #expect(error?.status == 409)
            }
            #expect(once.count == 1)
        }
        // Not without end.
        let all = try seen(Array(repeating: conflict, count: 20)) { client in
            #expect(throws: APIError.self) { _ = try client.patch(path, .merge, [:]) }
        }
        #expect(all.count == 6)
    }

    @Test func saysHowAPatchIsMeant() throws {
        let path = ResourcePath(.secrets, name: "s")
        let requests = try seen(Array(repeating: answer("Secret"), count: 5)) { client in
            _ = try client.patch(path, .merge, [:])
            _ = try client.patch(path, .strategicMerge, [:])
            _ = try client.patch(path, .json, [])
            _ = try client.patch(path, .apply(manager: "a b", force: true), [:])
            _ = try client.replace(path, ["kind": "Secret"])
        }
        #expect(
            requests.map { $0.headers["content-type"] } == [
                "application/merge-patch+json", "application/strategic-merge-patch+json", "application/json-patch+json",
                "application/apply-patch+yaml", "application/json",
            ])
        let line = "/api/v1/namespaces/my-ns/secrets/s"
        #expect(requests[3].line == "PATCH \(line)?fieldManager=a%20b&force=true HTTP/1.1")
        #expect(requests[4].line == "PUT \(line) HTTP/1.1")
    }

    @Test func listsPageByPage() throws {
        let first = ScriptedAPI.Answer(
            body: #"{"kind":"SecretList","metadata":{"resourceVersion":"7","continue":"t/1"},"items":[{"a":1}]}"#)
        let second = ScriptedAPI.Answer(body: #"{"kind":"SecretList","metadata":{"resourceVersion":"7"},"items":[]}"#)
        let requests = try seen([first, second, answer("Secret")]) { client in
            let selection = ResourceSelection(ResourcePath(.secrets), labels: "a = b", fields: "metadata.name=x")
            let page = try client.list(selection, pageSize: 2)
            #expect(page.items.count == 1 && page.resourceVersion == "7" && page.next == "t/1")
            #expect(try client.list(selection, pageSize: 2, after: page.next).next == nil)
            // Something else than a list is none.
            #expect(throws: APIError.self) { try client.list(selection) }
        }
        let query = "labelSelector=a%20%3D%20b&fieldSelector=metadata.name%3Dx"
        #expect(requests[0].line == "GET /api/v1/namespaces/my-ns/secrets?\(query)&limit=2 HTTP/1.1")
        #expect(requests[1].line == "GET /api/v1/namespaces/my-ns/secrets?\(query)&limit=2&continue=t%2F1 HTTP/1.1")
    }

    @Test func deletesWithItsOptions() throws {
        let requests = try seen([answer("Secret"), answer("Status", #","status":"Success""#)]) { client in
            try client.delete(ResourcePath(.secrets, name: "s"), propagation: .background, gracePeriod: 0, uid: "u")
            try client.delete(ResourcePath(.secrets, name: "s"))
        }
        #expect(
            requests.map(\.body) == [
                #"{"apiVersion":"v1","kind":"DeleteOptions","propagationPolicy":"Background","gracePeriodSeconds":0,"#
                    + #""preconditions":{"uid":"u"}}"#,
                #"{"apiVersion":"v1","kind":"DeleteOptions"}"#,
            ])
    }

    @Test func readsLogsAsTheyAre() throws {
        let sink = MemorySink()
        let requests = try seen([.init(body: "not JSON\n\u{1}")]) { client in
            try client.logs(ofPod: "p", container: "main", tailLines: 5, to: sink)
        }
        #expect(String(decoding: sink.bytes, as: UTF8.self) == "not JSON\n\u{1}")
        #expect(requests[0].line == "GET /api/v1/namespaces/my-ns/pods/p/log?container=main&tailLines=5 HTTP/1.1")
    }

    /// Contract 02 §11: only what changes nothing is asked again after a lost connection.
    @Test func asksAgainAfterALostConnection() throws {
        let server = try ScriptedAPI([nil, nil, answer("Secret"), nil])
        defer { server.stop() }
        let fixture = ClientFixture(server.url)
        _ = try fixture.client.get(ResourcePath(.secrets, name: "s"))
        #expect(fixture.pauses.seconds.withLock { $0 } == [1, 1])
        #expect(throws: APIError.self) { try fixture.client.create(ResourcePath(.secrets), [:]) }
        #expect(server.requests.count == 4)
    }

    @Test func asksElevenTimesAtMost() throws {
        let server = try ScriptedAPI(Array(repeating: nil, count: 20))
        defer { server.stop() }
        let error = #expect(throws: APIError.self) {
            try ClientFixture(server.url).client.get(ResourcePath(.secrets, name: "s"))
        }
        #expect(error?.isTransient == true)
        #expect(server.requests.count == 11)
    }

    @Test(arguments: ["", ".", ".."]) func refusesNamesThatMeanOtherObjects(name: String) throws {
        let requests = try seen([]) { client in
            let error = #expect(throws: APIError.self) { try client.delete(ResourcePath(.secrets, name: name)) }
            #expect(error?.isTransient == false)
            #expect(error?.message.hasPrefix("delete secrets: ") == true)
        }
        #expect(requests.isEmpty)
    }

    @Test func namesTheRuleOfEachResource() throws {
        let refusal = ScriptedAPI.Answer.refusal(403, "Forbidden", #"User "u" cannot get resource"#)
        _ = try seen(Array(repeating: refusal, count: 3)) { client in
            func rule(_ call: () throws -> Void) -> String {
                let message = #expect(throws: APIError.self) { try call() }?.message ?? ""
                return message.firstRange(of: "apiGroups").map { String(message[$0.lowerBound...]) } ?? ""
            }
            #expect(
                rule { _ = try client.get(ResourcePath(.secrets, name: "s")) }
                    == #"apiGroups: [""], resources: ["secrets"], verbs: ["get"]}"#)
            #expect(
                rule { _ = try client.list(ResourceSelection(ResourcePath(.artifactGCTasks))) }
                    == #"apiGroups: ["argoproj.io"], resources: ["workflowartifactgctasks"], verbs: ["list", "watch"]}"#)
            #expect(
                rule { _ = try client.patch(ResourcePath(.taskSets, name: "t", subresource: "status"), .merge, [:]) }
                    == #"apiGroups: ["argoproj.io"], resources: ["workflowtasksets/status"], verbs: ["patch"]}"#)
        }
    }

    @Test func sendsNothingOnceCancelledButLastWords() throws {
        let requests = try seen([answer("Secret")]) { client in
            client.cancel()
            let error = #expect(throws: APIError.self) { try client.get(ResourcePath(.secrets, name: "s")) }
            #expect(error?.isCancelled == true && error?.isTransient == false)
            _ = try client.patch(
                ResourcePath(.secrets, name: "s"), .merge, [:], CallOptions(outlivesCancellation: true, timeLimit: 5))
        }
        #expect(requests.map { $0.line.prefix(5) } == ["PATCH"])
    }
}
