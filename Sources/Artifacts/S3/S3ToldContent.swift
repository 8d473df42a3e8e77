import Artifacts
import Digests
import Encodings
import HTTPTransport

/// What the headers of the answer to a save tell of the bytes that the store received or holds.
struct S3ToldContent {
    /// Of the whole.
    private(set) var cyclic: [(algorithm: CyclicChecksum, value: UInt64)]
    private(set) var hashes: [(algorithm: HashAlgorithm, value: [UInt8])] = []
    /// Bytes.
    let length: Int64?

    init(_ response: HTTPResponse) {
        let headers = response.headers
        cyclic = S3Answer.cyclicChecksums(headers)
        length = headers["x-amz-object-size"].flatMap { Int64($0) }
        let named: [(HashAlgorithm, String)] = [(.sha256, "x-amz-checksum-sha256"), (.sha1, "x-amz-checksum-sha1")]
        for (algorithm, name) in named { add(algorithm, headers[name].flatMap(Base64.decode)) }
        // The header may be about the answer's own body.
        let ofAnswer = Base64.encode(Digest.hash(.md5, response.body))
        if headers["Content-MD5"] != ofAnswer { add(.md5, headers["Content-MD5"].flatMap(Base64.decode)) }
        for (name, value) in GoogleHash.all(headers) {
            if name == "md5" { add(.md5, value) }
            if name == "crc32c", let value = CyclicChecksum.crc32c.value(value) { cyclic.append((.crc32c, value)) }
        }
    }

    private mutating func add(_ algorithm: HashAlgorithm, _ value: [UInt8]?) {
        // Empty, or of another length, it tells nothing.
        guard let value, value.count == algorithm.length else { return }
        hashes.append((algorithm, value))
    }
}
