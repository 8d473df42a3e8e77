import Documents
import Foundation
import Synchronization
import SystemSupport
import TestSupport
import Testing

@testable import Agent

/// Templates that plugins execute: containers of the agent's pod, reached by HTTP.
@Suite(.requires(.kubernetes)) struct ExecutorPluginTests {
    private let template: JSON = ["name": "p", "inputs": [:], "outputs": [:], "metadata": [:], "plugin": ["hello": ["a": 1]]]

    /// A plugin that answers with the entries of a list, one a call, and the last of them for ever.
    private func plugin(_ name: String, _ answers: [(Int, String)]) throws -> (ScriptedServer, ExecutorPlugin) {
        let rest = Mutex(answers)
        let server = try ScriptedServer(answering: { talk, _ in
            let (status, body) = rest.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
            talk.answer(status, body)
        })
        return (server, ExecutorPlugin(name: name, address: server.url, token: Secret("token-of-\(name)")))
    }

    @Test func asksEachInTurn() async throws {
        let fixture = try await AgentFixture("plugin")
        let (first, one) = try plugin("one", [(404, "")])
        let (second, two) = try plugin("two", [(200, "{}")])
        let (third, three) = try plugin(
            "three", [(200, #"{"node":{"phase":"Succeeded","outputs":{"parameters":[{"name":"x","value":"1"}]}}}"#)])
        defer { for server in [first, second, third] { server.stop() } }
        try await fixture.makeTaskSet(["a": template, "b": template])
        try fixture.start(try await fixture.client(), plugins: [one, two, three], workers: 1)
        let nodes = try await fixture.nodes("both nodes have results") { $0.names.count == 2 }
        #expect(nodes["a"]?["phase"] == "Succeeded")
        #expect(nodes["b"]?["outputs"]?["parameters"]?.items.first?["value"] == "1")
        // The first does not know the method, and is not asked again.
        #expect(first.requests.count == 1 && second.requests.count == 2 && third.requests.count == 2)
        let request = try #require(third.requests.first)
        #expect(request.line == "POST /api/v1/template.execute HTTP/1.1")
        #expect(request.header("Authorization") == "Bearer token-of-three")
        #expect(request.header("Content-Type") == "application/json")
        let body = try JSON(parsing: Data(request.body))
        #expect(body["workflow"]?["metadata"]?["name"]?.text == fixture.workflow)
        #expect(body["workflow"]?["metadata"]?["namespace"]?.text == fixture.server.namespace)
        #expect(body["workflow"]?["metadata"]?["uid"] == "uid")
        #expect(body["template"] == template)
        fixture.stop()
    }

    @Test func asksAgainAsLongAsItIsTold() async throws {
        let fixture = try await AgentFixture("requeue")
        let (server, plugin) = try plugin(
            "slow",
            [
                (503, "starting"), (200, #"{"node":{"phase":"Running","message":"at it"},"requeue":"30ms"}"#),
                (200, #"{"node":{},"requeue":"30ms"}"#), (200, #"{"node":{"phase":"Succeeded"},"requeue":"30ms"}"#),
            ])
        defer { server.stop() }
        try await fixture.makeTaskSet(["a": template])
        try fixture.start(try await fixture.client(), plugins: [plugin])
        let nodes = try await fixture.nodes("the plugin has done its work") { $0["a"]?["phase"] == "Succeeded" }
        #expect(nodes.names == ["a"])
        fixture.stop()
        await #expect(throws: ExecutorError.self) { try await fixture.end() }
        #expect(server.requests.count == 4)
    }

    /// An agent before this one has reported that the plugin is at it.
    @Test func goesOnWithWhatHasNotEnded() async throws {
        let fixture = try await AgentFixture("resumed")
        let (server, plugin) = try plugin("p", [(200, #"{"node":{"phase":"Failed","message":"no"}}"#)])
        defer { server.stop() }
        try await fixture.makeTaskSet(
            ["a": template, "b": template], status: ["a": ["phase": "Running"], "b": ["phase": "Succeeded"]])
        try fixture.start(try await fixture.client(), plugins: [plugin])
        let nodes = try await fixture.nodes("the open node is done") { $0["a"]?["phase"] == "Failed" }
        #expect(nodes["b"]?["phase"] == "Succeeded")
        #expect(server.requests.count == 1)
        fixture.stop()
    }

    @Test(arguments: [
        (500, "boom", "500 Internal Server Error: boom"),
        (200, "<html>", "read the answer of plugin 'p': parse JSON: "),
        (200, #"{"node":{"phase":"Running"},"requeue":"soon"}"#, "read the answer of plugin 'p': requeue \"soon\" is not a"),
        (200, #"{"node":{"phase":7}}"#, "read the answer of plugin 'p': read node.phase: expected string"),
        (200, "{}", "no plugin executed the template"), (503, "away", "away"),
    ]) func saysWhatWentWrong(status: Int, body: String, message: String) async throws {
        let fixture = try await AgentFixture("fault")
        let (server, plugin) = try plugin("p", [(status, body)])
        defer { server.stop() }
        try await fixture.makeTaskSet(["a": template])
        try fixture.start(try await fixture.client(), plugins: [plugin])
        let nodes = try await fixture.nodes("the node has failed") { $0["a"] != nil }
        #expect(nodes["a"]?["phase"] == "Failed")
        #expect(nodes["a"]?["message"]?.text?.hasPrefix(message) == true, "\(String(describing: nodes["a"]))")
        #expect(server.requests.count == (status == 503 ? 5 : 1))
        fixture.stop()
    }
}
