import Documents
import SystemSupport
import Testing
import WorkflowModel

private func location(_ text: String) throws -> ArtifactLocation {
    try ArtifactLocation(document: try JSONValue(parsing: text))
}

private func text(_ location: ArtifactLocation) -> String { JSONValue.object(location.document).serializedText() }

@Suite struct ArtifactLocationTests {
    /// A complete location of each type that has a key, and its key.
    private static let complete: [(String, String)] = [
        (#"{"s3":{"endpoint":"e","bucket":"b","key":"k/x"}}"#, "k/x"),
        (#"{"gcs":{"bucket":"b","key":"k/x"}}"#, "k/x"),
        (#"{"azure":{"endpoint":"https://e","container":"c","blob":"k/x"}}"#, "k/x"),
        (#"{"oss":{"endpoint":"e","bucket":"b","key":"k/x"}}"#, "k/x"),
        (#"{"hdfs":{"addresses":["n:8020"],"path":"/k/x"}}"#, "/k/x"),
        (#"{"http":{"url":"https://h:1/k/x%20y?q=1"}}"#, "/k/x y"),
        (#"{"artifactory":{"url":"https://h/k/x","usernameSecret":{"name":"n","key":"u"}}}"#, "/k/x"),
        (#"{"plugin":{"name":"p","configuration":"c","key":"k/x"}}"#, "k/x"),
    ]

    @Test(arguments: complete)
    func completeLocationsHaveLocationAndKey(_ text: String, _ key: String) throws {
        let location = try location(text)
        #expect(location.hasLocation)
        #expect(location.hasKey)
        #expect(try location.key() == key)
    }

    @Test(arguments: [
        #"{}"#, #"{"s3":{"bucket":"b","key":"k"}}"#, #"{"s3":{"endpoint":"e","key":"k"}}"#, #"{"gcs":{"key":"k"}}"#,
        #"{"azure":{"container":"c","blob":"k"}}"#, #"{"oss":{"bucket":"b","key":"k"}}"#, #"{"hdfs":{"path":"/k"}}"#,
        #"{"artifactory":{"url":"https://h/k"}}"#, #"{"plugin":{"name":"p","key":"k"}}"#,
        #"{"plugin":{"configuration":"c","key":"k"}}"#,
        #"{"git":{}}"#, #"{"http":{}}"#,
    ])
    func incompleteLocationsHaveNone(_ text: String) throws {
        #expect(!(try location(text).hasLocation))
    }

    @Test func gitAndRawAreLocationsWithoutKeys() throws {
        for text in [#"{"git":{"repo":"r"}}"#, #"{"raw":{"data":""}}"#] {
            let location = try location(text)
            #expect(location.hasLocation)
            #expect(!location.hasKey)
            #expect(throws: ModelError.self) { try location.key() }
            #expect(throws: ModelError.self) { try location.settingKey("k") }
        }
        #expect(throws: ModelError.self) { try ArtifactLocation.empty.key() }
        #expect(!ArtifactLocation.empty.hasLocationOrKey)
    }

    @Test func resolutionAndConstructionPreferDifferentTypes() throws {
        let both = try location(#"{"s3":{"key":"s"},"azure":{"blob":"a"},"git":{"repo":"r"}}"#)
        #expect(both.kind == .azure)
        #expect(both.driverKind == .s3)
        #expect(try both.key() == "a")
        #expect(try location(#"{"raw":{"data":"x"},"plugin":{}}"#).kind == .raw)
        #expect(try location(#"{"gcs":{},"oss":{}}"#).driverKind == .oss)
    }

    @Test(arguments: complete)
    func aKeySetIsTheKeyRead(_ text: String, _ old: String) throws {
        let changed = try location(text).settingKey("/new/ä %/x?y#z")
        #expect(try changed.key() == "/new/ä %/x?y#z")
        #expect(changed.hasLocation)
    }

    @Test func settingAKeyKeepsTheRestOfTheLocation() throws {
        let before = try location(#"{"archiveLogs":true,"s3":{"endpoint":"e","future":{"a":1},"key":"old","bucket":"b"}}"#)
        #expect(
            text(try before.settingKey("new"))
                == #"{"archiveLogs":true,"s3":{"endpoint":"e","future":{"a":1},"key":"new","bucket":"b"}}"#)
    }

    @Test(arguments: [
        ("https://u:p@h:8/old?x=1#f", "/a b", "https://u:p@h:8/a%20b?x=1#f"), ("https://h", "a", "https://h/a"),
        ("https://h?x", "/a", "https://h/a?x"),
        ("", "/a/b", "/a/b"), ("https://h/old", "/ä!$&+,/:;=@-_.~(", "https://h/%C3%A4%21$&+,/:;=@-_.~%28"),
    ])
    func aURLKeepsAllButItsPath(_ url: String, _ key: String, _ expected: String) throws {
        let changed = try ArtifactLocation(document: ["http": ["url": .string(url)]]).settingKey(key)
        #expect(changed.http?.url == expected)
    }

    @Test func aBrokenURLIsAnErrorWithoutItsSecrets() throws {
        let broken = try location(#"{"http":{"url":"https://user:pw@h/a%2?token=t"}}"#)
        let error = try #require(throws: ModelError.self) { try broken.key() }
        #expect(error.message == "parse URL 'https://h/a%2': bad percent escape")
        #expect(!broken.hasKey)
    }

    // MARK: Reported form

    @Test(arguments: [
        (#"{"azure":{"blob":"k"}}"#, #"{"azure":{"blob":"k","endpoint":"","container":""}}"#), (#"{"s3":{}}"#, #"{"s3":{}}"#),
        (#"{"gcs":{"bucket":"b"}}"#, #"{"gcs":{"bucket":"b","key":""}}"#), (#"{"oss":{}}"#, #"{"oss":{"key":""}}"#),
        (#"{"plugin":{"name":"p"}}"#, #"{"plugin":{"name":"p","key":""}}"#), (#"{"git":{}}"#, #"{"git":{"repo":""}}"#),
        (#"{"hdfs":{}}"#, #"{"hdfs":{"path":""}}"#), (#"{"raw":{}}"#, #"{"raw":{"data":""}}"#),
        (#"{"artifactory":{}}"#, #"{"artifactory":{"url":""}}"#),
        (#"{"http":{"headers":[{"name":"a"}]}}"#, #"{"http":{"headers":[{"name":"a","value":""}],"url":""}}"#),
        (
            #"{"http":{"url":"u","auth":{"oauth2":{"endpointParams":[{}]}}}}"#,
            #"{"http":{"url":"u","auth":{"oauth2":{"endpointParams":[{"key":""}]},"clientCert":{},"basicAuth":{}}}}"#
        ),
        (#"{"s3":{"accessKeySecret":{"name":"n"},"key":null}}"#, #"{"s3":{"accessKeySecret":{"name":"n","key":""}}}"#),
        (
            #"{"s3":{"encryptionOptions":{"serverSideCustomerKeySecret":{}}}}"#,
            #"{"s3":{"encryptionOptions":{"serverSideCustomerKeySecret":{"key":""}}}}"#
        ),
        (#"{"archiveLogs":false,"S3":{"key":"k"},"gcs":null,"name":"n"}"#, #"{"archiveLogs":false,"s3":{"key":"k"}}"#),
    ])
    func requiredFieldsAreThereEvenIfEmpty(_ given: String, _ reported: String) throws {
        #expect(text(try location(given)) == reported)
    }

    // MARK: Relocation

    @Test func aCompleteLocationStays() throws {
        let own = try location(#"{"s3":{"endpoint":"e","bucket":"b","key":"k"}}"#)
        #expect(try own.relocated(to: nil) == own)
        #expect(try own.relocated(to: location(#"{"gcs":{"bucket":"x"}}"#)) == own)
    }

    @Test func aKeyMovesIntoTheArchiveLocationWhateverItsType() throws {
        let archive = try location(#"{"gcs":{"bucket":"b","serviceAccountKeySecret":{"name":"n","key":"k"},"key":"prefix"}}"#)
        let moved = try location(#"{"s3":{"key":"mine","region":"lost"}}"#).relocated(to: archive)
        #expect(moved.driverKind == .gcs)
        #expect(moved.s3 == nil)
        #expect(moved.gcs?.bucket == "b")
        #expect(try moved.key() == "mine")
    }

    @Test func whatHasNoEndpointLosesItsBucket() throws {
        let archive = try location(#"{"s3":{"endpoint":"e","bucket":"theirs","key":"p"}}"#)
        let moved = try location(#"{"s3":{"bucket":"mine","key":"k"}}"#).relocated(to: archive)
        #expect(moved.s3?.bucket == "theirs")
        #expect(moved.s3?.key == "k")
    }

    @Test func relocationWithoutAnArchiveLocationOrAKeyFails() throws {
        let keyed = try location(#"{"s3":{"key":"k"}}"#)
        let error = try #require(throws: ModelError.self) { try keyed.relocated(to: nil) }
        #expect(error.message.hasSuffix("template artifact location not set"))
        #expect(throws: ModelError.self) { try ArtifactLocation.empty.relocated(to: keyed) }
    }

    // MARK: Default keys

    @Test(arguments: [
        (#"{"s3":{"endpoint":"e","bucket":"b","key":"wf/pod"}}"#, #"{"s3":{"key":"wf/pod/a.tgz"}}"#),
        (
            #"{"azure":{"endpoint":"e","container":"c","blob":"wf/pod"}}"#,
            #"{"azure":{"endpoint":"","container":"","blob":"wf/pod/a.tgz"}}"#
        ),
        (#"{"gcs":{"bucket":"b","key":"wf//pod/"}}"#, #"{"gcs":{"key":"wf/pod/a.tgz"}}"#),
        (#"{"oss":{"bucket":"b","endpoint":"e","key":""}}"#, #"{"oss":{"key":"a.tgz"}}"#),
        (#"{"plugin":{"name":"p","configuration":"c","key":"wf"}}"#, #"{"plugin":{"key":"wf/a.tgz"}}"#),
        (#"{"hdfs":{"addresses":["n:1"],"path":"/wf"}}"#, #"{"hdfs":{"path":"/wf/a.tgz"}}"#),
        (
            #"{"artifactory":{"url":"https://h/repo/wf","usernameSecret":{"name":"n","key":"k"}}}"#,
            #"{"artifactory":{"url":"/repo/wf/a.tgz"}}"#
        ),
        (#"{"http":{"url":"https://h/wf","headers":[]}}"#, #"{"http":{"url":"https://h/wf/a.tgz","headers":[]}}"#),
    ])
    func anOutputWithoutAKeyGetsTheArchiveLocationsTypeAndAKeyBelowIts(_ archive: String, _ expected: String) throws {
        let archive = try location(archive)
        let reported = try location(#"{"s3":{"bucket":"dropped"}}"#).withDefaultKey(in: archive, fileName: "a.tgz")
        #expect(text(reported) == expected)
        let real = try reported.relocated(to: archive)
        #expect(real.hasLocation)
        #expect(try real.key() == reported.key())
    }

    @Test func anOutputWithAKeyKeepsItsLocation() throws {
        let own = try location(#"{"gcs":{"key":"mine"}}"#)
        #expect(try own.withDefaultKey(in: nil, fileName: "a.tgz") == own)
    }

    @Test func defaultKeysNeedAnArchiveLocationWithKeys() throws {
        #expect(throws: ModelError.self) { try ArtifactLocation.empty.withDefaultKey(in: nil, fileName: "a") }
        for archive in [#"{}"#, #"{"git":{"repo":"r"}}"#, #"{"raw":{"data":"d"}}"#] {
            let archive = try location(archive)
            #expect(throws: ModelError.self) { try ArtifactLocation.empty.settingType(like: archive) }
            #expect(throws: ModelError.self) { try ArtifactLocation.empty.withDefaultKey(in: archive, fileName: "a") }
        }
    }
}
