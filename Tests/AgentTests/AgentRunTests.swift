import Documents
import Foundation
import KubernetesAPI
import Synchronization
import SystemSupport
import TestSupport
import Testing

@testable import Agent

/// The agent against a real API server, with the role that users have.
@Suite(.requires(.kubernetes)) struct AgentRunTests {
    private func http(_ url: String, _ more: JSON = [:]) -> JSON {
        var http: JSON = ["url": .string(url)]
        for name in more.names { http[name] = more[name] }
        return ["name": "t", "inputs": [:], "outputs": [:], "metadata": [:], "http": http]
    }

    @Test func executesWhatTheTaskSetHoldsAndEndsWithTheWorkflow() async throws {
        let fixture = try await AgentFixture("all")
        let web = try webServer { talk, request in
            if request.line.hasPrefix("GET /missing") { return talk.answer(404, "nothing") }
            talk.answer(200, headers: ["content-TYPE: text/plain", "X-A: 1", "X-A: 2"], "hello ü")
        }
        defer { web.stop() }
        let refused = try unusedPort()
        try await fixture.makeTaskSet([
            "a": http(web.url + "/a?x=1 2", ["headers": [["name": "X-Test", "value": "yes"]]]),
            "b": http(web.url + "/missing"),
            "c": http("http://127.0.0.1:\(refused)/"),
            "d": ["name": "d", "inputs": [:], "outputs": [:], "metadata": [:], "suspend": [:]],
        ])
        try fixture.start(try await fixture.client())
        let nodes = try await fixture.nodes("all nodes have results") { $0.names.count == 4 }
        #expect(nodes["a"] == ["phase": "Succeeded", "outputs": ["result": "hello ü"]])
        #expect(
            nodes["b"]
                == [
                    "phase": "Failed", "message": "received non-2xx response code: 404", "outputs": ["result": "nothing"],
                ])
        #expect(nodes["c"]?["phase"] == "Failed")
        #expect(nodes["c"]?["message"]?.text?.hasSuffix("connect: connection refused") == true)
        #expect(
            nodes["d"]
                == [
                    "phase": "Error",
                    "message": "error processing task: agent cannot execute: unknown task type: Suspend",
                ])
        let first = try #require(web.requests.first { $0.line.contains("/a") })
        #expect(first.line == "GET /a?x=1%202 HTTP/1.1")
        #expect(first.header("X-Test") == "yes")

        // What comes later is taken too, and nothing is done twice.
        try await fixture.change(["spec": ["tasks": ["e": http(web.url + "/e")]]])
        _ = try await fixture.nodes("the later task is done") { $0["e"]?["phase"] == "Succeeded" }
        try await fixture.complete()
        try await fixture.end()
        #expect(web.requests.count == 3)
    }

    @Test func passesOverWhatHasAResult() async throws {
        let fixture = try await AgentFixture("restart")
        let web = try webServer { talk, _ in talk.answer(200, "x") }
        defer { web.stop() }
        try await fixture.makeTaskSet(
            ["done": http(web.url + "/done"), "new": http(web.url + "/new")], status: ["done": ["phase": "Failed"]])
        try fixture.start(try await fixture.client())
        let nodes = try await fixture.nodes("the new task is done") { $0["new"] != nil }
        #expect(nodes["done"] == ["phase": "Failed"])
        #expect(web.requests.map(\.line) == ["GET /new HTTP/1.1"])
        // Its task set goes: nothing is left to do.
        try await fixture.server.remove("\(fixture.server.argo("workflowtasksets"))/\(fixture.workflow)")
        try await fixture.end()
    }

    @Test func takesHeadersFromSecrets() async throws {
        let fixture = try await AgentFixture("secret")
        try await fixture.server.make(
            fixture.server.core("secrets"),
            ClusterServer.object("v1", "Secret", "agent-\(fixture.workflow)", ["stringData": ["pass": "canary ü"]]))
        let web = try webServer { talk, _ in talk.answer(200, "") }
        defer { web.stop() }
        func header(_ key: String, _ name: String) -> JSON {
            [
                "headers": [
                    [
                        "name": "Authorization",
                        "valueFrom": ["secretKeyRef": ["name": .string(name), "key": .string(key)]],
                    ]
                ]
            ]
        }
        let name = "agent-\(fixture.workflow)"
        try await fixture.makeTaskSet([
            "a": http(web.url, header("pass", name)), "b": http(web.url, header("none", name)),
            "c": http(web.url, header("pass", "no-such-secret")),
        ])
        let lines = Mutex<[String]>([])
        let log = Log(level: .debug, sink: { line in lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } })
        try fixture.start(try await fixture.client(), log: log)
        let nodes = try await fixture.nodes("all nodes have results") { $0.names.count == 3 }
        #expect(nodes["a"] == ["phase": "Succeeded", "outputs": ["result": ""]])
        #expect(nodes["b"] == ["phase": "Failed", "message": "secret '\(name)' does not have the key 'none'"])
        #expect(nodes["c"]?["message"]?.text?.contains("\"no-such-secret\" not found") == true)
        #expect(web.requests.map { $0.header("Authorization") } == ["canary ü"])
        #expect(!lines.withLock { $0.joined() }.contains("canary"))
        fixture.stop()
        await #expect(throws: ExecutorError.self) { try await fixture.end() }
    }

    @Test func decidesByTheCondition() async throws {
        let fixture = try await AgentFixture("condition")
        let web = try webServer { talk, _ in talk.answer(201, headers: ["x-made-by: web"], "made") }
        defer { web.stop() }
        let body = Data("bytes".utf8).base64EncodedString()
        try await fixture.makeTaskSet([
            "a": http(web.url, ["successCondition": "true", "method": "POST", "body": "sent"]),
            "b": http(web.url, ["successCondition": "false"]), "c": http(web.url, ["successCondition": "broken"]),
            "d": http(
                web.url,
                [
                    "successCondition": "true bodyBytes", "method": "PUT", "bodyFrom": ["bytes": .string(body)],
                    "body": "not this",
                ]),
        ])
        let scopes = Mutex<[String: JSONValue]>([:])
        try fixture.start(try await fixture.client()) { condition, scope in
            scopes.withLock { $0[condition] = scope }
            if condition == "broken" { throw ExecutorError.failed("unexpected token") }
            return condition.hasPrefix("true")
        }
        let nodes = try await fixture.nodes("all nodes have results") { $0.names.count == 4 }
        #expect(nodes["a"] == ["phase": "Succeeded", "outputs": ["result": "made"]])
        #expect(
            nodes["b"]
                == [
                    "phase": "Failed", "message": "successCondition 'false' evaluated false", "outputs": ["result": "made"],
                ])
        #expect(nodes["c"] == ["phase": "Failed", "message": "unexpected token"])
        #expect(nodes["d"]?["phase"] == "Succeeded")
        let scope = try #require(scopes.withLock { $0["true"] })
        #expect(scope["request"]?["method"] == "POST" && scope["request"]?["body"] == "sent")
        #expect(scope["response"]?["statusCode"] == 201 && scope["response"]?["body"] == "made")
        #expect(scope["response"]?["headers"]?["X-Made-By"] == ["web"])
        #expect(scopes.withLock { $0["true bodyBytes"]?["request"]?["bodyBytes"] } == [98, 121, 116, 101, 115])
        #expect(web.requests.first { $0.line.hasPrefix("PUT") }?.body == Array("bytes".utf8))
        #expect(web.requests.first { $0.line.hasPrefix("POST") }?.header("Content-Type") == nil)
        fixture.stop()
    }

    @Test func keepsTimeLimits() async throws {
        let fixture = try await AgentFixture("limit")
        let web = try webServer { talk, _ in talk.waitForClose() }
        defer { web.stop() }
        try await fixture.makeTaskSet([
            "a": http(web.url + "/slow", ["timeoutSeconds": 1]), "b": http(web.url, ["timeoutSeconds": 0]),
        ])
        try fixture.start(try await fixture.client())
        let nodes = try await fixture.nodes("all nodes have results") { $0.names.count == 2 }
        #expect(nodes["a"]?["message"]?.text == "Get \"\(web.url)/slow\": context deadline exceeded")
        #expect(nodes["b"]?["message"]?.text == "Get \"\(web.url)\": context deadline exceeded")
        fixture.stop()
    }

    /// The API server is away while tasks are done, then back: no result is lost and no request made twice.
    @Test func outlastsAnAbsenceOfTheServer() async throws {
        let fixture = try await AgentFixture("away")
        let gate = try Gate(to: fixture.server.url.port!)
        defer { gate.stop() }
        let hold = Monitor(true)
        let web = try webServer { talk, _ in
            _ = hold.wait(atMost: 60_000_000_000) { $0 ? nil : true }
            talk.answer(200, "late")
        }
        defer { web.stop() }
        try await fixture.makeTaskSet(["a": http(web.url), "b": http(web.url)])
        let token = try await fixture.server.account("agent", rules: AgentFixture.rules)
        try fixture.start(try await fixture.client(token: token, port: gate.port))
        try await happens("both requests are under way") { web.requests.count == 2 }
        gate.close()
        hold.update { $0 = false }
        let before = gate.connections
        try await happens("the agent knocks at the closed gate") { gate.connections > before + 8 }
        gate.open()
        let nodes = try await fixture.nodes("both results arrive") { $0.names.count == 2 }
        #expect(nodes["a"]?["phase"] == "Succeeded" && nodes["b"]?["phase"] == "Succeeded")
        #expect(web.requests.count == 2)
        try await fixture.complete()
        try await fixture.end()
    }

    @Test func saysWhatItMayNotDo() async throws {
        let fixture = try await AgentFixture("denied")
        try await fixture.makeTaskSet([:])
        try fixture.start(try await fixture.client(token: fixture.server.token), refusals: 0)
        let error = await #expect(throws: APIError.self) { try await fixture.end() }
        #expect(error?.status == 403)
        #expect(error?.message.hasSuffix(#"resources: ["workflowtasksets"], verbs: ["list", "watch"]}"#) == true)
    }

    /// A role that lacks the patch at first: results are errors then, as in the reference, and they arrive once it is granted.
    @Test func reportsOnceItMay() async throws {
        let fixture = try await AgentFixture("patch")
        let web = try webServer { talk, _ in talk.answer(200, "x") }
        defer { web.stop() }
        try await fixture.makeTaskSet(["a": http(web.url)])
        let account = "agent-\(UUID().uuidString.prefix(8).lowercased())"
        let token = try await fixture.server.account(account, rules: [AgentFixture.rules[0]])
        let lines = Mutex<[String]>([])
        let log = Log(sink: { line in lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } })
        try fixture.start(try await fixture.client(token: token), log: log)
        try await happens("the report is refused") { lines.withLock { $0.joined() }.contains("cannot report results") }
        try await fixture.server.merge(
            "apis/rbac.authorization.k8s.io/v1/namespaces/\(fixture.server.namespace)/roles/\(account)",
            ["rules": .array(AgentFixture.rules)])
        let nodes = try await fixture.nodes("the result arrives") { $0["a"] != nil }
        #expect(nodes["a"]?["phase"] == "Error")
        let prefix = "HTTP request completed successfully but an error occurred when patching its result: "
        #expect(nodes["a"]?["message"]?.text?.hasPrefix(prefix) == true)
        #expect(web.requests.count == 1)
        fixture.stop()
    }

    /// One result that the API server will not take harms no other.
    @Test func onlyTheRefusedResultIsAnError() async throws {
        let fixture = try await AgentFixture("poison")
        let web = try webServer { talk, request in
            talk.answer(200, request.line.contains("big") ? String(repeating: "x", count: 1_600_000) : "small")
        }
        defer { web.stop() }
        try await fixture.makeTaskSet([
            "a": http(web.url + "/a"), "b": http(web.url + "/big"), "c": http(web.url + "/c"),
            "d": http(web.url + "/d"),
        ])
        try fixture.start(try await fixture.client(), rate: 500_000_000)
        let nodes = try await fixture.nodes("all nodes have results") { $0.names.count == 4 }
        for name in ["a", "c", "d"] { #expect(nodes[name]?["phase"] == "Succeeded") }
        #expect(nodes["b"]?["phase"] == "Error")
        fixture.stop()
    }

    /// Answers that no object can hold, the slow and the endless ones, keep no other task from being done.
    @Test func takesNoMoreOfAnAnswerThanCanBeStored() async throws {
        let fixture = try await AgentFixture("huge")
        let web = try webServer { talk, request in
            if request.line.contains("small") { return talk.answer(200, "small") }
            if request.line.contains("drips") {
                talk.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
                return talk.waitForClose()
            }
            talk.send("HTTP/1.1 \(request.line.contains("missing") ? 404 : 200) OK\r\nContent-Length: 100000000\r\n\r\n")
            let block = [UInt8](repeating: 0x78, count: 1 << 20)
            for _ in 0..<95 where talk.send(block) {}
        }
        defer { web.stop() }
        var tasks: JSON = ["small": http(web.url + "/small")]
        for index in 0..<6 { tasks["huge\(index)"] = http(web.url + "/huge") }
        tasks["missing"] = http(web.url + "/missing")
        tasks["drips"] = http(web.url + "/drips", ["timeoutSeconds": 2])
        try await fixture.makeTaskSet(tasks)
        try fixture.start(try await fixture.client())
        let nodes = try await fixture.nodes("all nodes have results") { $0.names.count == 9 }
        #expect(nodes["small"]?["phase"] == "Succeeded")
        #expect(nodes["drips"]?["message"] == "Get \"\(web.url)/drips\": context deadline exceeded")
        for name in ["huge0", "huge5", "missing"] {
            #expect(nodes[name]?["phase"] == "Error")
            #expect(nodes[name]?["message"]?.text?.contains("more than 2097152 bytes") == true, "\(nodes)")
        }
        fixture.stop()
    }

    @Test func saysWhichRequestCannotBeMade() async throws {
        let fixture = try await AgentFixture("odd")
        let urls = [
            "empty": "", "relative": "a/b", "ftp": "ftp://127.0.0.1/x", "file": "file:///etc/passwd",
            "socket": "unix:///var/run/docker.sock", "password": "ftp://user:canary@h/x",
        ]
        var tasks: JSON = [:]
        for (name, url) in urls { tasks[name] = http(url) }
        tasks["method"] = http("http://127.0.0.1:1/", ["method": "GE T"])
        tasks["header"] = http("http://127.0.0.1:1/", ["headers": [["name": "A", "value": "x\r\nB: y"]]])
        try await fixture.makeTaskSet(tasks)
        try fixture.start(try await fixture.client())
        let nodes = try await fixture.nodes("all nodes have results") { $0.names.count == 8 }
        for (name, url) in urls where name != "password" {
            #expect(nodes[name]?["phase"] == "Failed")
            #expect(nodes[name]?["message"]?.text?.hasPrefix("Get \"\(url)\": ") == true, "\(nodes)")
        }
        #expect(nodes["password"]?["message"] == "Get \"***@h/x\": unsupported protocol scheme")
        #expect(nodes["method"]?["message"]?.text?.contains("invalid method") == true)
        #expect(nodes["header"]?["message"]?.text?.contains("invalid header field value") == true)
        fixture.stop()
    }

    /// A secret that a header carries stays with the server that it is meant for.
    @Test func takesNoSecretToAnotherServer() async throws {
        let fixture = try await AgentFixture("elsewhere")
        let other = try webServer { talk, _ in talk.answer(200, "there") }
        defer { other.stop() }
        let target = other.url.replacingOccurrences(of: "127.0.0.1", with: "localhost")
        let web = try webServer { talk, _ in talk.answer(302, headers: ["Location: \(target)/x"]) }
        defer { web.stop() }
        try await fixture.makeTaskSet([
            "a": http(
                web.url, ["headers": [["name": "Authorization", "value": "canary"], ["name": "X-Own", "value": "goes"]]])
        ])
        try fixture.start(try await fixture.client())
        let nodes = try await fixture.nodes("the node has a result") { $0["a"] != nil }
        #expect(nodes["a"] == ["phase": "Succeeded", "outputs": ["result": "there"]])
        #expect(web.requests.first?.header("Authorization") == "canary")
        #expect(other.requests.first?.header("Authorization") == nil && other.requests.first?.header("X-Own") == "goes")
        fixture.stop()
    }

    @Test func tellsAtSIGTERMWhatIsDone() async throws {
        let fixture = try await AgentFixture("term")
        let web = try webServer { talk, request in
            if request.line.contains("slow") { talk.waitForClose() } else { talk.answer(200, "x") }
        }
        defer { web.stop() }
        try await fixture.makeTaskSet(["a": http(web.url + "/quick"), "b": http(web.url + "/slow")])
        // So seldom that nothing is reported before the end.
        let lines = Mutex<[String]>([])
        let log = Log(sink: { line in lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } })
        try fixture.start(try await fixture.client(), rate: 3600_000_000_000, log: log)
        try await happens("both requests are made") { web.requests.count == 2 }
        try await happens("the quick one is done") { lines.withLock { $0.joined() }.contains("task processed") }
        fixture.stop()
        let error = await #expect(throws: ExecutorError.self) { try await fixture.end() }
        #expect(error?.message == "watch the task set: context canceled")
        let nodes = try #require(try await fixture.nodes())
        #expect(nodes.names == ["a"])
        #expect(nodes["a"]?["phase"] == "Succeeded")
    }
}
