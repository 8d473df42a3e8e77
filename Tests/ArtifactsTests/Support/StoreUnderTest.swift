import ArtifactRegistry
import Artifacts
import Documents
import TestSupport

/// A kind of store on a running server, as the conformance suite sees it: one column of its table.
struct StoreUnderTest: Sendable {
    /// The field of the location, e.g. `s3`.
    let driver: String
    /// As the README calls it, e.g. `SeaweedFS`.
    let server: String
    let offers: Set<Ability>
    /// `host:port` in plain HTTP; nil where nothing goes over a network.
    let endpoint: String?
    /// What all keys of a fixture lie in; the message of an absent object names it before the key.
    let bucket: String
    /// Files of the secrets' folder, as `NAME/KEY`.
    let secrets: [String: String]
    /// The fields of a location with a key, reached at an endpoint.
    let fields: @Sendable (_ key: String, _ endpoint: String) -> JSONValue
    /// The fields that make the credential a wrong one.
    let wrongCredential: JSONValue
    /// File with the certificate authority to trust; nil for the system's.
    var authority: String?
    /// Sets what the location does not name, such as where its cloud is reached.
    var adapt: @Sendable (_ context: inout DriverContext, _ endpoint: String) -> Void = { _, _ in }
    /// Knows the drivers.
    var registry: any DriverRegistry = ArtifactDrivers()

    /// What a store may lack; a check that needs it does not count there.
    enum Ability: String, Sendable, CaseIterable {
        /// Objects can be removed.
        case delete
        /// Keys can be listed.
        case list
        /// Many objects can be one artifact.
        case directories
        /// Keys may hold any text.
        case anyKeys
        /// Keys may hold line breaks.
        case lineBreaks
        /// A read can begin in the middle.
        case ranges
        /// Nobody sees half an object.
        case wholeObjects
        /// Requests pass a network, where they can fail.
        case network
        /// These requests are not encrypted, so that a stand-in can answer them.
        case clearText
        /// A list holds what is below its key alone, and that of an absent key is an error.
        case strictLists
        /// Credentials are looked at.
        case credentials
    }

    /// A new bucket on a running server.
    ///
    /// - Throws: `ServerUnavailable` where this machine lacks the server.
    ///
    /// - Parameter bucket: one of the test's own, that need not be there; nil for a new one.
    static func s3(_ kind: ServerKind, bucket: String? = nil) async throws -> StoreUnderTest {
        let server = try await S3Server.shared(kind)
        let bucket = if let bucket { bucket } else { try await server.makeBucket() }
        var offers = Set(Ability.allCases)
        // It takes every signature, and its web framework no line break in a path.
        if kind == .moto { offers.subtract([.credentials, .lineBreaks]) }
        return StoreUnderTest(
            driver: "s3", server: kind.title, offers: offers, endpoint: server.endpoint, bucket: bucket,
            secrets: [
                "keys/access": server.accessKey + "\n", "keys/secret": server.secretKey + "\n", "keys/wrong": "not-the-secret",
                "keys/authority": server.authority ?? "",
            ],
            fields: s3Fields(bucket, isSecure: server.authority != nil),
            wrongCredential: ["secretKeySecret": ["name": "keys", "key": "wrong"]])
    }

    /// S3 at whatever endpoint a test names.
    static func s3Stub(bucket: String, secrets: [String: String]) -> StoreUnderTest {
        StoreUnderTest(
            driver: "s3", server: "stub", offers: [], endpoint: nil, bucket: bucket, secrets: secrets, fields: s3Fields(bucket),
            wrongCredential: [:])
    }

    private static func s3Fields(
        _ bucket: String, isSecure: Bool = false
    ) -> @Sendable (String, String) -> JSONValue {
        { key, endpoint in
            var fields: JSONValue = [
                "endpoint": .string(endpoint), "bucket": .string(bucket), "key": .string(key), "insecure": .bool(!isSecure),
                "accessKeySecret": ["name": "keys", "key": "access"], "secretKeySecret": ["name": "keys", "key": "secret"],
            ]
            if isSecure { fields["caSecret"] = ["name": "keys", "key": "authority"] }
            return fields
        }
    }

    /// The local store, which needs no server.
    static var localStore: StoreUnderTest {
        StoreUnderTest(
            driver: "s3", server: "local store",
            offers: Set(Ability.allCases).subtracting([.network, .clearText, .credentials]),
            endpoint: nil, bucket: "bucket", secrets: [:], fields: s3Fields("bucket"), wrongCredential: [:])
    }
}
