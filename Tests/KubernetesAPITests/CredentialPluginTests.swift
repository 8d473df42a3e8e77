import Documents
import Foundation
import HTTPTransport
import SystemSupport
import Testing

@testable import KubernetesAPI

/// Real programs that answer as credential plugins do.
@Suite struct CredentialPluginTests {
    private let fixture: AccessFixture

    init() throws { fixture = try AccessFixture() }

    /// A plugin that keeps what it was told, counts its runs, and answers with `status`, in which `$n` is the number of the run.
    private func plugin(_ status: String, version: String = "v1", ending code: Int = 0) throws {
        let folder = fixture.folder.path.text
        try fixture.write(
            "plugin",
            """
            #!/bin/sh
            echo run >> '\(folder)/runs'
            n=$(grep -c run '\(folder)/runs')
            printf '%s' "$KUBERNETES_EXEC_INFO" > '\(folder)/told'
            printf '%s|' "$OWN" "$0" "$@" > '\(folder)/words'
            cat << END
            {"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/\(version)", "status": \(status)}
            END
            echo "first line" >&2
            echo "it is late" >&2
            exit \(code)

            """)
        chmod(fixture.path("plugin"), 0o755)
    }

    private func write(_ fields: String = "", version: String = "v1", server: String = "https://h", cluster: String = "") throws
        -> String
    {
        try fixture.write(
            "config",
            """
            current-context: a
            contexts: [{name: a, context: {cluster: c, user: u}}]
            clusters:
            - name: c
              cluster:
                server: \(server)
                certificate-authority-data: Q0E=
            \(cluster)
            users:
            - name: u
              user:
                exec:
                  apiVersion: client.authentication.k8s.io/\(version)
                  command: ./plugin
                  interactiveMode: Never
                  args: [get, "a token"]
                  env: [{name: OWN, value: mine}]
            \(fields)
            """)
    }

    private func access(_ fields: String = "", version: String = "v1") throws -> ClusterAccess {
        try fixture.load(["kubeconfig": [try write(fields, version: version)]])
    }

    private var runs: Int {
        (try? String(contentsOfFile: fixture.path("runs"), encoding: .utf8))?.split(separator: "\n").count ?? 0
    }

    private func content(_ name: String) throws -> String { try String(contentsOfFile: fixture.path(name), encoding: .utf8) }

    @Test(arguments: ["v1", "v1beta1"]) func givesAToken(version: String) throws {
        try plugin(#"{"token": "t$n"}"#, version: version)
        let access = try access(version: version)
        #expect(runs == 0)
        #expect(try access.authorization == "Bearer t1")
        #expect(try access.authorization == "Bearer t1")
        #expect(runs == 1)
        #expect(try content("words") == "mine|\(fixture.path("plugin"))|get|a token|")
        #expect(
            try JSONValue(parsing: Array(try content("told").utf8)) == [
                "kind": "ExecCredential", "apiVersion": .string("client.authentication.k8s.io/" + version),
                "spec": ["interactive": false],
            ])
    }

