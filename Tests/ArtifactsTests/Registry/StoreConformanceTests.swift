import TestSupport
import Testing

/// The suite that every driver passes against each real server: a column of the table is a test here.
@Suite(.tellsVerdict) struct StoreConformanceTests {
    @Test(arguments: Conformance.all) func seaweedFS(check: Conformance) async throws { try await s3(check, .seaweedFS) }

    @Test(arguments: Conformance.all) func minIO(check: Conformance) async throws { try await s3(check, .minIO) }

    @Test(arguments: Conformance.all) func moto(check: Conformance) async throws { try await s3(check, .moto) }

    @Test(arguments: Conformance.all) func fakeGCSServer(check: Conformance) async throws {
        try await check.run(driver: "gcs", server: ServerKind.fakeGCS.title) { try await .gcs() }
    }

    @Test(arguments: Conformance.all) func localStore(check: Conformance) async throws {
        let kind = StoreUnderTest.localStore
        try await check.run(driver: kind.driver, server: kind.server) { kind }
    }

    @Test(arguments: Conformance.all) func nginx(check: Conformance) async throws { try await web(check, .plain) }

    @Test(arguments: Conformance.all) func nginxWithTLS(check: Conformance) async throws { try await web(check, .tls) }

    @Test(arguments: Conformance.all) func nginxWithPassword(check: Conformance) async throws { try await web(check, .basic) }

    @Test(arguments: Conformance.all) func nginxWithCertificate(check: Conformance) async throws {
        try await web(check, .certificate)
    }

    @Test(arguments: Conformance.all) func nginxWithOAuth2(check: Conformance) async throws { try await web(check, .bearer) }

    @Test(arguments: Conformance.all) func nginxAsArtifactory(check: Conformance) async throws {
        try await check.run(driver: "artifactory", server: ServerKind.nginx.title) { try await .artifactory() }
    }

    private func web(_ check: Conformance, _ door: WebServer.Door) async throws {
        try await check.run(driver: "http", server: StoreUnderTest.title(of: door)) { try await .http(door) }
    }

    private func s3(_ check: Conformance, _ kind: ServerKind) async throws {
        try await check.run(driver: "s3", server: kind.title) { try await .s3(kind) }
    }
}
