import SystemSupport
import Testing
import WorkflowModel

@testable import Executor

private func plans(_ json: String) throws -> [InputPlan] {
    let template = try Template.load(from: Array(json.utf8))
    return try template.inputArtifacts.enumerated().compactMap {
        try InputPlan($1, index: $0, template: template, paths: ExecutorPaths())
    }
}

@Suite struct InputStagerTests {
    @Test func placesArtifactsInTheInputVolumeOrTheUsersOwn() throws {
        let plans = try plans(
            """
            {"container":{"image":"x","volumeMounts":[{"name":"v","mountPath":"/vol"}]},"inputs":{"artifacts":[
              {"name":"a","path":"/in/a","raw":{"data":"x"}},{"name":"b","path":"/vol//b/.","raw":{"data":"x"}},
              {"name":"o","path":"/in/o","optional":true}]}}
            """)
        #expect(plans.map(\.target) == ["/argo/inputs/artifacts/a", "/mainctrfs/vol/b"])
    }

    @Test func keepsTheOrderOfTargetsThatLieInOneAnother() throws {
        let plans = try plans(
            """
            {"container":{"image":"x","volumeMounts":[{"name":"v","mountPath":"/v"}]},"inputs":{"artifacts":[
              {"name":"a","path":"/v/d/x","raw":{"data":"1"}},{"name":"b","path":"/other","raw":{"data":"2"}},
              {"name":"c","path":"/v/e","raw":{"data":"3"}},{"name":"d","path":"/v/d","raw":{"data":"4"}},
              {"name":"e","path":"/v","raw":{"data":"5"}}]}}
            """)
        #expect(InputStager.chains(plans).map { $0.map(\.artifact.name) } == [["a", "c", "d", "e"], ["b"]])
    }

    @Test func aRequiredArtifactMustBeSupplied() {
        let error = #expect(throws: ExecutorError.self) {
            try plans(#"{"container":{"image":"x"},"inputs":{"artifacts":[{"name":"a","path":"/a"}]}}"#)
        }
        #expect(error?.message == "required artifact 'a' not supplied")
        #expect(error?.isNotFound == true)
    }

    @Test func aPathMustNotLeaveItsPlace() {
        let error = #expect(throws: ExecutorError.self) {
            try plans(
                #"{"container":{"image":"x"},"inputs":{"artifacts":[{"name":"a","path":"/a/../../etc","raw":{"data":""}}]}}"#)
        }
        #expect(error?.message.hasPrefix("load artifact 'a': ") == true)
    }
}
