import Executor
import SystemSupport
import Testing

/// The variables that every mode needs, as the controller sets them.
let podVariables = [
    "ARGO_POD_NAME": "pod", "ARGO_WORKFLOW_NAME": "wf", "ARGO_WORKFLOW_UID": "uid", "ARGO_NODE_ID": "wf-1",
    "ARGO_DEADLINE": "0001-01-01T00:00:00Z",
]

private func settings(_ more: [String: String], without: String? = nil) throws -> ExecutorSettings {
    var values = podVariables.merging(more) { $1 }
    if let without { values[without] = nil }
    return try ExecutorSettings(Environment(values))
}

@Suite struct ExecutorSettingsTests {
    @Test func readsWhatTheControllerSets() throws {
        let settings = try settings([
            "ARGO_INCLUDE_SCRIPT_OUTPUT": "true", "ARGO_DEADLINE": "2026-11-24T03:38:32+01:00",
            "ARGO_TERMINATION_GRACE_PERIOD_SECONDS": "10", "ARGO_PROGRESS_FILE": "/p",
            "ARGO_PROGRESS_PATCH_TICK_DURATION": "1m0s",
            "ARGO_PROGRESS_FILE_TICK_DURATION": "3s", "ARGO_ARTIFACT_PLUGIN_NAMES": " a, ,b",
            "EXECUTOR_RETRY_BACKOFF_STEPS": "7",
        ])
        #expect(settings.includesScriptOutput)
        #expect(settings.deadline == Timestamp(rfc3339: "2026-11-24T02:38:32Z"))
        #expect(settings.gracePeriod == 10_000_000_000)
        #expect(settings.progress?.patchTick == 60_000_000_000 && settings.progress?.file == "/p")
        #expect(settings.artifactPluginContainers == ["a", "b"])
        #expect(settings.backoff == Backoff(duration: 1_000_000_000, factor: 1.6, jitter: 0.5, steps: 7))
    }

    @Test func goesZeroTimeMeansNoDeadline() throws { #expect(try settings([:]).deadline == nil) }

    @Test(arguments: ["0", "-5", "x", "", "99999999999999999999"]) func badGracePeriodsAreThirtySeconds(text: String) throws {
        #expect(try settings(["ARGO_TERMINATION_GRACE_PERIOD_SECONDS": text]).gracePeriod == 30_000_000_000)
    }

    @Test(arguments: [
        ("ARGO_PROGRESS_PATCH_TICK_DURATION", "0s"), ("ARGO_PROGRESS_FILE_TICK_DURATION", "0"),
        ("ARGO_PROGRESS_PATCH_TICK_DURATION", "soon"), ("ARGO_PROGRESS_FILE", ""),
    ])
    func progressIsOffUnlessAllIsSet(name: String, value: String) throws {
        let on = [
            "ARGO_PROGRESS_FILE": "/p", "ARGO_PROGRESS_PATCH_TICK_DURATION": "1s", "ARGO_PROGRESS_FILE_TICK_DURATION": "3s",
        ]
        #expect(try settings(on).progress != nil)
        #expect(try settings(on.merging([name: value]) { $1 }).progress == nil)
    }

    @Test func aMissingPodNameIsFatal() {
        let error = #expect(throws: StartFailure.self) { try settings([:], without: "ARGO_POD_NAME") }
        #expect(error?.exitCode == 1 && error?.message == "read the environment: ARGO_POD_NAME is not set")
    }

    @Test(arguments: [
        ("ARGO_DEADLINE", "tomorrow"), ("EXECUTOR_RETRY_BACKOFF_DURATION", "1"), ("EXECUTOR_RETRY_BACKOFF_FACTOR", "x"),
        ("EXECUTOR_RETRY_BACKOFF_FACTOR", "nan"), ("EXECUTOR_RETRY_BACKOFF_FACTOR", "inf"),
        ("EXECUTOR_RETRY_BACKOFF_FACTOR", "-infinity"), ("EXECUTOR_RETRY_BACKOFF_FACTOR", "1e999"),
        ("EXECUTOR_RETRY_BACKOFF_JITTER", "nan"), ("EXECUTOR_RETRY_BACKOFF_JITTER", "inf"),
        ("EXECUTOR_RETRY_BACKOFF_STEPS", "1.5"), ("RESOURCE_STATE_CHECK_INTERVAL", "often"),
    ])
    func badNumbersPanic(name: String, value: String) {
        let error = #expect(throws: StartFailure.self) { try settings([name: value]) }
        #expect(error?.exitCode == 2)
        #expect(error?.message.contains("\(name): \"\(value)\"") == true)
    }

    @Test func anUnsetDeadlinePanics() {
        #expect(#expect(throws: StartFailure.self) { try settings([:], without: "ARGO_DEADLINE") }?.exitCode == 2)
    }
}

@Suite struct TemplateSourceTests {
    private let template = #"{"name":"t","new":{"field":1},"container":{"image":"x"}}"#

    @Test func prefersTheVariable() throws {
        let text = try TemplateSource.text(Environment(["ARGO_TEMPLATE": template]), ExecutorPaths())
        #expect(text == Array(template.utf8))
        #expect(try TemplateSource.parse(text).name == "t")
    }

    @Test func readsTheFileWhereThereIsNoVariable() throws {
        try withTemporaryDirectory { directory in
            try SmallFile.write(directory.appending("template"), Array(template.utf8))
            var paths = ExecutorPaths()
            paths.runDirectory = directory
            #expect(try TemplateSource.text(Environment([:]), paths) == Array(template.utf8))
        }
    }

    @Test func readsTheMountedFileWhenOffloaded() throws {
        try withTemporaryDirectory { directory in
            try SmallFile.write(directory.appending("ARGO_TEMPLATE"), Array(template.utf8))
            var paths = ExecutorPaths()
            paths.configuration = directory
            #expect(try TemplateSource.text(Environment(["ARGO_TEMPLATE": "offloaded"]), paths) == Array(template.utf8))
        }
    }

    @Test func aMissingFilePanics() {
        var paths = ExecutorPaths()
        paths.runDirectory = "/no/such/place"
        let error = #expect(throws: StartFailure.self) { try TemplateSource.text(Environment([:]), paths) }
        #expect(error?.exitCode == 2)
        #expect(error?.message == "read the template: open /no/such/place/template: no such file or directory")
    }

    @Test(arguments: ["", "{", "null x", "[]"]) func whatIsNoTemplatePanics(text: String) {
        #expect(#expect(throws: StartFailure.self) { try TemplateSource.parse(Array(text.utf8)) }?.exitCode == 2)
    }
}
