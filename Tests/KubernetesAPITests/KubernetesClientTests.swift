import Documents
import Foundation
import HTTPTransport
import Synchronization
import SystemSupport
import Testing

@testable import KubernetesAPI

/// A client of a scripted server, and what it would have waited.
struct ClientFixture {
    let client: KubernetesClient
    let pauses = Pauses()

    final class Pauses: Sendable {
        let seconds = Mutex<[Int64]>([])
        /// Pauses after which the waiting is cut short.
        let limit = Mutex(Int.max)
    }

    init(_ server: String, token: RotatingSecret? = .fixed(Secret("canary-token")), pattern: String? = nil, log: Log = .silent)
    {
        let pauses = pauses
        client = KubernetesClient(
            access: {
                ClusterAccess(server: server, trust: .system(), credentials: GivenCredentials(token: token), namespace: "my-ns")
            },
            settings: KubernetesClient.Settings(
                userAgent: "argo-workflows/v4.1.2 argo-executor", log: log,
                isTransientText: { text in pattern.map { text.contains($0) } ?? false },
                pause: { nanoseconds in
                    pauses.seconds.withLock {
                        $0.append(nanoseconds / 1_000_000_000)
                        return $0.count < pauses.limit.withLock { $0 }
                    }
                }))
    }

    func failure(_ body: JSONValue = [:]) throws -> APIError {
        try #require(throws: APIError.self) { try client.createTaskResult(body) }
    }
}

@Suite struct KubernetesClientTests {
    @Test func sendsWhatTheContractNames() throws {
        let server = try ScriptedAPI()
        defer { server.stop() }
        let fixture = ClientFixture(server.url)
        try fixture.client.createTaskResult(["a": 1])
        try fixture.client.patchTaskResult("my wf/1", ["b": 2])
        let base = "/apis/argoproj.io/v1alpha1/namespaces/my-ns/workflowtaskresults"
        let requests = server.requests
        #expect(requests.map(\.line) == ["POST \(base) HTTP/1.1", "PATCH \(base)/my%20wf%2F1 HTTP/1.1"])
        #expect(requests.map(\.body) == [#"{"a":1}"#, #"{"b":2}"#])
        #expect(requests.map { $0.headers["content-type"] } == ["application/json", "application/merge-patch+json"])
        for request in requests {
            #expect(request.headers["accept"] == "application/json")
            #expect(request.headers["authorization"] == "Bearer canary-token")
            #expect(request.headers["user-agent"] == "argo-workflows/v4.1.2 argo-executor")
        }
    }

    @Test func loadsItsConfigurationAtTheFirstCallOnly() throws {
        let server = try ScriptedAPI()
        defer { server.stop() }
        let loads = Mutex(0)
        let url = server.url
        let client = KubernetesClient(
            access: {
                if loads.withLock({
                    $0 += 1; return $0
                }) == 1 {
                    throw ExecutorError.failed("no configuration has been provided")
                }
                return ClusterAccess(server: url, trust: .system(), namespace: "ns")
            }, settings: .init(userAgent: ""))
        #expect(loads.withLock { $0 } == 0)
        #expect(throws: ExecutorError.self) { try client.createTaskResult([:]) }
        try client.createTaskResult([:])
        try client.createTaskResult([:])
        #expect(loads.withLock { $0 } == 2)
        #expect(server.requests.allSatisfy { $0.headers["authorization"] == nil })
    }

    @Test func repeatsWhereTheServerSaysWhen() throws {
        let server = try ScriptedAPI([
            .refusal(429, "TooManyRequests", "slow", headers: ["Retry-After: 3"]),
            .init(status: 500, headers: ["Retry-After: 0"], body: "oh"), .init(status: 503, headers: ["Retry-After: 7"]),
        ])
        defer { server.stop() }
        let fixture = ClientFixture(server.url)
        try fixture.client.createTaskResult(["a": 1])
        #expect(fixture.pauses.seconds.withLock { $0 } == [3, 0, 7])
        #expect(server.requests.map(\.body) == Array(repeating: #"{"a":1}"#, count: 4))
    }

    @Test func repeatsTenTimesAtMost() throws {
        let server = try ScriptedAPI(
            Array(repeating: .refusal(429, "TooManyRequests", "slow", headers: ["Retry-After: 1"]), count: 20))
        defer { server.stop() }
        let fixture = ClientFixture(server.url)
        let error = try fixture.failure()
        #expect(error.message == "slow")
        #expect(error.isTransient)
        #expect(server.requests.count == 11)
    }

    @Test func repeatsNoMoreOnceTheWaitingIsCutShort() throws {
        let server = try ScriptedAPI(
            Array(repeating: .refusal(503, "ServiceUnavailable", "away", headers: ["Retry-After: 5"]), count: 9))
        defer { server.stop() }
        let fixture = ClientFixture(server.url)
        fixture.pauses.limit.withLock { $0 = 2 }
        #expect(try fixture.failure().message == "away")
        #expect(server.requests.count == 2)
    }

    @Test(arguments: [(503, "soon"), (503, "-1"), (503, ""), (404, "1"), (409, "1"), (400, "1"), (503, "99999999999999999999")])
    func doesNotRepeatOtherwise(status: Int, retryAfter: String) throws {
        let server = try ScriptedAPI([.refusal(status, "", "no", headers: ["Retry-After: \(retryAfter)"])])
        defer { server.stop() }
        let error = try ClientFixture(server.url).failure()
        #expect(error.status == status)
        #expect(server.requests.count == 1)
    }

