import Documents
import Foundation
import TestSupport

extension StoreUnderTest {
    /// As the conformance table calls a door of nginx.
    static func title(of door: WebServer.Door) -> String {
        let protection =
            switch door {
            case .plain: ""
            case .basic: ", basic"
            case .bearer: ", OAuth2"
            case .certificate: ", client certificate"
            case .tls, .bearerCertificate, .expired, .otherName, .otherAuthority, .oldProtocol: ", TLS"
            }
        return ServerKind.nginx.title + protection
    }

    /// A new folder of nginx, behind a door.
    ///
    /// - Throws: `ServerUnavailable` where this machine lacks nginx.
    static func http(_ door: WebServer.Door) async throws -> StoreUnderTest {
        let server = try await WebServer.shared()
        let wrong = HTTPFixture.selector("wrong")
        let (auth, wrongAuth): (JSONValue, JSONValue)
        switch door {
        case .basic:
            auth = HTTPFixture.basicAuth
            wrongAuth = ["basicAuth": ["usernameSecret": HTTPFixture.selector("user"), "passwordSecret": wrong]]
        case .bearer:
            var oauth2 = HTTPFixture.oauth2
            auth = ["oauth2": oauth2]
            oauth2["clientSecretSecret"] = wrong
            wrongAuth = ["oauth2": oauth2]
        case .certificate: (auth, wrongAuth) = (["clientCert": HTTPFixture.clientCert], [:])
        default: (auth, wrongAuth) = ([:], [:])
        }
        var offers = abilities
        if door.isSecure { offers.remove(.clearText) }
        if [.plain, .tls].contains(door) { offers.remove(.credentials) }
        let folder = server.makeFolder()
        return StoreUnderTest(
            driver: "http", server: title(of: door), offers: offers, endpoint: server.endpoint(door), bucket: folder,
            secrets: try secrets(server),
            fields: { key, endpoint in
                ["url": .string(url(endpoint, folder, key, isSecure: door.isSecure)), "auth": auth]
            }, wrongCredential: ["auth": wrongAuth], authority: server.authority)
    }

    /// A new folder of nginx, which stands for Artifactory's way of giving and taking files.
    ///
    /// - Throws: `ServerUnavailable` where this machine lacks nginx.
    static func artifactory() async throws -> StoreUnderTest {
        let server = try await WebServer.shared()
        let folder = server.makeFolder()
        return StoreUnderTest(
            driver: "artifactory", server: ServerKind.nginx.title, offers: abilities, endpoint: server.endpoint(.basic),
            bucket: folder, secrets: try secrets(server),
            fields: { key, endpoint in
                [
                    "url": .string(url(endpoint, folder, key, isSecure: false)),
                    "usernameSecret": HTTPFixture.selector("user"), "passwordSecret": HTTPFixture.selector("password"),
                ]
            }, wrongCredential: ["passwordSecret": HTTPFixture.selector("wrong")])
    }

    /// What can be asked of a web server: nothing but one file at a time.
    private static let abilities = Set(Ability.allCases).subtracting([.delete, .list, .directories])

    private static func secrets(_ server: WebServer) throws -> [String: String] {
        [
            "web/user": server.user, "web/password": server.password + "\n", "web/wrong": "not-the-secret",
            "web/id": server.clientID, "web/secret": server.clientSecret + "\n",
            "web/token": "http://\(server.helper)/token/basic\n", "web/certificate": try server.pem("client.crt"),
            "web/key": try server.pem("client.key"),
        ]
    }

    private static func url(_ endpoint: String, _ folder: String, _ key: String, isSecure: Bool) -> String {
        let path = key.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed.subtracting(["#", "?", "%"])) ?? ""
        return "\(isSecure ? "https" : "http")://\(endpoint)/\(folder)/\(path)"
    }
}
