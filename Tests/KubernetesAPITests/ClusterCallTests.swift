import Documents
import Foundation
import HTTPTransport
import Synchronization
import SystemSupport
import TestSupport
import Testing

@testable import KubernetesAPI

/// Any resource at a real API server: what it stores, refuses and streams.
@Suite(.requires(.kubernetes)) struct ClusterCallTests {
    private static let rules: [JSON] = [
        ClusterServer.rule("", "configmaps", ["get", "list", "watch", "create", "update", "patch", "delete"])
    ]

    private func client(_ server: ClusterServer, token: String, port: Int? = nil) throws -> KubernetesClient {
        let access = ClusterAccess(
            server: port.map { "https://127.0.0.1:\($0)" } ?? server.url.absoluteString,
            trust: .certificates(try SmallFile.read(BytePath(server.authority))),
            credentials: GivenCredentials(token: .fixed(Secret(token))), namespace: server.namespace)
        return KubernetesClient(access: { access }, settings: .init(userAgent: "argoexec-test"))
    }

    private func mapped(_ name: String, _ label: String, _ data: JSONValue = ["a": "1"]) -> JSONValue {
        [
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": ["name": .string(name), "labels": ["test": .string(label)]], "data": data,
        ]
    }

    @Test func everyVerbWorks() async throws {
        let server = try await ClusterServer.shared(.kubernetes)
        let client = try client(server, token: try await server.account("calls", rules: Self.rules))
        let label = "verbs-\(UUID().uuidString.prefix(8).lowercased())"
        let all = ResourcePath(.configMaps)
        func one(_ index: Int) -> ResourcePath { ResourcePath(.configMaps, name: "\(label)-\(index)") }
        // Roles take effect a little later than they are made.
        try await happens("the role counts") { (try? client.list(ResourceSelection(all, labels: "test=\(label)"))) != nil }
        for index in 1...5 { _ = try client.create(all, mapped("\(label)-\(index)", label)) }

        let selection = ResourceSelection(all, labels: "test=\(label)")
        let page = try client.list(selection, pageSize: 2)
        #expect(page.items.count == 2 && page.next != nil && !page.resourceVersion.isEmpty)
        #expect(try client.list(selection, pageSize: 4, after: page.next).items.count == 3)
        #expect(throws: APIError.self) { try client.list(selection, pageSize: 2, after: "nonsense") }

        #expect(try client.patch(one(1), .merge, ["data": ["a": .null, "b": "2"]])["data"] == ["b": "2"])
        #expect(try client.patch(one(1), .strategicMerge, ["data": ["c": "3"]])["data"]?["c"] == "3")
        #expect(
            try client.patch(one(1), .json, [["op": "replace", "path": "/data/c", "value": "4"]])["data"]?["c"] == "4")
        var applied = mapped("\(label)-6", label)
        applied["data"] = ["z": "9"]
        #expect(try client.patch(one(6), .apply(manager: "tests", force: true), applied)["data"] == ["z": "9"])

        try client.delete(one(2), propagation: .background)
        let gone = #expect(throws: APIError.self) { try client.get(one(2)) }
        #expect(gone?.status == 404 && gone?.reason == "NotFound" && gone?.isNotFound == false)
        let other = #expect(throws: APIError.self) { try client.delete(one(3), uid: "another") }
        #expect(other?.status == 409 && other?.isTransient == false)
    }

    @Test func aChangeInBetweenIsAConflict() async throws {
        let server = try await ClusterServer.shared(.kubernetes)
        let client = try client(server, token: try await server.account("calls", rules: Self.rules))
        let name = "conflict-\(UUID().uuidString.prefix(8).lowercased())"
        let path = ResourcePath(.configMaps, name: name)
        try await server.make(server.core("configmaps"), ClusterServer.object("v1", "ConfigMap", name))
        try await happens("the role counts") { (try? client.get(path)) != nil }
        let read = try client.get(path)
        _ = try client.patch(path, .merge, ["data": ["a": "1"]])
        let conflict = #expect(throws: APIError.self) { try client.replace(path, read) }
        #expect(conflict?.status == 409 && conflict?.reason == "Conflict" && conflict?.isTransient == false)
        let exists = #expect(throws: APIError.self) { try client.create(ResourcePath(.configMaps), mapped(name, "x")) }
        #expect(exists?.reason == "AlreadyExists")
        _ = try client.replace(path, try client.get(path))
    }

    @Test func refusesWhatTheRoleDoesNotGrant() async throws {
        let server = try await ClusterServer.shared(.kubernetes)
        let client = try client(server, token: try await server.account("calls", rules: Self.rules))
        let refused = #expect(throws: APIError.self) { try client.get(ResourcePath(.secrets, name: "s")) }
        #expect(refused?.status == 403)
        #expect(refused?.message.hasSuffix(#"{apiGroups: [""], resources: ["secrets"], verbs: ["get"]}"#) == true)
        let logs = #expect(throws: APIError.self) { try client.logs(ofPod: "p", to: MemorySink()) }
        #expect(logs?.status == 403)
        #expect(logs?.message.contains(#"resources: ["pods/log"]"#) == true)
    }

    /// A server that goes away and comes back loses no change.
    @Test func watchesThroughAnAbsence() async throws {
        let server = try await ClusterServer.shared(.kubernetes)
        let token = try await server.account("calls", rules: Self.rules)
        let gate = try Gate(to: server.url.port!)
        defer { gate.stop() }
        let client = try client(server, token: token, port: gate.port)
        let label = "watch-\(UUID().uuidString.prefix(8).lowercased())"
        let selection = ResourceSelection(ResourcePath(.configMaps), labels: "test=\(label)")
        try await happens("the role counts") { (try? client.list(selection)) != nil }
        let seen = Mutex<[String]>([])
        let stop = StopSwitch()
        let watch = ResourceWatch(
            client, selection, continuity: .resumed,
            patience: .init(backoff: Backoff(duration: 20_000_000, factor: 1.5, jitter: 0, steps: .max, cap: 200_000_000)),
            pause: { stop.sleep($0) })
        let ended = Monitor(false)
        try WorkerThread {
            try? watch.run { notice in
                if case .changed(let event) = notice {
                    seen.withLock { $0.append(event.object["metadata"]?["name"]?.string ?? "") }
                }
                return true
            }
            ended.update { $0 = true }
        }.detach()
        let names = (1...3).map { "\(label)-\($0)" }
        func make(_ name: String) async throws {
            try await server.make(
                server.core("configmaps"),
                ClusterServer.object(
                    "v1", "ConfigMap", name, ["metadata": ["name": .string(name), "labels": ["test": .string(label)]]]))
        }
        try await make(names[0])
        try await happens("the first change is seen") { seen.withLock { $0 } == [names[0]] }
        gate.close()
        try await make(names[1])
        let before = gate.connections
        try await happens("the watch knocks at the closed gate") { gate.connections > before + 1 }
        gate.open()
        try await make(names[2])
        try await happens("nothing was missed") { seen.withLock { $0 } == names }
        stop.stop()
        client.cancel()
        #expect(ended.wait(atMost: 60_000_000_000) { $0 ? true : nil } == true)
    }
}
