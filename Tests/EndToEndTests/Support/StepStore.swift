import Foundation
import TestSupport

/// A bucket of a test's own, with the words by which a template names it.
struct StepStore {
    static let secretName = "store-credentials"

    let server: S3Server
    let bucket: String

    /// Makes a bucket on the shared server of a kind.
    static func make(on kind: ServerKind = .seaweedFS) async throws -> StepStore {
        let server = try await S3Server.shared(kind)
        return StepStore(server: server, bucket: try await server.makeBucket())
    }

    /// The same bucket reached by another address.
    func reached(at endpoint: String) -> StepStore { StepStore(server: server.reached(at: endpoint), bucket: bucket) }

    /// The location of an object, complete, as the controller writes it into a template.
    func location(_ key: String, bucket: String? = nil) -> JSON {
        [
            "s3": [
                "endpoint": .string(server.endpoint), "bucket": .string(bucket ?? self.bucket), "insecure": true,
                "key": .string(key),
                "accessKeySecret": ["name": .string(Self.secretName), "key": "accesskey"],
                "secretKeySecret": ["name": .string(Self.secretName), "key": "secretkey"],
            ]
        ]
    }

    /// The credentials as a secret of the pod.
    var secrets: [String: [String: String]] {
        [Self.secretName: ["accesskey": server.accessKey, "secretkey": server.secretKey]]
    }

    /// An object's bytes; nil where there is none.
    func object(_ key: String) async throws -> [UInt8]? { try await server.get(bucket: bucket, key: key) }

    func put(_ bytes: [UInt8], _ key: String) async throws { try await server.put(bytes, bucket: bucket, key: key) }

    func keys() async throws -> [String] { try await server.keys(bucket: bucket) }
}
