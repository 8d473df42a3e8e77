package import Documents

/// A template that is one HTTP request (contract 04 §8).
package struct HTTPTemplate: Sendable, Equatable {
    package struct Header: Sendable, Equatable {
        package let name: String
        package let value: String
        /// Where the value comes from instead.
        package let secret: SecretKeySelector?
        /// Whether the value comes from elsewhere, a secret or not.
        package let hasSource: Bool
    }

    /// Empty for GET.
    package let method: String
    package let url: String
    package let headers: [Header]
    package let timeoutSeconds: Int?
    /// Empty for none.
    package let successCondition: String
    package let body: String
    /// The body in base64, which goes before `body`; nil where there is none.
    package let bodyBase64: String?
    package let skipsVerification: Bool

    /// - Throws: `ModelError` where a field is of the wrong kind.
    package init(document: JSONValue) throws(ModelError) {
        let fields = try Fields(document, "template.http")
        method = try fields.string("method")
        url = try fields.string("url")
        headers = try fields.list("headers") { (fields) throws(ModelError) in
            let source = try fields.object("valueFrom") { $0 }
            return Header(
                name: try fields.string("name"), value: try fields.string("value"),
                secret: try source?.selector("secretKeyRef"), hasSource: source != nil)
        }
        timeoutSeconds = try fields.integer("timeoutSeconds")
        successCondition = try fields.string("successCondition")
        body = try fields.string("body")
        let source = try fields.object("bodyFrom") { $0 }
        bodyBase64 = try source.map { (fields) throws(ModelError) in try fields.string("bytes") }
        skipsVerification = try fields.flag("insecureSkipVerify")
    }
}
