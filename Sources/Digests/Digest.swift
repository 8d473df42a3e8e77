import CCrypto

/// The hash functions that stores ask for.
package enum HashAlgorithm: Sendable {
    case md5, sha1, sha256

    /// Length of the hash in bytes.
    package var length: Int {
        switch self {
        case .md5: 16
        case .sha1: 20
        case .sha256: 32
        }
    }

    fileprivate var method: OpaquePointer? {
        switch self {
        case .md5: unsafe EVP_md5()
        case .sha1: unsafe EVP_sha1()
        case .sha256: unsafe EVP_sha256()
        }
    }
}

/// A hash over bytes that come piece by piece. Not thread-safe.
@safe
package final class Digest {
    private let context: OpaquePointer
    private let algorithm: HashAlgorithm

    package init(_ algorithm: HashAlgorithm) {
        guard let context = unsafe EVP_MD_CTX_new() else { fatalError("out of memory") }
        unsafe self.context = context
        self.algorithm = algorithm
        unsafe precondition(EVP_DigestInit_ex(context, algorithm.method, nil) == 1, "libcrypto has no such hash function")
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    package func update(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBytes { buffer in
            unsafe precondition(EVP_DigestUpdate(context, buffer.baseAddress, buffer.count) == 1, "libcrypto cannot hash")
        }
    }

    /// The hash of all bytes so far; the object is ready for a new message afterwards.
    package func finish() -> [UInt8] {
        let hash = unsafe [UInt8](unsafeUninitializedCapacity: algorithm.length) { buffer, count in
            var length: UInt32 = 0
            unsafe precondition(EVP_DigestFinal_ex(context, buffer.baseAddress, &length) == 1, "libcrypto cannot hash")
            count = Int(length)
        }
        unsafe precondition(EVP_DigestInit_ex(context, algorithm.method, nil) == 1, "libcrypto has no such hash function")
        return hash
    }

    /// The hash of one message.
    package static func hash(_ algorithm: HashAlgorithm, _ bytes: Span<UInt8>) -> [UInt8] {
        let digest = Digest(algorithm)
        digest.update(bytes)
        return digest.finish()
    }

    package static func hash(_ algorithm: HashAlgorithm, _ bytes: [UInt8]) -> [UInt8] { hash(algorithm, bytes.span) }

    package static func hash(_ algorithm: HashAlgorithm, _ text: String) -> [UInt8] { hash(algorithm, Array(text.utf8)) }
}

/// Keyed hashes (RFC 2104).
package enum MessageCode {
    package static func hmac(_ algorithm: HashAlgorithm, key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: algorithm.length) { buffer, count in
            var length: UInt32 = 0
            let code = unsafe HMAC(
                algorithm.method, key, Int32(key.count), message, message.count, buffer.baseAddress, &length)
            unsafe precondition(code != nil, "libcrypto cannot compute a keyed hash")
            count = Int(length)
        }
    }

    package static func hmac(_ algorithm: HashAlgorithm, key: [UInt8], _ message: String) -> [UInt8] {
        hmac(algorithm, key: key, Array(message.utf8))
    }
}
