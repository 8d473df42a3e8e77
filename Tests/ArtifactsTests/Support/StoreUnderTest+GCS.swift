import Artifacts
import Documents
import TestSupport

@testable import GCSArtifacts

extension StoreUnderTest {
    /// A new bucket of fake-gcs-server, reached with a service account key whose tokens a verifying endpoint gives.
    ///
    /// - Throws: `ServerUnavailable` where this machine lacks the server.
    static func gcs() async throws -> StoreUnderTest {
        let server = try await GCSServer.shared()
        let bucket = try server.makeBucket()
        return StoreUnderTest(
            driver: "gcs", server: ServerKind.fakeGCS.title, offers: Set(Ability.allCases).subtracting([.strictLists]),
            endpoint: server.endpoint, bucket: bucket,
            secrets: ["keys/account": server.account, "keys/wrong": server.wrongAccount],
            fields: { key, _ in
                [
                    "bucket": .string(bucket), "key": .string(key),
                    "serviceAccountKeySecret": ["name": "keys", "key": "account"],
                ]
            }, wrongCredential: ["serviceAccountKeySecret": ["name": "keys", "key": "wrong"]],
            adapt: { context, endpoint in context.reachGoogle(at: "http://\(endpoint)") })
    }

    /// Cloud Storage played by a stand-in at whatever endpoint a test names, without credentials.
    static func gcsStandIn(bucket: String) -> StoreUnderTest {
        StoreUnderTest(
            driver: "gcs", server: "stand-in", offers: [], endpoint: nil, bucket: bucket, secrets: [:],
            fields: { key, _ in ["bucket": .string(bucket), "key": .string(key)] }, wrongCredential: [:],
            adapt: { context, endpoint in
                context.localStore = nil
                context.reachGoogle(at: "http://\(endpoint)")
                context.google.isEmulator = true
            })
    }
}

extension DriverContext {
    /// Requests go to a stand-in of Cloud Storage, and are tried again at once.
    mutating func reachGoogle(at url: String) {
        google.endpoint = url
        google.schedule = RetrySchedule(executorBackoff)
    }
}