    @Test func readsTheTokenAgainWhenItIsRefused() throws {
        let folder = try Folder()
        let token = folder.path.appending("token")
        try SmallFile.write(token, Array("old\n".utf8))
        let server = try ScriptedAPI([
            .init(), .refusal(401, "Unauthorized", "Unauthorized"), .init(), .refusal(401, "Unauthorized", "Unauthorized"),
        ])
        defer { server.stop() }
        let fixture = ClientFixture(server.url, token: .file(token))
        try fixture.client.createTaskResult([:])
        try SmallFile.write(token, Array("new\n".utf8))
        try fixture.client.createTaskResult([:])
        // Refused once more, but there is no other token.
        let error = try fixture.failure()
        #expect(error.status == 401)
        #expect(!error.isTransient)
        let sent = ["old", "old", "new", "new"].map { "Bearer \($0)" }
        #expect(server.requests.map { $0.headers["authorization"] } == sent)
    }

    @Test func namesTheRuleThatIsMissing() throws {
        let text =
            #"workflowtaskresults.argoproj.io is forbidden: User "system:serviceaccount:my-ns:default" cannot create resource "#
            + #""workflowtaskresults" in API group "argoproj.io" in the namespace "my-ns""#
        let server = try ScriptedAPI([.refusal(403, "Forbidden", text)])
        defer { server.stop() }
        let error = try ClientFixture(server.url).failure()
        #expect(
            error.message == text
                + "; the pod's service account needs a Role in namespace \"my-ns\" with the rule {apiGroups: [\"argoproj.io\"], "
                + "resources: [\"workflowtaskresults\"], verbs: [\"create\", \"patch\"]}")
        #expect(!error.isTransient)
        #expect(!error.isNotFound)
    }

    /// Contract 02 §12, by reason, status and text.
    @Test(arguments: [
        (403, "Forbidden", "exceeded quota: q, requested: x", true),
        (403, "Forbidden", "admission webhook denied the request", false),
        (429, "TooManyRequests", "x", true),
        (429, "", "x", true),
        (409, "Conflict", "Operation cannot be fulfilled on resourcequotas \"q\": modified", true),
        (409, "Conflict", "the object has been modified", false),
        (500, "InternalError", "Internal error occurred: resource quota evaluation timed out", true),
        (500, "InternalError", "Internal error occurred: etcdserver: leader changed", true),
        (500, "InternalError", "Internal error occurred: dial tcp 10.0.0.1:443: connect: connection refused", true),
        (500, "InternalError", "Internal error occurred", false),
        (500, "ServerTimeout", "x", true),
        (504, "Timeout", "x", true),
        (503, "ServiceUnavailable", "x", true),
        (404, "NotFound", "x", false),
        (413, "RequestEntityTooLarge", "etcdserver: request is too large", false),
        (422, "Invalid", "spec.x: user pattern here", true),
    ]) func classifies(status: Int, reason: String, message: String, isTransient: Bool) throws {
        let server = try ScriptedAPI([.refusal(status, reason, message)])
        defer { server.stop() }
        let error = try ClientFixture(server.url, pattern: "user pattern").failure()
        #expect(error.message == message)
        #expect(error.reason == reason)
        #expect(error.isTransient == isTransient)
    }

    @Test(arguments: [
        (429, "TooManyRequests", true), (503, "ServiceUnavailable", true), (504, "Timeout", true),
        (409, "AlreadyExists", false),
        (502, "InternalError", false), (403, "Forbidden", false),
    ]) func derivesTheReasonFromTheStatus(status: Int, reason: String, isTransient: Bool) throws {
        let server = try ScriptedAPI([.init(status: status, body: "<html>\nBad Gateway</html>")])
        defer { server.stop() }
        let error = try ClientFixture(server.url).failure()
        #expect(error.reason == reason)
        #expect(error.isTransient == isTransient)
        #expect(
            error.message == "create workflowtaskresults.argoproj.io: the server answered \(status): <html> Bad Gateway</html>")
    }

    @Test func aConflictOfAPatchIsNoExistingObject() throws {
        let server = try ScriptedAPI(Array(repeating: .init(status: 409, body: ""), count: 6))
        defer { server.stop() }
        let error = #expect(throws: APIError.self) { try ClientFixture(server.url).client.patchTaskResult("n", [:]) }
        #expect(error?.reason == "Conflict")
        #expect(error?.message == "patch workflowtaskresults.argoproj.io: the server answered 409")
    }

    @Test func tellsTransfersWithoutAnAnswer() throws {
        let server = try ScriptedAPI([nil])
        let error = try ClientFixture(server.url).failure()
        server.stop()
        #expect(error.status == 0)
        #expect(error.isTransient)
        #expect(error.message.hasSuffix(": EOF"))
        let refused = try ClientFixture(server.url).failure()
        #expect(refused.isTransient)
        #expect(refused.message.contains("connect: connection refused"))
        let url = try ClientFixture("ftp://h").failure()
        #expect(!url.isTransient)
    }

    @Test func neverShowsTheToken() throws {
        let lines = Mutex<[String]>([])
        let log = Log(level: .debug, sink: { line in lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } })
        for answer in [
            ScriptedAPI.Answer.refusal(403, "Forbidden", "cannot x"), .init(status: 503, headers: ["Retry-After: 1"]), nil,
        ] {
            let server = try ScriptedAPI([answer, answer, nil])
            defer { server.stop() }
            let error = try? ClientFixture(server.url, log: log).failure()
            #expect(error.map { "\($0) \($0.message)" }?.contains("canary") != true)
        }
        #expect(!lines.withLock { $0 }.isEmpty)
        #expect(lines.withLock { !$0.contains { $0.contains("canary") } })
    }
}

/// A folder that goes with its value.
final class Folder {
    let path: BytePath

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = BytePath(url.path)
    }

    deinit { try? FileManager.default.removeItem(atPath: path.text) }

    /// The names in it.
    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path.text).sorted()) ?? [] }
}
