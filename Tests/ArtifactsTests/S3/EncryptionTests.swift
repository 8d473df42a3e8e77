import Documents
import Foundation
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts
@testable import S3Artifacts

/// What a location's `encryptionOptions` make of requests.
@Suite struct EncryptionOptionsTests {
    private func fixture() throws -> StoreFixture {
        try StoreFixture(
            .s3Stub(
                bucket: "my-bucket",
                secrets: [
                    "keys/access": "AK", "keys/secret": "SK", "sse/key": "correct horse battery staple\n", "sse/empty": "",
                ]))
    }

    /// The driver of a location with these options.
    private func driver(_ options: JSONValue, _ more: JSONValue = [:], key: String = "k") throws -> S3Driver {
        let fixture = try fixture()
        var context = fixture.context
        context.localStore = nil
        var fields: JSONValue = ["encryptionOptions": options]
        for member in more.object?.members ?? [] { fields[member.name] = member.value }
        return try #require(try fixture.store(key, endpoint: "store.invalid", context: context, fields).driver as? S3Driver)
    }

    private func headers(
        _ driver: S3Driver, _ use: S3Encryption.Use, _ key: String = "my-workflow/my-pod/main.log"
    ) throws -> [String: String] {
        let headers = try driver.client.encryption.headers(for: use, key: Array(key.utf8))
        return Dictionary(uniqueKeysWithValues: headers.map { ($0.name, $0.value) })
    }

