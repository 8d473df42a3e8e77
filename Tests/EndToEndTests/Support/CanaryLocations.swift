import Foundation
import TestSupport

/// A location every secret of which is a canary: one line for each way in which a driver takes its secrets.
struct CanaryLocation: Sendable {
    typealias Behaviour = CanaryServers.Behaviour

    let name: String
    /// The server's ways that tell something new of this location; one where the driver never speaks to the server.
    let behaviours: [Behaviour]
    /// Variables of the run, which hold secrets too.
    private let environment: [String: String]
    /// Whether the run must be one of its own.
    var needsEnvironment: Bool { !environment.isEmpty }
    private let location: @Sendable (_ endpoint: String, _ isSecure: Bool) -> JSON

    /// The location at a server that behaves so, as the fields of an artifact.
    func fields(_ servers: CanaryServers, _ behaviour: Behaviour) -> JSON {
        location(servers.endpoint(behaviour), CanaryServers.isSecure(behaviour))
    }

    /// The environment for a server that behaves so.
    func environment(_ servers: CanaryServers, _ behaviour: Behaviour) -> [String: String] {
        environment.mapValues { $0.replacing("ENDPOINT", with: servers.endpoint(behaviour)) }
    }

    init(
        _ name: String, behaviours: [Behaviour] = Behaviour.allCases, environment: [String: String] = [:],
        _ location: @escaping @Sendable (_ endpoint: String, _ isSecure: Bool) -> JSON
    ) {
        self.name = name
        self.behaviours = behaviours
        self.environment = environment
        self.location = location
    }

    /// The one secret that the locations name: each key with a canary of its own.
    static func secrets(_ servers: CanaryServers, _ behaviour: Behaviour) -> [String: String] {
        var secrets: [String: String] = [:]
        for key in [
            "accessKey", "secretKey", "sessionToken", "authority", "customerKey", "user", "password", "clientID",
            "clientSecret", "accountKey", "credentialCache", "keytab",
        ] {
            secrets[key] = Canary.named(key) + "\n"
        }
        let inside = Data(Canary.named("PEM").utf8).base64EncodedString()
        for (key, kind) in [("certificate", "CERTIFICATE"), ("key", "PRIVATE KEY"), ("sshKey", "OPENSSH PRIVATE KEY")] {
            secrets[key] = "\(Canary.named(key))\n-----BEGIN \(kind)-----\n\(inside)\n-----END \(kind)-----\n"
        }
        secrets["serviceAccount"] = #"{"type":"service_account","private_key":"\#(Canary.named("ServiceAccount"))"}"#
        let path = "\(Canary.named("TokenPath"))?key=\(Canary.named("TokenQuery"))"
        let scheme = CanaryServers.isSecure(behaviour) ? "https" : "http"
        secrets["tokenURL"] = "\(scheme)://\(servers.endpoint(behaviour))/\(path)"
        secrets["goodTokenURL"] = "http://\(servers.endpoint(.succeeding))/\(path)"
        return secrets
    }

    static func selector(_ key: String) -> JSON { ["name": "canaries", "key": .string(key)] }

    private static func url(_ endpoint: String, _ isSecure: Bool, user: String = "", query: String = "") -> JSON {
        .string("\(isSecure ? "https" : "http")://\(user)\(endpoint)/folder/file\(query)")
    }

    private static func s3(_ endpoint: String, _ isSecure: Bool, _ more: JSON = [:]) -> JSON {
        var fields: JSON = [
            "endpoint": .string(endpoint), "bucket": "bucket", "key": "folder/file", "region": "us-east-1",
            "insecure": .bool(!isSecure), "accessKeySecret": selector("accessKey"), "secretKeySecret": selector("secretKey"),
            "sessionTokenSecret": selector("sessionToken"),
        ]
        for name in more.names { fields[name] = more[name] }
        return ["s3": fields]
    }

    private static func oauth2(_ tokenURL: JSON) -> JSON {
        [
            "oauth2": [
                "clientIDSecret": selector("clientID"), "clientSecretSecret": selector("clientSecret"),
                "tokenURLSecret": tokenURL, "scopes": ["all"],
                "endpointParams": [["key": "audience", "value": .string(Canary.written("Audience"))]],
            ]
        ]
    }

