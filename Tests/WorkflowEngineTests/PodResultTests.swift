import Testing
import WorkflowEngine
import WorkflowModel
import WorkflowPlanning

/// What the containers of a pod make of its node.
@Suite struct PodResultTests {
    private func ended(_ name: String, _ code: Int?, _ reason: String = "Error", _ message: String = "") -> ContainerResult {
        ContainerResult(name: name, exitCode: code, reason: reason, message: message)
    }

    private func result(
        _ containers: [ContainerResult], initContainers: [ContainerResult] = [], main: [String] = ["main"], pod: String = ""
    ) -> PodResult {
        .inferred(initContainers: initContainers, containers: containers, mainNames: main, podMessage: pod, outputs: nil)
    }

    @Test func allZeroIsSuccess() {
        let result = result([ended("wait", 0), ended("main", 0)], initContainers: [ended("init", 0)])
        #expect(result.phase == .succeeded && result.message.isEmpty && result.exitCode == 0)
    }

    @Test func theMainContainersFailureIsTold() {
        let result = result([ended("wait", 64), ended("main", 3, "Error", "boom"), ended("side", 1)])
        #expect(result.phase == .failed)
        #expect(result.message == "main: Error (exit code 3): boom")
        #expect(result.exitCode == 3)
    }

    @Test func anInitContainersFailureComesFirst() {
        let failed = result([ended("wait", 0), ended("main", 1)], initContainers: [ended("init", 64, "Error", "no bucket")])
        #expect(failed.phase == .error)
        #expect(failed.message == "init: Error (exit code 64): no bucket")
        #expect(result([ended("main", 0)], initContainers: [ended("mine", 2)]).phase == .failed)
    }

    @Test func theExecutorsFailureIsAnError() {
        #expect(result([ended("wait", 64, "Error", "save failed"), ended("main", 0)]).phase == .error)
        #expect(result([ended("supervisor", 1), ended("main", 0)]).phase == .error)
    }

    @Test func aSupervisorThatFailedBeforeMainSpeaksForIt() {
        let before = result([ended("supervisor", 64, "Error", "load failed"), ended("main", 65)])
        #expect(before.phase == .error && before.message == "supervisor: Error (exit code 64): load failed")
        let after = result([ended("supervisor", 64, "Error", "save failed"), ended("main", 1)])
        #expect(after.phase == .failed && after.message == "main: Error (exit code 1)")
    }

    @Test(arguments: [137, 143])
    func aSidecarThatWasEndedDidNothingWrong(_ code: Int) {
        #expect(result([ended("wait", 0), ended("main", 0), ended("side", code)]).phase == .succeeded)
        #expect(result([ended("wait", 0), ended("main", 0), ended("side", 1)]).phase == .failed)
    }

    @Test func aPodsOwnMessageIsUsed() {
        #expect(result([ended("main", 137)], pod: "Pod was active too long").message == "Pod was active too long")
    }

    @Test func aContainerThatNeverBeganIsAnError() {
        let result = result([ended("main", nil, "ImagePullBackOff", "no image"), ended("wait", 1)])
        #expect(result.phase == .error)
        #expect(result.message == "Pod failed before main container starts due to ImagePullBackOff: no image")
    }

    @Test func unendedContainersAreNoSuccess() {
        let open = result([ended("main", nil, ""), ended("wait", nil, ""), ended("side", 143)])
        #expect(open.phase == .failed)
        #expect(open.message == "pod failed: neither main nor wait container completed successfully")
        #expect(
            result([ended("main", 0), ended("wait", nil, "")]).message
                == "pod failed: wait container did not complete successfully")
        #expect(
            result([ended("main", nil, ""), ended("wait", 0)]).message
                == "pod failed: main container did not complete successfully")
    }

    @Test func everyMemberOfASetIsAMainContainer() {
        let result = result([ended("wait", 0), ended("a", 0), ended("b", 2)], main: ["a", "b"])
        #expect(result.phase == .failed && result.message == "b: Error (exit code 2)" && result.exitCode == nil)
    }
}