    @Test func asksForTheStoresOwnKey() throws {
        let driver = try driver(["enableEncryption": true])
        #expect(try headers(driver, .create) == ["x-amz-server-side-encryption": "AES256"])
        for use in [S3Encryption.Use.putPart, .complete, .read] { #expect(try headers(driver, use).isEmpty) }
    }

    @Test func asksForAManagedKeyWithItsContextEncodedTwice() throws {
        let driver = try driver([
            "enableEncryption": true, "kmsKeyId": "key-1",
            "kmsEncryptionContext": "{ \"team\": \"a/b\",\n \"n\": 1.50, \"x\": [true, null] }",
        ])
        #expect(
            try headers(driver, .create) == [
                "x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": "key-1",
                "x-amz-server-side-encryption-context":
                    "ImV5SjBaV0Z0SWpvaVlTOWlJaXdpYmlJNk1TNDFNQ3dpZUNJNlczUnlkV1VzYm5Wc2JGMTki",
            ])
        for use in [S3Encryption.Use.putPart, .complete, .read] { #expect(try headers(driver, use).isEmpty) }
        let plain = try self.driver(["enableEncryption": true, "kmsKeyId": "key-1"])
        #expect(try headers(plain, .create).count == 2)
    }

    @Test func bringsTheObjectsOwnKeyAlong() throws {
        let driver = try driver(
            ["enableEncryption": true, "serverSideCustomerKeySecret": ["name": "sse", "key": "key"]], ["insecure": false])
        let expected = [
            "x-amz-server-side-encryption-customer-algorithm": "AES256",
            "x-amz-server-side-encryption-customer-key": "J8uIl2er0zRDVT5qjVHk5IfmpfXOP3gGv6Lx3FOhyYo=",
            "x-amz-server-side-encryption-customer-key-MD5": "7/A8WJ9iNjYuu3UAWw35Wg==",
        ]
        for use in [S3Encryption.Use.create, .putPart, .complete, .read] { #expect(try headers(driver, use) == expected) }
        #expect(try headers(driver, .read, "another/object") != expected)
        // The library behind it takes no shorter salt.
        let error = #expect(throws: ArtifactError.self) { try S3CustomerKeys(password: Secret("p"), bucket: "abc").key([0x6B]) }
        #expect(error?.message.contains("together must have 8 bytes") == true)
    }

    @Test func remembersTheLastKeys() throws {
        let keys = S3CustomerKeys(password: Secret("p"), bucket: "my-bucket")
        let first = try keys.key([1])
        #expect(try keys.key([1]) == first)
        #expect(try keys.key([2]) != first)
        #expect(try S3CustomerKeys(password: Secret("q"), bucket: "my-bucket").key([1]) != first)
    }

    @Test func findsFaultsAlsoWhereEncryptionIsOff() throws {
        let customer: JSONValue = ["name": "sse", "key": "key"]
        for isEnabled in [true, false] {
            let both = #expect(throws: ArtifactError.self) {
                try driver(
                    ["enableEncryption": .bool(isEnabled), "kmsKeyId": "k", "serverSideCustomerKeySecret": customer],
                    ["insecure": false])
            }
            #expect(both?.message.contains("cannot be set together") == true)
            let plain = #expect(throws: ArtifactError.self) {
                try driver(["enableEncryption": .bool(isEnabled), "serverSideCustomerKeySecret": customer])
            }
            #expect(plain?.message.contains("needs HTTPS") == true)
            #expect(throws: (any Error).self) {
                try driver(
                    ["enableEncryption": .bool(isEnabled), "serverSideCustomerKeySecret": ["name": "sse", "key": "none"]],
                    ["insecure": false])
            }
        }
        let context = #expect(throws: ArtifactError.self) {
            try driver(["enableEncryption": true, "kmsKeyId": "k", "kmsEncryptionContext": "{no"])
        }
        #expect(context?.message.contains("not valid JSON") == true)
    }

    @Test func isOffUnlessEnabled() throws {
        for options: JSONValue in [["kmsKeyId": "k"], [:], ["serverSideCustomerKeySecret": ["name": "sse", "key": "empty"]]] {
            let driver = try driver(options)
            #expect(try headers(driver, .create).isEmpty)
            #expect(driver.client.encryption.bucketRule == nil)
        }
        // A secret without content is none.
        let empty = try driver([
            "enableEncryption": true, "serverSideCustomerKeySecret": ["name": "sse", "key": "empty"],
        ])
        #expect(try headers(empty, .create) == ["x-amz-server-side-encryption": "AES256"])
    }

    @Test func saysItOnExactlyTheRequestsThatNeedIt() throws {
        let marks = ["ETag: \"5eb63bbbe01eeed093cb22bb8f5acdc3\"", "x-amz-checksum-algorithm: CRC32C"]
        let created = "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
        let completed = "<CompleteMultipartUploadResult><ETag>\"e-1\"</ETag></CompleteMultipartUploadResult>"
        let listed =
            "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>dir/x</Key></Contents></ListBucketResult>"
        // Each a request, and whether SSE-C and SSE-KMS headers go with it.
        let requests: [(name: String, answer: String, customer: Bool, managed: Bool, run: (S3Driver) throws -> Void)] = [
            ("HEAD", "", true, false, { _ = try $0.find() }),
            (
                "GET", "hello world", true, false,
                {
                    try S3Object(client: $0.client, key: [0x6B], subject: "", head: ObjectHead()).read(
                        from: 0, length: nil, validator: nil
                    ) { _ in CollectingSink() }
                }
            ),
            ("PUT", "", true, true, { try $0.put(ObjectContent(.bytes([1]), fileName: "f"), at: nil) }),
            ("POST", created, true, true, { _ = try $0.multipart(at: nil, fileName: "f")?.begin() }),
            ("PUT", "", true, false, { _ = try self.upload($0).put(part: 1, .bytes([1])) }),
            (
                "POST", completed, true, false,
                { try self.upload($0).complete([PartReceipt(number: 1, length: 1, tag: "e", crc32c: 1)]) }
            ),
            ("DELETE", "", false, false, { try self.upload($0).abort() }),
            ("GET", listed, false, false, { _ = try $0.list(after: nil) }),
            ("DELETE", "", false, false, { try S3Deletion(client: $0.client, subject: "").delete([0x6B]) }),
        ]
        for request in requests {
            for isCustomers in [true, false] {
                let proxy = try FaultyProxy(
                    target: 0, script: [.answer(status: 200, headers: marks, body: request.answer)])
                let fixture = try fixture()
                var context = fixture.context
                context.localStore = nil
                let made = try fixture.store("dir", endpoint: proxy.endpoint, context: context).driver
                let plain = try #require(made as? S3Driver)
                var client = plain.client
                client.encryption =
                    isCustomers
                    ? .customer(S3CustomerKeys(password: Secret("p"), bucket: "my-bucket"))
                    : .managed(keyID: "k", contextHeader: "Y29udGV4dA==")
                try? request.run(S3Driver(client: client, key: "dir", creation: nil, context: context))
                let head = try #require(proxy.heads.first, "\(request.name)").lowercased()
                #expect(head.hasPrefix(request.name.lowercased() + " "))
                let saysCustomer = head.contains("\r\nx-amz-server-side-encryption-customer-key: ")
                #expect(saysCustomer == (isCustomers && request.customer), "\(head)")
                let saysManaged = head.contains("\r\nx-amz-server-side-encryption: aws:kms\r\n")
                #expect(saysManaged == (!isCustomers && request.managed), "\(head)")
                #expect(head.contains("encryption-context: y29udgv4da==") == saysManaged)
            }
        }
    }

    private func upload(_ driver: S3Driver) -> S3MultipartUpload {
        S3MultipartUpload(client: driver.client, key: [0x6B], subject: "", id: "u", integrity: .crc32cOfParts)
    }
}

