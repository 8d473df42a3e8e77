import Documents
import Foundation
import HTTPTransport
import SystemSupport
import Testing

@testable import KubernetesAPI

/// Files from which an access is loaded, in a folder of their own.
struct AccessFixture {
    let folder: Folder

    init() throws { folder = try Folder() }

    func path(_ name: String) -> String { folder.path.text + "/" + name }

    /// Writes a file and returns its path.
    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        try SmallFile.write(BytePath(path(name)), Array(text.utf8))
        return path(name)
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

    /// A service account's files, as a pod has them.
    func writeAccount() throws {
        try write("token", "tok\n")
        try write("ca.crt", "authority")
        try write("namespace", " own \n")
    }

    func load(
        _ flags: [String: [String]] = [:], variable: String? = nil, host: String? = nil, port: String? = "443",
        namespace: String? = nil
    ) throws -> ClusterAccess {
        try ClusterAccessLoader(
            flags: AccessFlags(flags), kubeconfig: KubeconfigSource(variable: variable, home: path("home")),
            inCluster: InClusterSource(host: host, port: port, namespace: namespace, folder: folder.path)
        ).load()
    }

    func failure(
        _ flags: [String: [String]] = [:], variable: String? = nil, host: String? = nil, port: String? = "443"
    ) throws -> String {
        let error = try #require(throws: ExecutorError.self) { try load(flags, variable: variable, host: host, port: port) }
        #expect(!error.message.contains("canary"))
        #expect(!error.message.contains("\n"))
        return error.message
    }
}

extension ClusterAccess {
    /// The header that proves who we are.
    var authorization: String? { get throws { try credentials.current().authorization?.revealText() } }
}

@Suite struct ClusterAccessTests {
    private let fixture: AccessFixture

    init() throws {
        fixture = try AccessFixture()
        try fixture.writeAccount()
    }

    @Test func comesFromTheServiceAccount() throws {
        let access = try fixture.load(host: "10.0.0.1")
        #expect(access.server == "https://10.0.0.1:443")
        #expect(access.trust == .certificates(Array("authority".utf8)))
        #expect(try access.authorization == "Bearer tok")
        #expect(access.namespace == "own")
        #expect(try fixture.load(host: "fd00::1").server == "https://[fd00::1]:443")
        #expect(try fixture.load(host: "[fd00::1]").server == "https://[fd00::1]:443")
    }

