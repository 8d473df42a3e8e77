import Documents
import HTTPTransport
import KubernetesAPI
import SystemSupport
import TestSupport
import Testing
import WorkflowModel

/// The same steps against a real API server, which checks tokens, roles and schemas, and against a stand-in that runs anywhere.
@Suite struct ClusterTests {
    private func access(_ server: ClusterServer, token: String? = nil, namespace: String? = nil) throws -> ClusterAccess {
        ClusterAccess(
            server: server.url.absoluteString, trust: .certificates(try SmallFile.read(BytePath(server.authority))),
            credentials: GivenCredentials(token: .fixed(Secret(token ?? server.token))),
            namespace: namespace ?? server.namespace)
    }

    private func store(_ access: ClusterAccess, _ node: String) -> TaskResultStore {
        let client = KubernetesClient(access: { access }, settings: .init(userAgent: "argoexec-test"))
        return TaskResultStore(
            client, identity: TaskResultIdentity(nodeID: node, workflowName: "wf", workflowUID: "5c0f8a5e", instanceID: "i"))
    }

    private func report(_ server: ClusterServer, _ node: String) async throws {
        let first = store(try access(server), node)
        try first.initialize()
        try first.report(NodeResult(progress: "1/2"))
        // Another process that knows nothing of the first.
        try store(try access(server), node).report(NodeResult(outputs: Outputs(result: "ü\n")))
        try first.finalize(NodeResult())
        let result = try #require(try await server.taskResult(node))
        #expect(result["progress"]?.text == "1/2")
        #expect(result["outputs"]?["result"]?.text == "ü\n")
        let labels = result["metadata"]?["labels"]
        #expect(labels?["workflows.argoproj.io/report-outputs-completed"]?.text == "true")
        #expect(labels?["workflows.argoproj.io/workflow"]?.text == "wf")
        #expect(labels?["workflows.argoproj.io/controller-instanceid"]?.text == "i")
    }

    @Test(.requires(.kubernetes)) func aRealServerTakesTheReports() async throws {
        try await report(try await ClusterServer.shared(.kubernetes), "transport-real-1")
    }

    @Test func theStandInTakesTheReports() async throws {
        try await report(try await ClusterServer.shared(), "transport-stand-in-1")
    }

    @Test(.requires(.kubernetes)) func aRealServersRefusalsAreUnderstood() async throws {
        let server = try await ClusterServer.shared(.kubernetes)
        let forbidden = #expect(throws: APIError.self) {
            try store(try access(server, namespace: "default"), "transport-real-2").initialize()
        }
        #expect(forbidden?.status == 403)
        #expect(forbidden?.reason == "Forbidden")
        #expect(forbidden?.message.contains("needs a Role in namespace \"default\"") == true)
        #expect(forbidden?.isTransient == false)
        let unauthorized = #expect(throws: APIError.self) {
            try store(try access(server, token: "wrong"), "transport-real-2").initialize()
        }
        #expect(unauthorized?.status == 401)
        let missing = #expect(throws: APIError.self) {
            try store(try access(server), "transport-real-2").finalize(NodeResult())
        }
        #expect(missing?.reason == "NotFound")
        let invalid = #expect(throws: APIError.self) { try store(try access(server), "Not A Name").initialize() }
        #expect(invalid?.reason == "Invalid")
        #expect(invalid?.isTransient == false)
    }

    @Test(.requires(.kubernetes)) func aRealServerRefusesWhatIsTooLarge() async throws {
        let server = try await ClusterServer.shared(.kubernetes)
        let big = NodeResult(outputs: Outputs(result: String(repeating: "x", count: 4 << 20)))
        let error = #expect(throws: APIError.self) { try store(try access(server), "transport-real-3").report(big) }
        #expect(error?.status == 413)
        #expect(error?.isTransient == false)
        #expect(error?.message.isEmpty == false)
    }

    /// A pod's own access, as a real server gives it.
    @Test(.requires(.kubernetes)) func aServiceAccountIsEnough() async throws {
        let server = try await ClusterServer.shared(.kubernetes)
        let folder = try Folder()
        try SmallFile.write(folder.path.appending("token"), Array(server.token.utf8))
        try SmallFile.write(folder.path.appending("ca.crt"), try SmallFile.read(BytePath(server.authority)))
        try SmallFile.write(folder.path.appending("namespace"), Array(server.namespace.utf8))
        let loader = ClusterAccessLoader(
            flags: AccessFlags([:]), kubeconfig: KubeconfigSource(variable: nil, home: nil),
            inCluster: InClusterSource(
                host: server.url.host(), port: server.url.port.map { String($0) }, namespace: nil, folder: folder.path))
        let client = KubernetesClient(access: { try loader.load() }, settings: .init(userAgent: "argoexec-test"))
        try TaskResultStore(
            client,
            identity: TaskResultIdentity(nodeID: "transport-real-4", workflowName: "wf", workflowUID: "u", instanceID: "")
        ).initialize()
        #expect(try await server.taskResult("transport-real-4") != nil)
    }

    @Test(.requires(.kubernetes), arguments: [HTTPClientConfiguration.Version.http1, .http2Allowed])
    func aRealServerSpeaksBothVersions(version: HTTPClientConfiguration.Version) async throws {
        let server = try await ClusterServer.shared(.kubernetes)
        let configuration = HTTPClientConfiguration(
            trust: .certificates(try SmallFile.read(BytePath(server.authority))), version: version)
        let client = HTTPClient(configuration: configuration)
        var request = HTTPRequest("GET", server.url.absoluteString + "/version")
        request.headers["Authorization"] = "Bearer " + server.token
        for _ in 0..<3 {
            let response = try client.perform(request)
            #expect(response.status == 200)
            #expect(try JSONValue(parsing: response.body)["major"]?.string == "1")
        }
    }
}
