import Encodings
package import SystemSupport

/// Text as forms encode it (`application/x-www-form-urlencoded`): what token endpoints are sent.
package enum FormEncoding {
    package static func encode(_ value: Secret) -> String {
        value.reveal().split(separator: 0x20, omittingEmptySubsequences: false)
            .map { PercentEncoding.encode(Array($0)) }.joined(separator: "+")
    }

    package static func encode(_ fields: [(name: String, value: Secret)]) -> String {
        fields.map { "\(encode(Secret($0.name)))=\(encode($0.value))" }.joined(separator: "&")
    }
}
