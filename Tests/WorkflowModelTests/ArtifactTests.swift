import Documents
import Testing
import WorkflowModel

private func artifact(_ text: String) throws -> Artifact { try Artifact(document: try JSONValue(parsing: text)) }

@Suite struct ArtifactTests {
    @Test func changesKeepOrderAndUnknownFields() throws {
        let before = try artifact(#"{"future":[1],"path":"/a//b/","name":"n","s3":{"bucket":"b"},"optional":true,"mode":0}"#)
        let after = before.withPath("/a/b").withLocation(try ArtifactLocation(document: ["s3": ["key": "k"]]))
        #expect(
            after.document.serializedText()
                == #"{"future":[1],"path":"/a/b","name":"n","s3":{"key":"k"},"optional":true,"mode":0}"#)
        #expect(after.path == "/a/b")
        #expect(after.location.s3?.key == "k")
        #expect(try Artifact(document: after.document) == after)
    }

    @Test func aLocationOfAnotherTypeReplacesTheOldOne() throws {
        let before = try artifact(#"{"name":"n","gcs":{"bucket":"b","key":""},"archiveLogs":true,"globalName":"g"}"#)
        let after = before.withLocation(try ArtifactLocation(document: ["azure": ["blob": "k"]]))
        #expect(
            after.document.serializedText()
                == #"{"name":"n","globalName":"g","azure":{"blob":"k","endpoint":"","container":""}}"#)
    }

    @Test func aNameAloneIsAnArtifact() throws {
        let logs = Artifact(name: "main-logs")
        #expect(logs.document.serializedText() == #"{"name":"main-logs"}"#)
        #expect(!logs.location.hasLocationOrKey)
        let stored = logs.withLocation(try ArtifactLocation(document: ["s3": ["key": "wf/main.log"]]))
        #expect(stored.document.serializedText() == #"{"name":"main-logs","s3":{"key":"wf/main.log"}}"#)
    }

    @Test(
        arguments: [
            (#"{}"#, nil), (#"{"archive":null}"#, nil), (#"{"archive":{}}"#, .empty), (#"{"archive":{"none":{}}}"#, .asIs),
            (#"{"archive":{"tar":{}}}"#, .tar(compressionLevel: nil)),
            (#"{"archive":{"tar":{"compressionLevel":0}}}"#, .tar(compressionLevel: 0)),
            (#"{"archive":{"tar":{"compressionLevel":-1}}}"#, .tar(compressionLevel: -1)), (#"{"archive":{"zip":{}}}"#, .zip),
            (#"{"archive":{"none":null,"zip":{}}}"#, .zip), (#"{"archive":{"tar":{},"none":{}}}"#, .asIs),
        ] as [(String, ArchiveStrategy?)])
    func absentAndEmptyArchivesDiffer(_ text: String, _ archive: ArchiveStrategy?) throws {
        #expect(try artifact(text).archive == archive)
    }

    @Test func readsTheOtherFields() throws {
        let all = try artifact(
            #"{"name":"n","path":"/p","mode":420,"recurseMode":true,"from":"f","fromExpression":"e","subPath":"s","globalName":"g","optional":true,"deleted":true}"#
        )
        #expect(all.mode == 420 && all.recurseMode && all.optional && all.deleted)
        #expect([all.from, all.fromExpression, all.subPath, all.globalName] == ["f", "e", "s", "g"])
    }

    @Test func nullsAreNotReported() throws {
        #expect(try artifact(#"{"path":null,"s3":null,"mode":null}"#).document.serializedText() == #"{"name":""}"#)
    }
}

@Suite struct ParameterTests {
    @Test func theReportIsTheOwnObjectWithTheValue() throws {
        let before = try Parameter(
            document: try JSONValue(parsing: #"{"name":"p","valueFrom":{"path":"/x","default":5,"supplied":{}},"future":1}"#))
        #expect(before.value == nil)
        #expect(before.valueFrom?.defaultValue == "5")
        #expect(before.valueFrom?.isSupplied == true)
        #expect(
            before.withValue("").document.serializedText()
                == #"{"name":"p","valueFrom":{"path":"/x","default":"5","supplied":{}},"future":1,"value":""}"#)
    }

    @Test func looseFieldsAreReportedAsText() throws {
        let loose = try Parameter(
            document: try JSONValue(
                parsing: #"{"name":"p","value":1.50,"default":true,"description":1e3,"enum":[1,"a",false],"globalName":"g"}"#))
        #expect(loose.value == "1.5")
        #expect(loose.defaultValue == "true")
        #expect(
            loose.document.serializedText()
                == #"{"name":"p","value":"1.5","default":"true","description":"1000","enum":["1","a","false"],"globalName":"g"}"#
        )
    }

    @Test func emptyAndAbsentDiffer() throws {
        #expect(try Parameter(document: ["name": "p", "value": ""]).value == "")
        #expect(try Parameter(document: ["name": "p", "value": .null]).value == nil)
        #expect(try Parameter(document: ["name": "p", "enum": []]).document.serializedText() == #"{"name":"p"}"#)
    }

    @Test func readsEverySource() throws {
        let source = try #require(
            try Parameter(document: [
                "name": "p",
                "valueFrom": [
                    "jsonPath": "j", "jqFilter": "q", "event": "e", "parameter": "p", "expression": "x", "path": "/p",
                ],
            ]).valueFrom)
        #expect(
            [source.jsonPath, source.jqFilter, source.event, source.parameter, source.expression, source.path] == [
                "j", "q", "e", "p", "x", "/p",
            ])
        #expect(!source.isSupplied)
        #expect(source.defaultValue == nil)
    }
}
