import Documents
import Foundation
import HTTPTransport
import SystemSupport
import TestSupport
import Testing
import WorkflowModel

@testable import KubernetesAPI

/// Every way into a real API server: what a kubeconfig says is what the server sees.
@Suite(.requires(.kubernetes)) struct ClusterRoutesTests {
    private let fixture: AccessFixture

    init() throws { fixture = try AccessFixture() }

    /// A kubeconfig with these fields of cluster and user; `$CA` is the server's authority.
    private func config(_ server: ClusterServer, cluster: String = "", user: String) throws -> String {
        try fixture.write(
            "config",
            """
            current-context: a
            contexts: [{name: a, context: {cluster: c, user: u, namespace: \(server.namespace)}}]
            clusters:
            - name: c
              cluster:
                certificate-authority: \(server.authority)
                \(cluster.isEmpty ? "server: \(server.url.absoluteString)" : cluster)
            users:
            - name: u
              user:
                \(user)

            """)
    }

    private func report(_ node: String, _ flags: [String: [String]]) throws {
        let access = try fixture.load(flags)
        let client = KubernetesClient(access: { access }, settings: .init(userAgent: "argoexec-test"))
        try TaskResultStore(
            client, identity: TaskResultIdentity(nodeID: node, workflowName: "wf", workflowUID: "u", instanceID: "")
        ).initialize()
    }

    /// A certificate of the server's own authority; its organisation is the group.
    private func makeCertificate(_ server: ClusterServer, group: String, name: String) throws {
        let authority = URL(filePath: server.authority).deletingLastPathComponent().appending(path: "ca").path
        for words in [
            [
                "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", fixture.path("c.key"),
                "-out", fixture.path("c.csr"), "-subj", "/O=\(group)/CN=\(name)",
            ],
            [
                "x509", "-req", "-in", fixture.path("c.csr"), "-CA", authority + ".crt", "-CAkey", authority + ".key",
                "-set_serial", "\(UInt32.random(in: 1...UInt32.max))", "-days", "1", "-out", fixture.path("c.crt"),
            ],
        ] {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = ["openssl"] + words
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            try #require(process.terminationStatus == 0)
        }
    }

    @Test func byToken() async throws {
        let server = try await ClusterServer.shared(.kubernetes)
        try fixture.write("token", server.token + "\n")
        try report("routes-1", ["kubeconfig": [try config(server, user: "tokenFile: token")]])
        #expect(try await server.taskResult("routes-1") != nil)
        let wrong = try config(server, user: "token: canary-wrong")
        let error = #expect(throws: APIError.self) { try report("routes-1", ["kubeconfig": [wrong]]) }
        #expect(error?.status == 401)
        #expect(error?.message.contains("canary") == false)
        try report("routes-2", ["kubeconfig": [wrong], "token": [server.token]])
    }

    @Test func byClientCertificate() async throws {
        let server = try await ClusterServer.shared(.kubernetes)
        try makeCertificate(server, group: "system:masters", name: "tester")
        try report(
            "routes-3", ["kubeconfig": [try config(server, user: "{client-certificate: c.crt, client-key: c.key}")]])
        #expect(try await server.taskResult("routes-3") != nil)
        // A name that no role knows: the server has read the certificate and says whose it is.
        try makeCertificate(server, group: "nobodies", name: "stranger")
        let error = #expect(throws: APIError.self) {
            try report(
                "routes-3",
                [
                    "server": [server.url.absoluteString], "certificate-authority": [server.authority],
                    "namespace": [server.namespace], "client-certificate": [fixture.path("c.crt")],
                    "client-key": [fixture.path("c.key")],
                ])
        }
        #expect(error?.message.contains("User \"stranger\" cannot create") == true)
    }

    @Test func byExecPlugin() async throws {
        let server = try await ClusterServer.shared(.kubernetes)
        let plugin = try fixture.write(
            "plugin",
            """
            #!/bin/sh
            # The first answer is a token that the server does not know.
            token=canary; [ -e '\(fixture.path("ran"))' ] && token='\(server.token)'; : > '\(fixture.path("ran"))'
            echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","status":{"token":"'$token'"}}'

            """)
        chmod(plugin, 0o755)
        let user = "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: ./plugin}"
        try report("routes-4", ["kubeconfig": [try config(server, user: user)]])
        #expect(try await server.taskResult("routes-4") != nil)
    }

    @Test func byExecPluginWithACertificate() async throws {
        let server = try await ClusterServer.shared(.kubernetes)
        try makeCertificate(server, group: "system:masters", name: "tester")
        let plugin = try fixture.write(
            "plugin",
            """
            #!/bin/sh
            pem() { while read -r line; do printf '%s\\\\n' "$line"; done < "$1"; }
            echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{'
            printf '"clientCertificateData":"%s","clientKeyData":"%s"}}' "$(pem '\(fixture.path("c.crt"))')" "$(pem '\(fixture.path("c.key"))')"

            """)
        chmod(plugin, 0o755)
        let user = "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: IfAvailable, command: ./plugin}"
        try report("routes-5", ["kubeconfig": [try config(server, user: user)]])
        #expect(try await server.taskResult("routes-5") != nil)
    }

    @Test func byAnotherUsersRights() async throws {
        let server = try await ClusterServer.shared(.kubernetes)
        try makeCertificate(server, group: "system:masters", name: "tester")
        let file = try config(
            server,
            user: "{client-certificate: c.crt, client-key: c.key, as: someone, as-groups: [g], as-user-extra: {a/b: [x]}}")
        let error = #expect(throws: APIError.self) { try report("routes-6", ["kubeconfig": [file]]) }
        #expect(error?.message.contains("User \"someone\" cannot create") == true)
        try report("routes-6", ["kubeconfig": [file], "as": ["other"], "as-group": ["system:masters"]])
        #expect(try await server.taskResult("routes-6") != nil)
    }

    /// Only the name in the handshake makes the server's certificate fit: nobody resolves `api.example`.
    @Test(arguments: [("http", TunnelProxy.Kind.connect), ("socks5", .socks)])
    func throughAProxyUnderAnotherName(scheme: String, kind: TunnelProxy.Kind) async throws {
        let server = try await ClusterServer.shared(.kubernetes)
        let proxy = try TunnelProxy(kind, to: try #require(server.url.port))
        defer { proxy.stop() }
        let cluster = { (name: String) in
            """
            server: https://api.example:6443
                tls-server-name: \(name)
                proxy-url: \(scheme)://me:canary@127.0.0.1:\(proxy.port)
            """
        }
        let user = "token: \(server.token)"
        try report("routes-7-\(scheme)", ["kubeconfig": [try config(server, cluster: cluster("localhost"), user: user)]])
        #expect(try await server.taskResult("routes-7-\(scheme)") != nil)
        #expect(proxy.asked == ["api.example:6443"])
        #expect(proxy.credentials == [kind == .socks ? "me:canary" : "Basic bWU6Y2FuYXJ5"])
        let error = #expect(throws: APIError.self) {
            try report("routes-8", ["kubeconfig": [try config(server, cluster: cluster("other.example"), user: user)]])
        }
        #expect(error?.message.contains("x509: certificate is not valid for other.example") == true)
        #expect(error?.message.contains("canary") == false)
        // The flag goes before the file.
        try report(
            "routes-8",
            [
                "kubeconfig": [try config(server, cluster: cluster("other.example"), user: user)],
                "tls-server-name": ["127.0.0.1"],
            ])
    }

    @Test func withoutVerification() async throws {
        let server = try await ClusterServer.shared(.kubernetes)
        let file = try config(server, user: "token: \(server.token)")
        try report("routes-9", ["kubeconfig": [file], "insecure-skip-tls-verify": ["true"]])
        #expect(try await server.taskResult("routes-9") != nil)
    }
}
