import Artifacts
import Documents

extension S3Driver: BatchDeletingDriver {
    package func canDeleteTogether(_ key: String) -> Bool {
        // XML cannot hold every key, and one with a slash at its end means what stands below it.
        !key.isEmpty && !key.hasSuffix("/") && XMLElement.escape(key) != nil && client.has(.deletionTogether)
    }

    package func deleteTogether(_ keys: [String]) throws -> [String: any Error]? {
        try S3Deletion(client: client, subject: "s3://\(client.endpoint.bucket)").errors(ofDeleting: keys)
    }
}
