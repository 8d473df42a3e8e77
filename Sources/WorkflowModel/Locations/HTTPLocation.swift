import Documents

/// Something behind a URL (contract 03 §6.5).
package struct HTTPLocation: Sendable, Equatable {
    package let url: String
    package let headers: [Header]
    package let auth: Authentication?

    package struct Header: Sendable, Equatable {
        package let name: String
        package let value: String
    }

    package struct Authentication: Sendable, Equatable {
        package let basicAuth: BasicAuth
        package let oauth2: OAuth2
        package let clientCert: ClientCertificate
    }

    package struct BasicAuth: Sendable, Equatable {
        package let usernameSecret: SecretKeySelector?
        package let passwordSecret: SecretKeySelector?
    }

    /// In use where all three secrets are given.
    package struct OAuth2: Sendable, Equatable {
        package let clientIDSecret: SecretKeySelector?
        package let clientSecretSecret: SecretKeySelector?
        package let tokenURLSecret: SecretKeySelector?
        package let scopes: [String]
        package let endpointParams: [EndpointParameter]
    }

    package struct EndpointParameter: Sendable, Hashable {
        package let key: String
        package let value: String
    }

    /// In use where both secrets are given (PEM).
    package struct ClientCertificate: Sendable, Equatable {
        package let clientCertSecret: SecretKeySelector?
        package let clientKeySecret: SecretKeySelector?
    }

    init(_ fields: Fields) throws(ModelError) {
        url = try fields.string("url")
        headers = try fields.list("headers") { (fields) throws(ModelError) in
            Header(name: try fields.string("name"), value: try fields.string("value"))
        }
        auth = try fields.object("auth") { (fields) throws(ModelError) in try Authentication(fields) }
    }
}

extension HTTPLocation.Authentication {
    fileprivate init(_ fields: Fields) throws(ModelError) {
        let empty = try Fields([:], fields.path)
        let basic = try fields.object("basicAuth") { $0 } ?? empty
        basicAuth = .init(
            usernameSecret: try basic.selector("usernameSecret"), passwordSecret: try basic.selector("passwordSecret"))
        let oauth = try fields.object("oauth2") { $0 } ?? empty
        oauth2 = .init(
            clientIDSecret: try oauth.selector("clientIDSecret"), clientSecretSecret: try oauth.selector("clientSecretSecret"),
            tokenURLSecret: try oauth.selector("tokenURLSecret"), scopes: try oauth.strings("scopes"),
            endpointParams: try oauth.list("endpointParams") { (fields) throws(ModelError) in
                .init(key: try fields.string("key"), value: try fields.string("value"))
            })
        let certificate = try fields.object("clientCert") { $0 } ?? empty
        clientCert = .init(
            clientCertSecret: try certificate.selector("clientCertSecret"),
            clientKeySecret: try certificate.selector("clientKeySecret"))
    }
}
