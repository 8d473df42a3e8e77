import Artifacts
import Digests
import Documents
import Encodings
import Synchronization
import SystemSupport
import WorkflowModel

/// How a store is asked to encrypt objects (contract 03 §6.1).
enum S3Encryption: Sendable {
    case none
    /// With a key of the store's own.
    case store
    /// With a key of the key management service.
    case managed(keyID: String, contextHeader: String?)
    /// With a key that we bring along with every request.
    case customer(S3CustomerKeys)

    /// What a request does with an object.
    enum Use {
        /// PUT of a whole object, or the beginning of one in parts.
        case create
        case putPart
        /// The end of an upload in parts that carry checksums: Amazon's documentation of CompleteMultipartUpload asks for the key then.
        case complete
        case read
    }

    /// What a request for an object says of encryption.
    ///
    /// - Throws: where the object's own key cannot be derived.
    func headers(for use: Use, key: [UInt8]) throws -> [(name: String, value: String)] {
        switch self {
        case .none: return []
        case .store: return use == .create ? [("x-amz-server-side-encryption", "AES256")] : []
        case .managed(let keyID, let context):
            guard use == .create else { return [] }
            var headers = [
                (name: "x-amz-server-side-encryption", value: "aws:kms"),
                (name: "x-amz-server-side-encryption-aws-kms-key-id", value: keyID),
            ]
            if let context { headers.append(("x-amz-server-side-encryption-context", context)) }
            return headers
        case .customer(let keys): return try keys.headers(key)
        }
    }

    /// What a bucket that we made is to do with objects that say nothing; nil for nothing.
    var bucketRule: (algorithm: String, keyID: String?)? {
        switch self {
        case .none: nil
        case .store, .customer: ("AES256", nil)
        case .managed(let keyID, _): ("aws:kms", keyID)
        }
    }
}

extension S3Encryption {
    /// The encryption that a location asks for; reads the secret that it names, and finds its faults, also where encryption is off.
    ///
    /// - Throws: `ArtifactError` (`invalid`) for settings that exclude each other.
    init(_ location: S3Location, _ secrets: SecretFiles, isSecure: Bool) throws {
        self = .none
        guard let options = location.encryptionOptions else { return }
        let password = try options.serverSideCustomerKeySecret.map { try secrets.read($0) }.flatMap { $0.isEmpty ? nil : $0 }
        if password != nil, !options.kmsKeyId.isEmpty {
            throw ArtifactError.invalid(
                "use", "s3.encryptionOptions", "kmsKeyId and serverSideCustomerKeySecret cannot be set together")
        }
        if password != nil, !isSecure {
            throw ArtifactError.invalid("use", "s3.encryptionOptions", "serverSideCustomerKeySecret needs HTTPS")
        }
        guard options.enableEncryption else { return }
        if let password {
            self = .customer(S3CustomerKeys(password: password, bucket: location.bucket))
        } else if !options.kmsKeyId.isEmpty {
            self = .managed(keyID: options.kmsKeyId, contextHeader: try Self.contextHeader(options.kmsEncryptionContext))
        } else {
            self = .store
        }
    }

    /// The reference encodes twice, with the quotes of a JSON text in between; a store compares what it is sent.
    private static func contextHeader(_ text: String) throws -> String? {
        if text.isEmpty { return nil }
        let document: JSONValue
        do { document = try JSONValue(parsing: text) } catch {
            throw ArtifactError.invalid(
                "use", "s3.encryptionOptions.kmsEncryptionContext", "not valid JSON: \(errorText(error))")
        }
        return Base64.encode(Array("\"\(Base64.encode(document.serialized()))\"".utf8))
    }
}

/// The keys that objects of a bucket are encrypted with: one for each, made from one password.
final class S3CustomerKeys: Sendable {
    private struct Derived {
        let object: [UInt8]
        let key: Secret
    }
    private let password: Secret
    private let bucket: String
    /// The last ones, newest last: parts and ranges of an object ask for the same key again and again.
    private let derived = Mutex<[Derived]>([])

    private static let cost = Argon2id.Cost(passes: 1, memory: 64 << 10, lanes: 4, keyLength: 32)
    private static let limit = 64

    init(password: Secret, bucket: String) {
        self.password = password
        self.bucket = bucket
    }

    fileprivate func headers(_ object: [UInt8]) throws -> [(name: String, value: String)] {
        let key = try key(object).reveal()
        return [
            ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
            ("x-amz-server-side-encryption-customer-key", Base64.encode(key)),
            ("x-amz-server-side-encryption-customer-key-MD5", Base64.encode(Digest.hash(.md5, key))),
        ]
    }

    /// The key of an object, by its full key in the bucket.
    func key(_ object: [UInt8]) throws -> Secret {
        try derived.withLock { derived in
            if let known = derived.last(where: { $0.object == object }) { return known.key }
            let salt = Array(bucket.utf8) + object
            guard salt.count >= Argon2id.shortestSalt else {
                throw ArtifactError.invalid(
                    "derive the key of", "s3://\(bucket)/\(String(decoding: object, as: UTF8.self))",
                    "bucket and key together must have \(Argon2id.shortestSalt) bytes for encryption with a customer's key")
            }
            let key = try Argon2id.key(password: password, salt: salt, cost: Self.cost)
            if derived.count >= Self.limit { derived.removeFirst(Self.limit / 2) }
            derived.append(Derived(object: object, key: key))
            return key
        }
    }
}
