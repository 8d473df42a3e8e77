import Foundation
import HTTPTransport
import RequestSigning
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts
@testable import S3Artifacts

/// AWS's shared files.
@Suite struct ProfileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func path(_ name: String) -> String { folder.url.appending(path: name).path }

    /// The default chain over two files; instance metadata are switched off.
    private func chain(
        config: String? = nil, credentials: String? = nil, _ more: [String: String] = [:], region: String? = nil
    ) throws -> CredentialChain<SigV4.Credential> {
        if let config { try folder.write(Data(config.utf8), to: "config") }
        if let credentials { try folder.write(Data(credentials.utf8), to: "credentials") }
        let variables = [
            "AWS_CONFIG_FILE": path("config"), "AWS_SHARED_CREDENTIALS_FILE": path("credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
        ].merging(more) { $1 }
        return AWSCredentials(
            AWSEnvironment(Environment(variables)), clients: HTTPClients(HTTPClientConfiguration()), region: region
        ).defaultChain
    }

    private func message(_ chain: CredentialChain<SigV4.Credential>) -> String { failureText { try chain.fetch() } }

    @Test func readsKeysOfTheDefaultProfile() throws {
        let chain = try chain(
            credentials: """
                # a comment
                ; another
                [other]
                aws_access_key_id = AK2
                aws_secret_access_key = SK2

                [default]
                AWS_ACCESS_KEY_ID=AK1  ; said so
                aws_secret_access_key =  S#K;1=== \t
                aws_session_token = ST1 # until noon
                """)
        #expect(names(try chain.fetch()) == ["AK1", "S#K;1===", "ST1"])
        #expect(chain.name == "profile 'default'")
    }

    @Test func mergesBothFilesAndPrefersTheCredentials() throws {
        let config = """
            [default]
            aws_access_key_id = AK0
            aws_secret_access_key = SK0
            region = r0
            [profile default]
            aws_access_key_id = AK1
            aws_secret_access_key = SK1
            [profile both]
            aws_access_key_id = AK2
            aws_secret_access_key = SK2
            aws_session_token = ST2
            s3 =
              aws_access_key_id = nested
              addressing_style = path
            [profile\tconfig]
            aws_access_key_id = AK3
            aws_secret_access_key = SK3
            [unprefixed]
            aws_access_key_id = AK4
            aws_secret_access_key = SK4
            """
        let credentials = """
            [both]
            aws_access_key_id = AK5
            aws_secret_access_key = SK5
            """
        for (profile, keys) in [
            ("default", ["AK1", "SK1", nil]), ("both", ["AK5", "SK5", nil]), ("config", ["AK3", "SK3", nil]),
        ] {
            #expect(names(try chain(config: config, credentials: credentials, ["AWS_PROFILE": profile]).fetch()) == keys)
        }
        let missing = try chain(config: config, credentials: credentials, ["AWS_DEFAULT_PROFILE": "unprefixed"])
        #expect(message(missing) == "the shared files have no such profile")
        #expect(missing.name == "profile 'unprefixed'")
    }

    /// As editors and password managers write them, and as the reference's library reads them.
    @Test(arguments: [
        "[default]\n    aws_access_key_id = AK\n    aws_secret_access_key = SK\n",
        "[default]\n\taws_access_key_id=AK\n\t\taws_secret_access_key=SK\n",
        "[default]\nregion = eu-west-1\n aws_access_key_id = AK\n aws_secret_access_key = SK\n",
        "[default]\n\n  # keys\n  aws_access_key_id = AK # new\n\n  aws_secret_access_key = SK\n",
        "  [default]\n  aws_access_key_id = AK\n  aws_secret_access_key = SK\n",
        "[default]\ns3 =\n  aws_access_key_id = nested\n  x = y\naws_access_key_id = AK\n  aws_secret_access_key = SK\n",
        "[other]\ns3 =\n[default]\n  aws_access_key_id = AK\n  aws_secret_access_key = SK\n",
        "[default]\naws_access_key_id: AK\n  aws_secret_access_key: SK\n",
        "[default]\naws_access_key_id = \"AK\"\naws_secret_access_key = 'SK'\n",
        "[default]\r\n  aws_access_key_id = AK\r\n  aws_secret_access_key = SK\r\n",
        "[default]\naws_access_key_id = old\naws_access_key_id = AK\n[default]\n  aws_secret_access_key = SK\n",
    ]) func readsIndentedPropertiesToo(text: String) throws {
        #expect(names(try chain(credentials: text).fetch()) == ["AK", "SK", nil])
        #expect(names(try chain(config: text, credentials: "").fetch()) == ["AK", "SK", nil])
    }

    @Test(arguments: [
        "[default]\ns3 =\n  aws_access_key_id = nested\n  aws_secret_access_key = nested\n",
        "[default]\ns3 = # nested\n\taws_access_key_id = nested\n\n# between\n\taws_secret_access_key = nested\n",
        "  aws_access_key_id = nowhere\n  aws_secret_access_key = nowhere\n[default]\n",
    ]) func settingsOfANestedGroupAreNoProperties(text: String) throws {
        #expect(try chain(credentials: text).fetch() == nil)
    }

    @Test func goesOnWhereThereAreNoFiles() throws {
        let none = try chain()
        #expect(try none.fetch() == nil)
        // A profile with a region alone is no credential.
        #expect(try chain(config: "[default]\nregion = eu-west-3\n").fetch() == nil)
        // Found in the home folder, too.
        try folder.write(Data("[default]\naws_access_key_id=A\naws_secret_access_key=S\n".utf8), to: "home/.aws/credentials")
        let atHome = try chain(["HOME": path("home"), "AWS_SHARED_CREDENTIALS_FILE": "", "AWS_CONFIG_FILE": ""])
        #expect(names(try atHome.fetch()) == ["A", "S", nil])
    }

    @Test func passesOverFilesThatCannotBeRead() throws {
        let chain = try chain([
            "AWS_SHARED_CREDENTIALS_FILE": folder.url.path, "AWS_CONFIG_FILE": "/dev/null/config",
        ])
        #expect(try chain.fetch() == nil)
    }

    @Test func readsTheFilesAnew() throws {
        let chain = try chain(credentials: "[default]\naws_access_key_id=A1\naws_secret_access_key=S1\n")
        #expect(names(try chain.fetch()) == ["A1", "S1", nil])
        try folder.write(Data("[default]\naws_access_key_id=A2\naws_secret_access_key=S2\n".utf8), to: "credentials")
        #expect(names(try chain.fetch()) == ["A2", "S2", nil])
    }

    // MARK: Roles

    @Test func assumesARoleWithAnotherProfilesKeys() throws {
        let standIn = try AWSStandIn { request, number in
            AWSStandIn.role("AssumeRole", AWSStandIn.form(request.body)["RoleArn"] ?? "")
        }
        let config = """
            [profile base]
            aws_access_key_id = AK
            aws_secret_access_key = SK
            [profile middle]
            role_arn = arn-middle
            source_profile = base
            region = elsewhere
            [profile top]
            role_arn = arn-top
            source_profile = middle
            role_session_name = me
            external_id = outside
            duration_seconds = 900
            region = eu-west-3
            """
        let chain = try chain(config: config, ["AWS_PROFILE": "top", "AWS_ENDPOINT_URL_STS": standIn.url])
        #expect(names(try chain.fetch()) == ["AK-arn-top", "SK-arn-top", "ST-arn-top"])
        #expect(standIn.forms.map { $0["RoleArn"] } == ["arn-middle", "arn-top"])
        let keys = standIn.requests.map {
            $0.header("Authorization")?.split(separator: " ").dropFirst().first.map(String.init) ?? ""
        }
        #expect(keys[0].hasPrefix("Credential=AK/"))
        #expect(keys[1].hasPrefix("Credential=AK-arn-middle/"))
        // The region is that of the profile in use.
        #expect(keys.allSatisfy { $0.hasSuffix("/eu-west-3/sts/aws4_request,") })
        #expect(standIn.forms[1]["RoleSessionName"] == "me")
        #expect(standIn.forms[1]["ExternalId"] == "outside")
        #expect(standIn.forms[1]["DurationSeconds"] == "900")
        #expect(standIn.forms[0]["DurationSeconds"] == nil)
    }

    @Test func assumesARoleWithItsOwnKeys() throws {
        let standIn = try AWSStandIn { _, _ in AWSStandIn.role("AssumeRole", "own") }
        let config = """
            [default]
            role_arn = arn
            source_profile = default
            aws_access_key_id = AK
            aws_secret_access_key = SK
            """
        let chain = try chain(config: config, ["AWS_ENDPOINT_URL_STS": standIn.url, "AWS_REGION": "r"])
        #expect(names(try chain.fetch()) == ["AK-own", "SK-own", "ST-own"])
    }

    @Test func assumesARoleWithAnotherSourcesKeys() throws {
        let standIn = try AWSStandIn { request, _ in
            if request.target == "/task" { return .init(body: AWSStandIn.keys("task")) }
            if request.method == "PUT" { return .init(body: "SESSION") }
            if request.method == "GET" {
                return .init(body: request.target.hasSuffix("/r") ? AWSStandIn.keys("instance") : "r")
            }
            return AWSStandIn.role("AssumeRole", "role")
        }
        let variables = [
            "AWS_ENDPOINT_URL_STS": standIn.url, "AWS_REGION": "r",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": standIn.url + "/task", "AWS_EC2_METADATA_SERVICE_ENDPOINT": standIn.url,
            "AWS_EC2_METADATA_DISABLED": "false",
        ]
        let container = try chain(config: "[default]\nrole_arn = arn\ncredential_source = EcsContainer\n", variables)
        #expect(names(try container.fetch()) == ["AK-role", "SK-role", "ST-role"])
        #expect(standIn.requests.last?.accessKey == "AK-task")
        let instance = try chain(config: "[default]\nrole_arn = arn\ncredential_source = Ec2InstanceMetadata\n", variables)
        #expect(names(try instance.fetch()) == ["AK-role", "SK-role", "ST-role"])
        #expect(standIn.requests.last?.accessKey == "AK-instance")
        let keys = ["AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "SK"].merging(variables) { $1 }
        let profiles = try chain(config: "[default]\nrole_arn = arn\ncredential_source = Environment\n", keys)
        // The environment's own keys come before any profile.
        #expect(names(try profiles.fetch()) == ["AK", "SK", nil])
        #expect(
            message(try chain(config: "[default]\nrole_arn = arn\ncredential_source = Environment\n", variables))
                == "profile 'default' has a role_arn but nothing to assume it with")
        #expect(
            message(try chain(config: "[default]\nrole_arn = arn\ncredential_source = Moon\n", variables))
                == "profile 'default' has an unknown credential_source 'Moon'")
    }

    @Test func assumesARoleWithATokenOfTheProfile() throws {
        let standIn = try AWSStandIn { _, _ in AWSStandIn.role("AssumeRoleWithWebIdentity", "jwt") }
        try folder.write(Data("JWT".utf8), to: "jwt")
        let config = """
            [default]
            role_arn = arn
            role_session_name = s
            web_identity_token_file = \(path("jwt"))
            """
        let chain = try chain(config: config, ["AWS_ENDPOINT_URL_STS": standIn.url, "AWS_REGION": "r"])
        #expect(names(try chain.fetch()) == ["AK-jwt", "SK-jwt", "ST-jwt"])
        #expect(standIn.forms[0]["WebIdentityToken"] == "JWT")
        #expect(standIn.forms[0]["RoleSessionName"] == "s")
    }

    @Test(arguments: [
        ("role_arn = arn\nsource_profile = gone", "source_profile 'gone' is not in the shared files"),
        ("role_arn = arn\nsource_profile = p", "profile 'p' has a role_arn but nothing to assume it with"),
        (
            "role_arn = arn\nsource_profile = q\n[profile q]\nrole_arn = a\nsource_profile = p",
            "source_profile of profile 'p' goes round in a circle"
        ),
        ("source_profile = q", "profile 'p' has a source_profile but no role_arn"),
        ("web_identity_token_file = q", "profile 'p' has a web_identity_token_file but no role_arn"),
        (
            "role_arn = arn\nmfa_serial = m\nsource_profile = q",
            "profile 'p' asks for a one-time password (mfa_serial), which is not supported"
        ),
        ("sso_start_url = https://x", "profile 'p' signs in by SSO, which is not supported"),
        ("sso_session = x", "profile 'p' signs in by SSO, which is not supported"),
        ("aws_access_key_id = canary", "profile 'p' has only one of aws_access_key_id and aws_secret_access_key"),
        ("aws_secret_access_key = canary", "profile 'p' has only one of aws_access_key_id and aws_secret_access_key"),
    ]) func refusesByName(settings: String, text: String) throws {
        #expect(message(try chain(config: "[profile p]\n\(settings)\n", ["AWS_PROFILE": "p", "AWS_REGION": "r"])) == text)
    }

    // MARK: Programs

    private func program(_ script: String, _ more: [String: String] = [:]) throws -> CredentialChain<SigV4.Credential> {
        try folder.write(Data("#!/bin/sh\n\(script)\n".utf8), to: "program")
        return try chain(config: "[default]\ncredential_process = sh '\(path("program"))' 'two words'\n", more)
    }

    @Test func runsAProgramForKeys() throws {
        let chain = try program(
            """
            test "$1" = "two words" || exit 9
            cat >/dev/null
            echo '{"Version": 1, "AccessKeyId": "AK", "SecretAccessKey": "SK", "SessionToken": "ST", "Expiration": "2030-01-01T00:00:00Z"}'
            """)
        let issued = try chain.fetch()
        #expect(names(issued) == ["AK", "SK", "ST"])
        #expect(issued?.expiry == Timestamp(rfc3339: "2030-01-01T00:00:00Z"))
    }

    @Test(arguments: [
        ("echo canary; echo canary >&2; exit 3", "the credential_process of profile 'default' ended with exit code 3"),
        (
            "echo '{\"Version\": 1, \"SecretAccessKey\": \"canary\"}'; printf 'trace:\\ncanary\\n' >&2; exit 1",
            "the credential_process of profile 'default' ended with exit code 1"
        ),
        (
            "echo canary; printf 'signed out:\\n  sign in again\\n(\\n)\\n' >&2; exit 1",
            "the credential_process of profile 'default' ended with exit code 1: signed out: sign in again ( )"
        ),
        ("echo canary", "the response is not a JSON object"),
        (
            "echo '{\"Version\": 2, \"AccessKeyId\": \"canary\"}'",
            "the credential_process of profile 'default' gives another version than 1"
        ),
        ("echo '{\"Version\": 1, \"AccessKeyId\": \"canary\"}'", "the response has no AccessKeyId or SecretAccessKey"),
        (
            "echo '{\"Version\": 1, \"AccessKeyId\": \"canary\", \"SecretAccessKey\": \"canary\", \"Expiration\": \"canary\"}'",
            "the time when it expires is not RFC 3339"
        ),
    ]) func showsNothingOfAProgramsOutput(script: String, text: String) throws {
        #expect(message(try program(script)) == text)
    }
}
