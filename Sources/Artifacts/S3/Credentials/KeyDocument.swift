import Artifacts
import Documents
import RequestSigning
import SystemSupport

/// Keys as JSON, as metadata services and credential processes tell them. Nothing of such a document gets into a message.
struct KeyDocument {
    private let document: JSONValue

    init(_ bytes: [UInt8]) throws(CredentialFailure) {
        // The reader's own error might quote what it read.
        guard let document = try? JSONValue(parsing: bytes), document.object != nil else {
            throw .invalid("the response is not a JSON object")
        }
        self.document = document
    }

    subscript(name: String) -> String? { document.field(name)?.string }

    func number(_ name: String) -> Int64? { document.field(name)?.int }

    /// - Parameter token: the name of the session token's member.
    func keys(token: String) throws(CredentialFailure) -> IssuedCredential<SigV4.Credential> {
        guard let access = self["AccessKeyId"], !access.isEmpty, let secret = self["SecretAccessKey"], !secret.isEmpty else {
            throw .invalid("the response has no AccessKeyId or SecretAccessKey")
        }
        let session = self[token].flatMap { $0.isEmpty ? nil : Secret($0) }
        return IssuedCredential(
            SigV4.Credential(accessKey: access, secretKey: Secret(secret), sessionToken: session),
            expiry: try Self.expiry(self["Expiration"]))
    }

    /// - Returns: nil for a text that is absent or empty.
    static func expiry(_ text: String?) throws(CredentialFailure) -> Timestamp? {
        guard let text, !text.isEmpty else { return nil }
        guard let expiry = Timestamp(rfc3339: text) else { throw .invalid("the time when it expires is not RFC 3339") }
        return expiry
    }
}