    @Test func givesACertificate() throws {
        try plugin(#"{"clientCertificateData": "CRT", "clientKeyData": "KEY"}"#)
        let credential = try access().credentials.current()
        #expect(credential.certificate == .init(certificate: Secret("CRT"), key: Secret("KEY")))
        #expect(credential.authorization == nil)
    }

    @Test func isToldOfTheClusterWhereItWants() throws {
        try plugin(#"{"token": "t"}"#)
        let file = try write(
            "      provideClusterInfo: true", server: "https://h:1/",
            cluster: """
                    tls-server-name: name
                    proxy-url: http://p
                    extensions: [{name: other, extension: 1}, {name: client.authentication.k8s.io/exec, extension: {audience: x}}]
                """)
        _ = try fixture.load(["kubeconfig": [file]]).authorization
        #expect(
            try JSONValue(parsing: Array(try content("told").utf8))["spec"]?["cluster"] == [
                "server": "https://h:1", "tls-server-name": "name", "certificate-authority-data": "Q0E=",
                "proxy-url": "http://p",
                "config": ["audience": "x"],
            ])
    }

    @Test func runsAgainOnceItsAnswerHasExpired() throws {
        try plugin(#"{"token": "t$n", "expirationTimestamp": "2001-01-01T00:00:00Z"}"#)
        let access = try access()
        #expect(try access.authorization == "Bearer t1")
        #expect(try access.authorization == "Bearer t2")
        try plugin(#"{"token": "t$n", "expirationTimestamp": "2101-01-01T00:00:00Z"}"#)
        #expect(try access.authorization == "Bearer t3")
        #expect(try access.authorization == "Bearer t3")
    }

    @Test func runsAgainWhenItsAnswerIsRefused() throws {
        try plugin(#"{"token": "t$n"}"#)
        let credentials = try access().credentials
        let first = try credentials.current()
        #expect(try credentials.replacement(for: first)?.authorization == Secret("Bearer t2"))
        // A thread that was refused with the old answer learns of the new one.
        #expect(try credentials.replacement(for: first)?.authorization == Secret("Bearer t2"))
        #expect(runs == 2)
        try plugin(#"{"token": "t2"}"#)
        #expect(try credentials.replacement(for: credentials.current()) == nil)
        #expect(runs == 3)
    }

    @Test func isNotAskedWhereSomethingIsGiven() throws {
        try plugin(#"{"token": "t"}"#)
        let file = try write()
        #expect(try fixture.load(["kubeconfig": [file], "token": ["given"]]).authorization == "Bearer given")
        #expect(try fixture.load(["kubeconfig": [file], "username": ["u"]]).authorization == "Basic dTo=")
        #expect(runs == 0)
    }

    private func failure(_ fields: String = "") throws -> String {
        let credentials = try access(fields).credentials
        let error = try #require(throws: ExecutorError.self) { try credentials.current() }
        let prefix =
            "fetch the credentials of the user \"u\" with the exec plugin \(fixture.path("plugin")): "
        #expect(error.message.hasPrefix(prefix))
        #expect(!error.message.contains("canary"))
        return String(error.message.dropFirst(prefix.count))
    }

    @Test(arguments: [
        ("null", "its answer has no status"),
        ("{}", "its answer has neither token nor certificate"),
        (#"{"token": ""}"#, "its answer has neither token nor certificate"),
        (#"{"clientKeyData": "canary"}"#, "its answer has only one of certificate and key"),
        (#"{"token": "canary", "expirationTimestamp": "soon"}"#, "expirationTimestamp of its response is not a time"),
        (#"{"token": "canary""#, "its answer is no ExecCredential"),
    ]) func refusesAnswersThatMakeNoSense(status: String, reason: String) throws {
        try plugin(status)
        #expect(try failure() == reason)
    }

    @Test func refusesAnotherVersion() throws {
        try plugin(#"{"token": "canary"}"#, version: "v1beta1")
        #expect(try failure() == "its answer is not of the version client.authentication.k8s.io/v1")
    }

    @Test func tellsAllThatThePluginSaid() throws {
        try plugin(#"{"token": "canary"}"#, ending: 3)
        #expect(try failure() == "exit code 3: first line it is late")
    }

    /// As the Kubernetes client library takes it.
    @Test func answersInYAMLToo() throws {
        try fixture.write(
            "plugin",
            """
            #!/bin/sh
            cat << END
            # a comment
            apiVersion: client.authentication.k8s.io/v1
            kind: ExecCredential
            status:
              token: first
              token: second
            END

            """)
        chmod(fixture.path("plugin"), 0o755)
        #expect(try access().authorization == "Bearer second")
    }

    @Test func tellsHowToInstallIt() throws {
        #expect(
            try failure("      installHint: |\n        get it from here")
                == "exec: \"\(fixture.path("plugin"))\": stat \(fixture.path("plugin")): no such file or directory; get it from here"
        )
        #expect(
            try failure("      installHint: |\n        get it:\n\n          apt install it\n").hasSuffix(
                "; get it: apt install it"))
    }

    /// The whole way: refused with the first answer, accepted with the second.
    @Test func aRefusedRequestIsMadeAgain() throws {
        try plugin(#"{"token": "t$n"}"#)
        let server = try ScriptedAPI([.refusal(401, "Unauthorized", "Unauthorized")])
        defer { server.stop() }
        var access = try access()
        access.server = server.url
        let client = KubernetesClient(access: { [access] in access }, settings: .init(userAgent: ""))
        try client.createTaskResult([:])
        try client.createTaskResult([:])
        #expect(server.requests.map { $0.headers["authorization"] } == ["Bearer t1", "Bearer t2", "Bearer t2"])
    }
}
