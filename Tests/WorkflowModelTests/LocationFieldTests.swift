import Documents
import Testing
import WorkflowModel

/// Every field of every type of location, read from a document that has them all.
@Suite struct LocationFieldTests {
    private let selector: JSONValue = ["name": "n", "key": "k", "optional": false]
    private let selected = SecretKeySelector(name: "n", key: "k", optional: false)

    @Test func s3() throws {
        let s3 = try #require(
            try ArtifactLocation(document: [
                "s3": [
                    "endpoint": "e", "bucket": "b", "key": "k", "region": "r", "insecure": true, "accessKeySecret": selector,
                    "secretKeySecret": selector, "sessionTokenSecret": selector, "roleARN": "arn", "useSDKCreds": true,
                    "createBucketIfNotPresent": ["objectLocking": true],
                    "encryptionOptions": [
                        "kmsKeyId": "id", "kmsEncryptionContext": "{}", "enableEncryption": true,
                        "serverSideCustomerKeySecret": selector,
                    ], "caSecret": selector, "addressingStyle": "virtual-hosted",
                ]
            ]).s3)
        #expect([s3.endpoint, s3.bucket, s3.key, s3.region, s3.roleARN] == ["e", "b", "k", "r", "arn"])
        #expect(s3.insecure == true && s3.useSDKCreds)
        #expect([s3.accessKeySecret, s3.secretKeySecret, s3.sessionTokenSecret, s3.caSecret].allSatisfy { $0 == selected })
        #expect(s3.createBucketIfNotPresent?.objectLocking == true)
        #expect(s3.encryptionOptions?.kmsKeyId == "id")
        #expect(s3.encryptionOptions?.kmsEncryptionContext == "{}")
        #expect(s3.encryptionOptions?.enableEncryption == true)
        #expect(s3.encryptionOptions?.serverSideCustomerKeySecret == selected)
        #expect(s3.addressingStyle == .virtualHosted)
    }

    @Test func emptyS3ObjectsDifferFromAbsentOnes() throws {
        let present = try ArtifactLocation(document: ["s3": ["createBucketIfNotPresent": [:], "addressingStyle": "odd"]]).s3
        #expect(present?.createBucketIfNotPresent != nil)
        #expect(present?.addressingStyle == .automatic)
        #expect(present?.insecure == nil)
        #expect(try ArtifactLocation(document: ["s3": [:]]).s3?.createBucketIfNotPresent == nil)
    }

    @Test func http() throws {
        let http = try #require(
            try ArtifactLocation(document: [
                "http": [
                    "url": "u", "headers": [["name": "a", "value": "b"]],
                    "auth": [
                        "basicAuth": ["usernameSecret": selector, "passwordSecret": selector],
                        "oauth2": [
                            "clientIDSecret": selector, "clientSecretSecret": selector, "tokenURLSecret": selector,
                            "scopes": ["x", "y"], "endpointParams": [["key": "p", "value": "v"]],
                        ], "clientCert": ["clientCertSecret": selector, "clientKeySecret": selector],
                    ],
                ]
            ]).http)
        #expect(http.url == "u")
        #expect(http.headers.map(\.name) == ["a"] && http.headers.map(\.value) == ["b"])
        let auth = try #require(http.auth)
        #expect(auth.basicAuth.usernameSecret == selected && auth.basicAuth.passwordSecret == selected)
        #expect(auth.oauth2.clientIDSecret == selected && auth.oauth2.clientSecretSecret == selected)
        #expect(auth.oauth2.tokenURLSecret == selected)
        #expect(auth.oauth2.scopes == ["x", "y"])
        #expect(auth.oauth2.endpointParams.map(\.key) == ["p"] && auth.oauth2.endpointParams.map(\.value) == ["v"])
        #expect(auth.clientCert.clientCertSecret == selected && auth.clientCert.clientKeySecret == selected)
    }

    @Test func anEmptyAuthHasNoSecrets() throws {
        let auth = try #require(try ArtifactLocation(document: ["http": ["url": "u", "auth": [:]]]).http?.auth)
        #expect(auth.basicAuth.usernameSecret == nil)
        #expect(auth.oauth2.scopes.isEmpty)
        #expect(auth.clientCert.clientCertSecret == nil)
    }

    @Test func cloudStores() throws {
        let gcs = try ArtifactLocation(document: ["gcs": ["bucket": "b", "key": "k", "serviceAccountKeySecret": selector]]).gcs
        #expect(gcs?.bucket == "b" && gcs?.key == "k" && gcs?.serviceAccountKeySecret == selected)
        let azure = try ArtifactLocation(document: [
            "azure": ["endpoint": "e", "container": "c", "blob": "b", "accountKeySecret": selector, "useSDKCreds": true]
        ]).azure
        #expect(azure?.endpoint == "e" && azure?.container == "c" && azure?.blob == "b")
        #expect(azure?.accountKeySecret == selected && azure?.useSDKCreds == true)
        let oss = try #require(
            try ArtifactLocation(document: [
                "oss": [
                    "endpoint": "e", "bucket": "b", "key": "k", "accessKeySecret": selector, "secretKeySecret": selector,
                    "securityToken": "t", "useSDKCreds": true, "createBucketIfNotPresent": true,
                    "lifecycleRule": ["markInfrequentAccessAfterDays": 3, "markDeletionAfterDays": 9],
                ]
            ]).oss)
        #expect([oss.endpoint, oss.bucket, oss.key] == ["e", "b", "k"])
        #expect(oss.accessKeySecret == selected && oss.secretKeySecret == selected)
        #expect(oss.securityToken.revealText() == "t" && oss.useSDKCreds && oss.createBucketIfNotPresent)
        #expect(oss.lifecycleRule?.markInfrequentAccessAfterDays == 3 && oss.lifecycleRule?.markDeletionAfterDays == 9)
    }

    @Test func otherStores() throws {
        let git = try #require(
            try ArtifactLocation(document: [
                "git": [
                    "repo": "r", "revision": "v", "depth": 0, "fetch": ["f"], "usernameSecret": selector,
                    "passwordSecret": selector,
                    "sshPrivateKeySecret": selector, "insecureIgnoreHostKey": true, "disableSubmodules": true,
                    "singleBranch": true,
                    "branch": "b", "insecureSkipTLS": true,
                ]
            ]).git)
        #expect([git.repo, git.revision, git.branch] == ["r", "v", "b"])
        #expect(git.depth == 0 && git.fetch == ["f"])
        #expect([git.usernameSecret, git.passwordSecret, git.sshPrivateKeySecret].allSatisfy { $0 == selected })
        #expect(git.insecureIgnoreHostKey && git.disableSubmodules && git.singleBranch && git.insecureSkipTLS)
        let hdfs = try #require(
            try ArtifactLocation(document: [
                "hdfs": [
                    "addresses": ["a:1", "b:2"], "path": "/p", "force": true, "hdfsUser": "u",
                    "dataTransferProtection": "privacy",
                    "krbCCacheSecret": selector, "krbKeytabSecret": selector, "krbUsername": "ku", "krbRealm": "kr",
                    "krbConfigConfigMap": selector, "krbServicePrincipalName": "spn",
                ]
            ]).hdfs)
        #expect(hdfs.addresses == ["a:1", "b:2"] && hdfs.force)
        #expect(
            [
                hdfs.path, hdfs.hdfsUser, hdfs.dataTransferProtection, hdfs.krbUsername, hdfs.krbRealm,
                hdfs.krbServicePrincipalName,
            ]
                == ["/p", "u", "privacy", "ku", "kr", "spn"])
        #expect([hdfs.krbCCacheSecret, hdfs.krbKeytabSecret, hdfs.krbConfigConfigMap].allSatisfy { $0 == selected })
        let artifactory = try ArtifactLocation(document: [
            "artifactory": ["url": "u", "usernameSecret": selector, "passwordSecret": selector]
        ]).artifactory
        #expect(artifactory?.url == "u" && artifactory?.usernameSecret == selected && artifactory?.passwordSecret == selected)
        let plugin = try ArtifactLocation(document: [
            "plugin": ["name": "p", "configuration": "c", "connectionTimeoutSeconds": 7, "key": "k"]
        ]).plugin
        #expect(
            plugin?.name == "p" && plugin?.configuration == "c" && plugin?.connectionTimeoutSeconds == 7 && plugin?.key == "k")
        #expect(try ArtifactLocation(document: ["raw": ["data": "d"]]).raw?.data == "d")
    }
}