/// Encryption at a server that does it.
@Suite(.requires(.secureMinIO)) struct EncryptionTests {
    private static let customer: JSONValue = [
        "encryptionOptions": ["enableEncryption": true, "serverSideCustomerKeySecret": ["name": "sse", "key": "key"]]
    ]
    private static let otherCustomer: JSONValue = [
        "encryptionOptions": ["enableEncryption": true, "serverSideCustomerKeySecret": ["name": "sse", "key": "other"]]
    ]

    private func fixture() async throws -> StoreFixture {
        let fixture = try await StoreFixture.make(on: .secureMinIO)
        for name in ["key", "other"] { try fixture.folder.write(Data("password \(name)".utf8), to: "secret/sse/\(name)") }
        return fixture
    }

    @Test func onlyTheRightKeyOpensAnObject() async throws {
        let fixture = try await fixture()
        let bytes = patternBytes(100_000)
        try fixture.save(bytes, "a/b.txt", Self.customer)
        #expect(try fixture.load("a/b.txt", Self.customer) == bytes)
        for fields in [Self.otherCustomer, [:]] {
            let error = #expect(throws: ArtifactError.self) { try fixture.load("a/b.txt", fields) }
            #expect(error?.isTransient == false)
            #expect(error?.isNotFound == false)
        }
        #expect(!fixture.log.text.contains("retrying"))
        #expect(!fixture.log.text.contains("password"))
    }

    @Test func encryptsLargeObjectsAndDirectories() async throws {
        let fixture = try await fixture()
        let bytes = patternBytes(40_000_000)
        try fixture.save(bytes, "large", Self.customer)
        let store = try fixture.store("large", Self.customer)
        guard case .object(let object) = try store.find() else { throw StoreFixture.NoObject() }
        try store.download.file(object, at: fixture.path("large"))
        #expect(try fixture.content("large") == Data(bytes))

        for index in 0..<3 { try fixture.folder.write(Data(patternBytes(1000 + index)), to: "tree/sub/\(index)") }
        let directory = try fixture.store("dir", Self.customer)
        try directory.upload.directory(at: fixture.path("tree"))
        let loaded = try fixture.loadDirectory("dir", into: "back", Self.customer)
        #expect(loaded?.objects == 3)
        for index in 0..<3 { #expect(try fixture.content("back/sub/\(index)") == Data(patternBytes(1000 + index))) }
        #expect(throws: ArtifactError.self) { try fixture.load("dir/sub/0") }
        #expect(try directory.list().count == 3)
        try directory.delete()
        #expect(try !directory.isDirectory())
    }

    @Test func theStoreEncryptsWithItsOwnAndWithManagedKeys() async throws {
        let fixture = try await fixture()
        let server = try await S3Server.shared(.secureMinIO)
        for (key, options, told): (String, JSONValue, String) in [
            ("own", ["enableEncryption": true], "AES256"),
            ("managed", ["enableEncryption": true, "kmsKeyId": "test-key"], "aws:kms"),
        ] {
            let fields: JSONValue = ["encryptionOptions": options]
            for size in [1000, 20_000_000] {
                try fixture.save(patternBytes(size), key, fields)
                #expect(try fixture.load(key, fields) == patternBytes(size))
                #expect(try await server.head(bucket: fixture.bucket, key: key)?["x-amz-server-side-encryption"] == told)
            }
        }
        let unknown: JSONValue = ["encryptionOptions": ["enableEncryption": true, "kmsKeyId": "no-such-key"]]
        let error = #expect(throws: ArtifactError.self) { try fixture.save([1], "unknown", unknown) }
        #expect(error?.isTransient == false)
    }

    @Test func aNewBucketEncryptsByItself() async throws {
        let server = try await S3Server.shared(.secureMinIO)
        for (options, expected): (JSONValue, [String]) in [
            (["enableEncryption": true], ["<SSEAlgorithm>AES256</SSEAlgorithm>"]),
            (
                ["enableEncryption": true, "kmsKeyId": "test-key"],
                ["<SSEAlgorithm>aws:kms</SSEAlgorithm>", "<KMSMasterKeyID>test-key</KMSMasterKeyID>"]
            ),
        ] {
            let fixture = try await StoreFixture.make(on: .secureMinIO, bucket: "made-\(UUID().uuidString.lowercased())")
            try fixture.save([1], "k", ["encryptionOptions": options, "createBucketIfNotPresent": [:]])
            let rule = try await server.ask(bucket: fixture.bucket, "encryption=")
            for text in expected { #expect(rule.contains(text)) }
        }
        // One that was there stays as it is.
        let fixture = try await fixture()
        try fixture.save(
            [1], "k", ["encryptionOptions": ["enableEncryption": true], "createBucketIfNotPresent": [:]])
        await #expect(throws: UnexpectedStatus.self) { try await server.ask(bucket: fixture.bucket, "encryption=") }
    }
}
