import Encodings
package import HTTPTransport

/// Google's header for the checksums of an object, with its own interface and with that of S3: `crc32c=BASE64,md5=BASE64`, once or
/// in several (Cloud Storage, "x-goog-hash").
package enum GoogleHash {
    /// Those that can be read, in their order.
    package static func all(_ headers: HTTPHeaders) -> [(name: String, value: [UInt8])] {
        headers.all("x-goog-hash").flatMap { $0.split(separator: ",") }.compactMap { item in
            let parts = item.filter { $0 != " " }.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let value = Base64.decode(parts[1]) else { return nil }
            return (parts[0], value)
        }
    }
}