    static let all: [CanaryLocation] = [
        // S3
        CanaryLocation("s3") { s3($0, $1) },
        CanaryLocation("s3-authority", behaviours: [.untrusted]) { endpoint, _ in
            s3(endpoint, true, ["caSecret": selector("authority")])
        },
        CanaryLocation("s3-customer-key", behaviours: [.refusing403, .untrusted]) {
            s3(
                $0, $1,
                ["encryptionOptions": ["enableEncryption": true, "serverSideCustomerKeySecret": selector("customerKey")]])
        },
        CanaryLocation("s3-kms", behaviours: [.refusing403]) { endpoint, isSecure in
            let context = "{\"context\":\"\(Canary.written("Context"))\"}"
            return s3(
                endpoint, isSecure,
                [
                    "encryptionOptions": [
                        "enableEncryption": true, "kmsKeyId": "k", "kmsEncryptionContext": .string(context),
                    ]
                ])
        },
        CanaryLocation(
            "s3-environment", behaviours: [.succeeding, .refusing403],
            environment: [
                "AWS_ACCESS_KEY_ID": Canary.named("EnvironmentID"), "AWS_SECRET_ACCESS_KEY": Canary.named("EnvironmentKey"),
                "AWS_SESSION_TOKEN": Canary.named("EnvironmentToken"),
            ]
        ) {
            s3($0, $1, ["accessKeySecret": .null, "secretKeySecret": .null, "sessionTokenSecret": .null, "useSDKCreds": true])
        },
        CanaryLocation(
            "s3-assumed-role", behaviours: [.refusing403],
            environment: [
                "AWS_ACCESS_KEY_ID": Canary.named("EnvironmentID"), "AWS_SECRET_ACCESS_KEY": Canary.named("EnvironmentKey"),
                "AWS_ENDPOINT_URL_STS": "http://ENDPOINT",
            ]
        ) {
            s3(
                $0, $1,
                [
                    "accessKeySecret": .null, "secretKeySecret": .null, "sessionTokenSecret": .null,
                    "roleARN": "arn:aws:iam::123456789012:role/r",
                ])
        },
        CanaryLocation(
            "s3-web-identity", behaviours: [.refusing403, .closed],
            environment: [
                "AWS_WEB_IDENTITY_TOKEN_FILE": "/argo/secret/canaries/sessionToken",
                "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/r", "AWS_ENDPOINT_URL_STS": "http://ENDPOINT",
            ]
        ) {
            s3($0, $1, ["accessKeySecret": .null, "secretKeySecret": .null, "sessionTokenSecret": .null, "useSDKCreds": true])
        },
        CanaryLocation(
            "s3-container", behaviours: [.refusing403],
            environment: [
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://ENDPOINT/credentials",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": Canary.named("ContainerToken"),
            ]
        ) {
            s3($0, $1, ["accessKeySecret": .null, "secretKeySecret": .null, "sessionTokenSecret": .null, "useSDKCreds": true])
        },
        // HTTP
        CanaryLocation("http-basic") { endpoint, isSecure in
            [
                "http": [
                    "url": url(endpoint, isSecure),
                    "auth": ["basicAuth": ["usernameSecret": selector("user"), "passwordSecret": selector("password")]],
                ]
            ]
        },
        CanaryLocation("http-headers") { endpoint, isSecure in
            [
                "http": [
                    "url": url(endpoint, isSecure),
                    "headers": [
                        ["name": "Authorization", "value": .string("Bearer \(Canary.written("Bearer"))")],
                        ["name": "X-Api-Key", "value": .string(Canary.written("ApiKey"))],
                        ["name": "Cookie", "value": .string("session=\(Canary.written("Cookie"))")],
                    ],
                ]
            ]
        },
        CanaryLocation("http-bad-header", behaviours: [.succeeding]) { endpoint, isSecure in
            let value = "\(Canary.written("BadHeader"))\r\nX: \(Canary.written("BadHeader"))"
            return ["http": ["url": url(endpoint, isSecure), "headers": [["name": "X-Key", "value": .string(value)]]]]
        },
        CanaryLocation("http-url") { endpoint, isSecure in
            [
                "http": [
                    "url": url(
                        endpoint, isSecure, user: "\(Canary.written("URLUser")):\(Canary.written("URLPassword"))@",
                        query:
                            "?X-Amz-Signature=\(Canary.written("Signature"))&sig=\(Canary.written("Sig"))#\(Canary.written("Fragment"))"
                    )
                ]
            ]
        },
        CanaryLocation("http-bad-url", behaviours: [.succeeding]) { _, _ in
            let word = Canary.written("BadURL")
            return ["http": ["url": .string("http://\(word):\(word)@ho st:99999999/?sig=\(word)")]]
        },
        CanaryLocation("http-oauth2", behaviours: [.succeeding, .refusing401, .refusing403, .redirecting, .untrusted]) {
            ["http": ["url": url($0, $1), "auth": oauth2(selector("goodTokenURL"))]]
        },
        CanaryLocation("http-token-endpoint") { endpoint, isSecure in
            ["http": ["url": "http://127.0.0.1:9/f", "auth": oauth2(selector("tokenURL"))]]
        },
        CanaryLocation("http-certificate", behaviours: [.untrusted]) { endpoint, _ in
            [
                "http": [
                    "url": url(endpoint, true),
                    "auth": ["clientCert": ["clientCertSecret": selector("certificate"), "clientKeySecret": selector("key")]],
                ]
            ]
        },
        CanaryLocation(
            "http-proxy", behaviours: [.refusing403, .closed],
            environment: ["HTTP_PROXY": "http://proxy:\(Canary.named("ProxyPassword"))@ENDPOINT"]
        ) { _, _ in ["http": ["url": "http://store.invalid/f"]] },
        // Others
        CanaryLocation("artifactory") { endpoint, isSecure in
            [
                "artifactory": [
                    "url": url(endpoint, isSecure, query: "?sig=\(Canary.written("Sig"))"), "usernameSecret": selector("user"),
                    "passwordSecret": selector("password"),
                ]
            ]
        },
        CanaryLocation("gcs", behaviours: [.refusing403]) { _, _ in
            ["gcs": ["bucket": "b", "key": "k", "serviceAccountKeySecret": selector("serviceAccount")]]
        },
        CanaryLocation("azure", behaviours: [.refusing403, .closed]) { endpoint, _ in
            [
                "azure": [
                    "endpoint": .string("http://\(endpoint)/account"), "container": "c", "blob": "b",
                    "accountKeySecret": selector("accountKey"),
                ]
            ]
        },
        CanaryLocation("oss", behaviours: [.refusing403, .closed]) { endpoint, _ in
            [
                "oss": [
                    "endpoint": .string(endpoint), "bucket": "b", "key": "k", "accessKeySecret": selector("accessKey"),
                    "secretKeySecret": selector("secretKey"), "securityToken": .string(Canary.written("SecurityToken")),
                ]
            ]
        },
        CanaryLocation("git", behaviours: [.refusing401, .closed]) { endpoint, isSecure in
            let user = "\(Canary.written("RepoUser")):\(Canary.written("RepoPassword"))@"
            return [
                "git": [
                    "repo": url(endpoint, isSecure, user: user), "usernameSecret": selector("user"),
                    "passwordSecret": selector("password"),
                    "sshPrivateKeySecret": selector("sshKey"),
                ]
            ]
        },
        CanaryLocation("hdfs", behaviours: [.refusing403]) { endpoint, _ in
            [
                "hdfs": [
                    "addresses": [.string(endpoint)], "path": "/p", "krbCCacheSecret": selector("credentialCache"),
                    "krbKeytabSecret": selector("keytab"), "krbUsername": "u", "krbRealm": "R",
                ]
            ]
        },
        CanaryLocation("plugin", behaviours: [.closed], environment: ["ARGOEXEC_PLUGIN_WAIT": "100ms"]) { _, _ in
            ["plugin": ["name": "p", "key": "k", "configuration": .string("{\"token\":\"\(Canary.written("Plugin"))\"}")]]
        },
    ]
}
