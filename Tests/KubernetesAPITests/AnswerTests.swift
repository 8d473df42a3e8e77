import Documents
import SystemSupport
import Testing

@testable import KubernetesAPI

/// Answers that claim success: what else they hold decides.
@Suite struct AnswerTests {
    private static let call = "create workflowtaskresults.argoproj.io: the server answered 200, but "

    @Test(arguments: [
        ("", "0-length response with status code: 200 and content type: text/html"),
        (
            "<!doctype html>\n <title>Login</title>",
            "couldn't get version/kind; json parse error: invalid character '<' looking for beginning of value; the answer begins with: <!doctype html> <title>Login</title>"
        ),
        ("{}", "Object 'Kind' is missing; the answer begins with: {}"),
        (
            #"{"kind": "PodList"}"#,
            #"with the kind PodList in place of WorkflowTaskResult; the answer begins with: {"kind": "PodList"}"#
        ),
        (
            #"{"kind": "Status", "status": "Success"}"#,
            #"with the kind Status in place of WorkflowTaskResult; the answer begins with: {"kind": "Status", "status": "Success"}"#
        ),
        (
            #"{"kind": "WorkflowTaskResult""#,
            #"couldn't get version/kind; json parse error: the text ends inside an object; the answer begins with: {"kind": "WorkflowTaskResult""#
        ),
        ("[]", "couldn't get version/kind; json parse error: a JSON array is not an object; the answer begins with: []"),
    ]) func aStatusAloneIsNoSuccess(body: String, cause: String) throws {
        let answer = ScriptedAPI.Answer(headers: ["Content-Type: text/html"], body: body)
        let server = try ScriptedAPI([answer, answer])
        defer { server.stop() }
        let fixture = ClientFixture(server.url)
        let error = try fixture.failure()
        #expect(error.message == Self.call + cause)
        #expect(!error.isTransient && error.status == 200)
        let patching = try #require(throws: APIError.self) { try fixture.client.patchTaskResult("n", [:]) }
        #expect(patching.message.hasPrefix("patch workflowtaskresults.argoproj.io: the server answered 200, but "))
        #expect(server.requests.count == 2)
    }

    /// A refusal keeps its meaning under whatever status it comes.
    @Test func aStatusObjectInASuccessIsARefusal() throws {
        let status = #"{"kind": "Status", "status": "Failure", "reason": "AlreadyExists", "message": "it exists", "code": 409}"#
        let busy = #"{"kind": "Status", "status": "Failure", "reason": "TooManyRequests", "message": "busy", "code": 429}"#
        let server = try ScriptedAPI([.init(body: status), .init(body: busy)])
        defer { server.stop() }
        let fixture = ClientFixture(server.url)
        let error = try fixture.failure()
        #expect(error.message == "it exists" && error.status == 409 && error.reason == "AlreadyExists" && !error.isTransient)
        #expect(try fixture.failure().isTransient)
    }

    @Test func statusesBeyondThoseOfSuccessAreErrors() throws {
        let server = try ScriptedAPI([.init(status: 226), .init(status: 201), .init(status: 200)])
        defer { server.stop() }
        let fixture = ClientFixture(server.url)
        #expect(try fixture.failure().status == 226)
        try fixture.client.createTaskResult([:])
        try fixture.client.createTaskResult([:])
    }

    @Test func whatRepeatsTheTokenIsNotShown() throws {
        let server = try ScriptedAPI([.init(body: "<html>Authorization: Bearer canary-token</html>")])
        defer { server.stop() }
        let message = try ClientFixture(server.url).failure().message
        #expect(message.hasSuffix("looking for beginning of value"))
        #expect(!message.contains("canary"))
    }

    /// Whatever the first request met, the next one reaches the server.
    @Test func goesOnAfterAFailedTransfer() throws {
        let server = try ScriptedAPI([nil])
        defer { server.stop() }
        let unknown = ClientFixture("http://no-such-host.invalid")
        for _ in 1...3 {
            let error = try unknown.failure()
            #expect(error.message.contains("dial tcp: lookup no-such-host.invalid: ") && error.isTransient)
        }
        let fixture = ClientFixture(server.url)
        let error = try fixture.failure()
        #expect(error.isTransient && error.message.hasSuffix(": EOF"))
        try fixture.client.createTaskResult([:])
    }
}
