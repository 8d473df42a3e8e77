package import SystemSupport

/// An object in Google Cloud Storage (contract 03 §6.2).
package struct GCSLocation: Sendable, Equatable {
    package let bucket: String
    package let key: String
    package let serviceAccountKeySecret: SecretKeySelector?

    init(_ fields: Fields) throws(ModelError) {
        bucket = try fields.string("bucket")
        key = try fields.string("key")
        serviceAccountKeySecret = try fields.selector("serviceAccountKeySecret")
    }
}

/// A blob in Azure's storage (contract 03 §6.3).
package struct AzureLocation: Sendable, Equatable {
    /// The account's URL; may have a path.
    package let endpoint: String
    package let container: String
    package let blob: String
    package let accountKeySecret: SecretKeySelector?
    package let useSDKCreds: Bool

    init(_ fields: Fields) throws(ModelError) {
        endpoint = try fields.string("endpoint")
        container = try fields.string("container")
        blob = try fields.string("blob")
        accountKeySecret = try fields.selector("accountKeySecret")
        useSDKCreds = try fields.flag("useSDKCreds")
    }
}

/// An object in Alibaba's OSS (contract 03 §6.4).
package struct OSSLocation: Sendable, Equatable {
    package let endpoint: String
    package let bucket: String
    package let key: String
    package let accessKeySecret: SecretKeySelector?
    package let secretKeySecret: SecretKeySelector?
    /// The token itself, not a selector.
    package let securityToken: Secret
    package let useSDKCreds: Bool
    package let createBucketIfNotPresent: Bool
    package let lifecycleRule: LifecycleRule?

    package struct LifecycleRule: Sendable, Equatable {
        package let markInfrequentAccessAfterDays: Int
        package let markDeletionAfterDays: Int
    }

    init(_ fields: Fields) throws(ModelError) {
        endpoint = try fields.string("endpoint")
        bucket = try fields.string("bucket")
        key = try fields.string("key")
        accessKeySecret = try fields.selector("accessKeySecret")
        secretKeySecret = try fields.selector("secretKeySecret")
        securityToken = Secret(try fields.string("securityToken"))
        useSDKCreds = try fields.flag("useSDKCreds")
        createBucketIfNotPresent = try fields.flag("createBucketIfNotPresent")
        lifecycleRule = try fields.object("lifecycleRule") { (fields) throws(ModelError) in
            LifecycleRule(
                markInfrequentAccessAfterDays: try fields.integer("markInfrequentAccessAfterDays") ?? 0,
                markDeletionAfterDays: try fields.integer("markDeletionAfterDays") ?? 0)
        }
    }
}