    @Test(arguments: [(nil, "443"), ("", "443"), ("h", nil), ("h", "")] as [(String?, String?)])
    func needsBothVariables(host: String?, port: String?) throws {
        #expect(
            try fixture.failure(host: host, port: port)
                == "load the client configuration: no configuration has been provided")
    }

    @Test func needsTheToken() throws {
        try fixture.remove("token")
        #expect(try fixture.failure(host: "h").hasSuffix("no configuration has been provided"))
        try fixture.write("token", " \n")
        #expect(try fixture.failure(host: "h").hasSuffix("token: the file is empty"))
    }

    @Test func trustsTheSystemWhereThereIsNoAuthority() throws {
        try fixture.remove("ca.crt")
        #expect(try fixture.load(host: "h").trust == .system())
    }

    @Test func namespacesHaveAnOrder() throws {
        #expect(try fixture.load(["namespace": ["flag"]], host: "h", namespace: "variable").namespace == "flag")
        #expect(try fixture.load(["namespace": [""]], host: "h", namespace: "variable").namespace == "variable")
        #expect(try fixture.load(host: "h").namespace == "own")
        try fixture.remove("namespace")
        #expect(try fixture.load(host: "h").namespace == "default")
    }

    /// As the reference's: flags without a server change what the pod has.
    @Test func flagsGoBeforeTheServiceAccount() throws {
        let access = try fixture.load(["token": ["other"], "as": ["u"], "request-timeout": ["1500ms"]], host: "h")
        #expect(access.server == "https://h:443")
        #expect(try access.authorization == "Bearer other")
        #expect(access.impersonation == Impersonation(user: "u"))
        #expect(access.requestTimeout == 2)
        #expect(access.namespace == "own")
    }

    @Test func aServerOnTheCommandLineIsEnough() throws {
        let access = try fixture.load(
            ["server": ["https://api:6443/k8s/clusters/c-1/"], "insecure-skip-tls-verify": ["true"], "token": ["a", "t"]])
        #expect(access.server == "https://api:6443/k8s/clusters/c-1")
        #expect(access.trust == .insecure)
        #expect(try access.authorization == "Bearer t")
        #expect(access.namespace == "default")
        #expect(access.acceptsCompression)
        #expect(access.requestTimeout == nil)
        // In a pod it is still another server: the pod's own token is not for it.
        #expect(try fixture.load(["server": ["https://api"]], host: "h").authorization == nil)
        #expect(try fixture.load(["server": ["https://api"]], host: "h").namespace == "own")
    }

    @Test func flagsSetWhatTheyName() throws {
        let authority = try fixture.write("a.crt", "A")
        let access = try fixture.load([
            "server": ["api:6443"], "certificate-authority": [authority], "username": ["u"], "password": ["p"],
            "client-certificate": [try fixture.write("c.crt", "C")], "client-key": [try fixture.write("c.key", "K")],
            "as": ["other"], "as-uid": ["7"], "as-group": ["g1", "g2"], "tls-server-name": ["name"],
            "proxy-url": ["socks5://p:1080"], "disable-compression": ["true"], "request-timeout": ["3"],
        ])
        #expect(access.server == "https://api:6443")
        #expect(access.trust == .certificates(Array("A".utf8)))
        #expect(try access.authorization == "Basic dTpw")
        #expect(
            try access.credentials.current().certificate == .init(certificate: Secret("C"), key: Secret("K")))
        #expect(access.impersonation == Impersonation(user: "other", uid: "7", groups: ["g1", "g2"]))
        #expect(access.serverName == "name")
        #expect(access.proxy == Secret("socks5://p:1080"))
        #expect(!access.acceptsCompression)
        #expect(access.requestTimeout == 3)
    }

    @Test(arguments: [
        (["server": "ftp://api"], "the API server's address is no URL of http or https"),
        (["server": "https://canary:canary@api"], "the API server's address is no URL of http or https"),
        (["token": "canary", "username": "u"], "a token and a user name with a password exclude each other"),
        (["client-key": "/canary"], "a client certificate and its key are needed together"),
        (["as-group": "g"], "a uid, groups or extra fields to impersonate need a user to impersonate"),
        (["proxy-url": "ftp://u:canary@p"], "the proxy's URL must begin with http, https or socks5"),
        (["request-timeout": "soon"], "the value of --request-timeout is not a duration"),
        (["request-timeout": "-1s"], "the value of --request-timeout is not a duration"),
        (["certificate-authority": "/no/such"], "open /no/such: no such file or directory"),
        (["context": "c"], "the context \"c\" does not exist: there is no kubeconfig file"),
        (
            ["insecure-skip-tls-verify": "true", "certificate-authority": "/dev/null"],
            "a certificate authority and the skipping of verification exclude each other"
        ),
    ]) func refusesWhatDoesNotFitTogether(flags: [String: String], reason: String) throws {
        let given = ["server": "https://api"].merging(flags) { $1 }.mapValues { [$0] }
        #expect(try fixture.failure(given) == "load the client configuration: " + reason)
    }

    @Test func nothingSecretGoesOverPlainHTTP() throws {
        let access = try fixture.load(["server": ["http://api:8080"], "token": ["canary"]])
        #expect(access.server == "http://api:8080")
        #expect(try access.authorization == nil)
    }

    @Test func secretsDoNotPrint() throws {
        let file = try fixture.write(
            "config",
            """
            current-context: a
            contexts: [{name: a, context: {cluster: c, user: u}}]
            clusters: [{name: c, cluster: {server: 'https://h', proxy-url: 'http://u:canary@p'}}]
            users: [{name: u, user: {token: canary, client-certificate-data: Y2FuYXJ5, client-key-data: Y2FuYXJ5}}]
            """)
        let access = try fixture.load(["kubeconfig": [file]])
        #expect(try access.authorization == "Bearer canary")
        #expect(try access.credentials.current().certificate?.key == Secret("canary"))
        let values: [Any] = [access, try access.credentials.current(), AccessFlags(["token": ["canary"]])]
        for value in values {
            var dumped = ""
            dump(value, to: &dumped)
            for text in ["\(value)", String(reflecting: value), dumped] { #expect(!text.contains("canary"), "\(text)") }
        }
    }

    @Test func impersonationBecomesHeaders() {
        let wanted = Impersonation(
            user: "u", uid: "1", groups: ["a", "b"], extra: [("plain", ["x", "y"]), ("example.org/Scope%", ["z"])])
        #expect(
            wanted.headers.fields.map { "\($0.name): \($0.value)" } == [
                "Impersonate-User: u", "Impersonate-Uid: 1", "Impersonate-Group: a", "Impersonate-Group: b",
                "Impersonate-Extra-plain: x", "Impersonate-Extra-plain: y", "Impersonate-Extra-example.org%2FScope%25: z",
            ])
    }
}
