/// An object in an S3 store, or a directory of them (contract 03 §6.1).
package struct S3Location: Sendable, Equatable {
    /// `host[:port]`, without a scheme.
    package let endpoint: String
    package let bucket: String
    package let key: String
    /// Empty: to be found out.
    package let region: String
    /// True for plain HTTP.
    package let insecure: Bool?
    package let accessKeySecret: SecretKeySelector?
    package let secretKeySecret: SecretKeySelector?
    package let sessionTokenSecret: SecretKeySelector?
    package let roleARN: String
    package let useSDKCreds: Bool
    /// Its presence alone asks for the bucket to be made.
    package let createBucketIfNotPresent: BucketCreation?
    package let encryptionOptions: Encryption?
    /// PEM; the only trusted roots where it is given.
    package let caSecret: SecretKeySelector?
    package let addressingStyle: AddressingStyle

    package struct BucketCreation: Sendable, Equatable {
        package let objectLocking: Bool
    }

    package struct Encryption: Sendable, Equatable {
        package let kmsKeyId: String
        /// JSON text.
        package let kmsEncryptionContext: String
        package let enableEncryption: Bool
        package let serverSideCustomerKeySecret: SecretKeySelector?
    }

    /// Unknown styles count as automatic, as in the reference.
    package enum AddressingStyle: String, Sendable {
        case automatic = ""
        case path
        case virtualHosted = "virtual-hosted"
    }

    init(_ fields: Fields) throws(ModelError) {
        endpoint = try fields.string("endpoint")
        bucket = try fields.string("bucket")
        key = try fields.string("key")
        region = try fields.string("region")
        insecure = try fields.optionalFlag("insecure")
        accessKeySecret = try fields.selector("accessKeySecret")
        secretKeySecret = try fields.selector("secretKeySecret")
        sessionTokenSecret = try fields.selector("sessionTokenSecret")
        roleARN = try fields.string("roleARN")
        useSDKCreds = try fields.flag("useSDKCreds")
        createBucketIfNotPresent = try fields.object("createBucketIfNotPresent") { (fields) throws(ModelError) in
            BucketCreation(objectLocking: try fields.flag("objectLocking"))
        }
        encryptionOptions = try fields.object("encryptionOptions") { (fields) throws(ModelError) in
            Encryption(
                kmsKeyId: try fields.string("kmsKeyId"), kmsEncryptionContext: try fields.string("kmsEncryptionContext"),
                enableEncryption: try fields.flag("enableEncryption"),
                serverSideCustomerKeySecret: try fields.selector("serverSideCustomerKeySecret"))
        }
        caSecret = try fields.selector("caSecret")
        addressingStyle = AddressingStyle(rawValue: try fields.string("addressingStyle")) ?? .automatic
    }
}
