import Foundation
import HTTPTransport
import SystemSupport
import Testing

@testable import KubernetesAPI

@Suite struct KubeconfigTests {
    private let fixture: AccessFixture

    init() throws { fixture = try AccessFixture() }

    private static let small = """
        apiVersion: v1
        kind: Config
        current-context: here
        contexts:
        - name: here
          context: {cluster: one, user: me, namespace: mine}
        - name: there
          context: {cluster: two, user: me}
        clusters:
        - name: one
          cluster: {server: "https://one:6443"}
        - name: two
          cluster: {server: "https://two:6443/"}
        users:
        - name: me
          user: {token: mine}
        - name: you
          user: {token: yours}

        """

    @Test func namesTheContextInUse() throws {
        let file = try fixture.write("config", Self.small)
        let access = try fixture.load(["kubeconfig": [file]])
        #expect(access.server == "https://one:6443")
        #expect(try access.authorization == "Bearer mine")
        #expect(access.namespace == "mine")
        #expect(access.trust == .system())
    }

    /// As kubectl reads it: the last one counts.
    @Test(arguments: ["config", "config.json"]) func ofAKeyThatStandsTwiceTheLastCounts(name: String) throws {
        let text = Self.small.replacing("- name: one\n", with: "- name: two\n  name: one\n")
            .replacing("{token: mine}", with: "{token: old, token: mine}")
        let file = try fixture.write(name, text)
        let access = try fixture.load(["kubeconfig": [file]])
        #expect(access.server == "https://one:6443")
        #expect(try access.authorization == "Bearer mine")
        #expect(
            access.warnings == [
                "\(file):11:3: the key 'name' is a duplicate; the first is at 10:3",
                "\(file):17:22: the key 'token' is a duplicate; the first is at 17:10",
            ])
        #expect(try fixture.load(["kubeconfig": [try fixture.write("other", Self.small)]]).warnings.isEmpty)
    }

    @Test func ofANameThatStandsTwiceInJSONTheLastCounts() throws {
        let file = try fixture.write(
            "config.json",
            """
            {"current-context": "a", "contexts": [{"name": "a", "context": {"cluster": "c"}}],
             "clusters": [{"name": "c", "cluster": {"server": "https://old", "tls-server-name": "n", "server": "https://new"}}]}
            """)
        let access = try fixture.load(["kubeconfig": [file]])
        #expect(access.server == "https://new")
        #expect(access.serverName == "n")
        #expect(access.warnings.count == 1)
    }

    @Test func flagsChooseAmongItsEntries() throws {
        let file = try fixture.write("config", Self.small)
        let there = try fixture.load(["kubeconfig": [file], "context": ["there"]])
        #expect(there.server == "https://two:6443")
        #expect(there.namespace == "default")
        let mixed = try fixture.load(["kubeconfig": [file], "cluster": ["two"], "user": ["you"], "namespace": ["ns"]])
        #expect(mixed.server == "https://two:6443")
        #expect(try mixed.authorization == "Bearer yours")
        #expect(mixed.namespace == "ns")
    }

    /// In a pod a context without a namespace means the pod's own.
    @Test func theNamespaceFallsBackToThePods() throws {
        try fixture.writeAccount()
        let file = try fixture.write("config", Self.small)
        #expect(try fixture.load(["kubeconfig": [file], "context": ["there"]], host: "h").namespace == "own")
        #expect(try fixture.load(["kubeconfig": [file]], host: "h").namespace == "mine")
    }

    @Test(arguments: [
        ("context", "the context \"nobody\" does not exist: in "), ("cluster", "the cluster \"nobody\" does not exist: in "),
        ("user", "the user \"nobody\" does not exist: in "),
    ]) func aNameMustExist(flag: String, reason: String) throws {
        let file = try fixture.write("config", Self.small)
        #expect(
            try fixture.failure(["kubeconfig": [file], flag: ["nobody"]]) == "load the client configuration: " + reason + file)
    }

    @Test func namesInItMustExistToo() throws {
        let file = try fixture.write("config", "current-context: a\ncontexts: [{name: a, context: {cluster: c, user: u}}]")
        #expect(try fixture.failure(["kubeconfig": [file]]).contains("the cluster \"c\" does not exist"))
        try fixture.write("config", "current-context: a")
        #expect(try fixture.failure(["kubeconfig": [file]]).contains("the context \"a\" does not exist"))
    }

    @Test func theNamedFileMustExist() throws {
        let path = fixture.path("absent")
        #expect(
            try fixture.failure(["kubeconfig": [path]])
                == "load the client configuration: open \(path): no such file or directory")
    }

    @Test func theFirstFileWinsForEachEntry() throws {
        let first = try fixture.write(
            "first",
            "contexts: [{name: a, context: {cluster: one}}]\nclusters: [{name: one, cluster: {server: 'https://first'}}]")
        let second = try fixture.write(
            "second",
            """
            current-context: b
            contexts: [{name: a, context: {cluster: two}}, {name: b, context: {cluster: one, namespace: ns}}]
            clusters: [{name: one, cluster: {server: 'https://second', tls-server-name: x}}, {name: two, cluster: {server: 'https://two'}}]
            """)
        let variable = "\(fixture.path("absent")):\(first)::\(second)"
        // The current context comes from the second file, the cluster as a whole from the first.
        let access = try fixture.load(variable: variable)
        #expect(access.server == "https://first")
        #expect(access.serverName == nil)
        #expect(access.namespace == "ns")
        #expect(try fixture.load(["context": ["a"]], variable: variable).server == "https://first")
        #expect(try fixture.load(["context": ["a"]], variable: "\(second):\(first)").server == "https://two")
    }

    @Test func theHomeFolderIsLookedAtLast() throws {
        try FileManager.default.createDirectory(atPath: fixture.path("home/.kube"), withIntermediateDirectories: true)
        try fixture.write("home/.kube/config", Self.small)
        #expect(try fixture.load().server == "https://one:6443")
        #expect(try fixture.failure(variable: fixture.path("absent")).hasSuffix("no configuration has been provided"))
    }

    @Test(arguments: ["", "# nothing\n", "current-context: ''\n", "apiVersion: v1\nkind: Config\ncontexts: []\n"])
    func anEmptyConfigurationLeavesThePodsOwn(text: String) throws {
        try fixture.writeAccount()
        let file = try fixture.write("config", text)
        #expect(try fixture.load(variable: file, host: "h").server == "https://h:443")
        #expect(try fixture.failure(variable: file).hasSuffix("no configuration has been provided"))
    }

    @Test func relativePathsAreRelativeToTheFile() throws {
        try FileManager.default.createDirectory(atPath: fixture.path("pki"), withIntermediateDirectories: true)
        for name in ["ca", "crt", "key", "token"] { try fixture.write("pki/" + name, name) }
        let absolute = fixture.path("pki/token")
        let file = try fixture.write(
            "config",
            """
            current-context: a
            contexts: [{name: a, context: {cluster: c, user: u}}]
            clusters: [{name: c, cluster: {server: 'https://h', certificate-authority: pki/ca}}]
            users: [{name: u, user: {client-certificate: ./pki/crt, client-key: pki/key, tokenFile: '\(absolute)'}}]
            """)
        let access = try fixture.load(["kubeconfig": [file]])
        #expect(access.trust == .certificates(Array("ca".utf8)))
        let credential = try access.credentials.current()
        #expect(credential.certificate == .init(certificate: Secret("crt"), key: Secret("key")))
        #expect(credential.authorization == Secret("Bearer token"))
        try fixture.remove("pki/key")
        #expect(try fixture.failure(["kubeconfig": [file]]).contains("key: no such file or directory"))
    }

    @Test func dataGoesBeforeFiles() throws {
        let file = try fixture.write(
            "config",
            """
            current-context: a
            contexts: [{name: a, context: {cluster: c, user: u}}]
            clusters: [{name: c, cluster: {server: 'https://h', certificate-authority: /no/such, certificate-authority-data: Q0E=}}]
            users: [{name: u, user: {client-certificate-data: Q1JU, client-key-data: S0VZ, username: me, password: p}}]
            """)
        let access = try fixture.load(["kubeconfig": [file]])
        #expect(access.trust == .certificates(Array("CA".utf8)))
        let credential = try access.credentials.current()
        #expect(credential.certificate == .init(certificate: Secret("CRT"), key: Secret("KEY")))
        #expect(credential.authorization == Secret("Basic bWU6cA=="))
    }

    @Test func itsOtherFieldsCountToo() throws {
        let file = try fixture.write(
            "config.json",
            """
            {"current-context": "a", "contexts": [{"name": "a", "context": {"cluster": "c", "user": "u"}}],
             "clusters": [{"name": "c", "cluster": {"server": "https://h", "insecure-skip-tls-verify": true,
               "tls-server-name": "n", "proxy-url": "http://p:3128", "disable-compression": true}}],
             "users": [{"name": "u", "user": {"as": "o", "as-uid": "3", "as-groups": ["g"], "as-user-extra": {"k": ["v"]}}}]}
            """)
        let access = try fixture.load(["kubeconfig": [file]])
        #expect(access.trust == .insecure)
        #expect(access.serverName == "n")
        #expect(access.proxy == Secret("http://p:3128"))
        #expect(!access.acceptsCompression)
        #expect(access.impersonation == Impersonation(user: "o", uid: "3", groups: ["g"], extra: [("k", ["v"])]))
        // An authority on the command line ends the skipping; another server has no use for the old one's name.
        let authority = try fixture.write("ca", "CA")
        let other = try fixture.load([
            "kubeconfig": [file], "certificate-authority": [authority], "server": ["https://other"],
        ])
        #expect(other.trust == .certificates(Array("CA".utf8)))
        #expect(other.serverName == nil)
    }

    @Test(arguments: [
        ("a: [", "config:1:5: did not find expected node content while parsing a flow node"),
        ("- a", "config:1:1: a kubeconfig must be an object"),
        ("kind: Pod", "config:1:1: kind must be Config"),
        ("current-context: 3", "config:1:1: current-context must be a text, not number"),
        ("users: 3", "config:1:1: users must be a list, not number"),
        ("users:\n- user: {}", "config:2:3: users[0].name is missing"),
        ("users:\n- name: a\n- name: a", "config:3:3: users[1].name is a duplicate: \"a\""),
        ("users:\n- name: a\n  user: canary", "config:3:3: users[0].user must be an object, not string"),
        ("\(use)users: [{name: u, user: {token: 12345}}]", "config:3:26: users[0].user.token must be a text, not number"),
        (
            "\(use)users: [{name: u, user: {client-key-data: canary!}}]",
            "config:3:26: users[0].user.client-key-data is not valid base64"
        ),
        (
            "\(use)users: [{name: u, user: {auth-provider: {name: gcp, config: {x: canary}}}}]",
            "config:3:26: users[0].user.auth-provider names the provider \"gcp\", which is not supported: use an exec plugin"
        ),
        (
            "\(use)users: [{name: u, user: {exec: {command: x, apiVersion: client.authentication.k8s.io/v1alpha1}}}]",
            "config:3:45: users[0].user.exec.apiVersion must be client.authentication.k8s.io/v1 or "
                + "client.authentication.k8s.io/v1beta1"
        ),
        (
            "\(use)users: [{name: u, user: {exec: {command: x, apiVersion: client.authentication.k8s.io/v1}}}]",
            "config:3:26: users[0].user.exec.interactiveMode is missing"
        ),
        (
            "current-context: a\ncontexts: [{name: a, context: {cluster: c}}]\nclusters: [{name: c, cluster: {}}]",
            "config:3:22: clusters[0].cluster.server is missing"
        ),
    ]) func saysWhereItIsWrong(text: String, reason: String) throws {
        let file = try fixture.write("config", text)
        let folder = fixture.folder.path.text
        #expect(
            try fixture.failure(["kubeconfig": [file]]) == "load the client configuration: \(folder)/\(reason)")
    }

    private static let use =
        "current-context: a\ncontexts: [{name: a, context: {user: u}}]\n"
}
