import Documents
import Foundation
import PodBuilding
import PodSandbox
import ProcessControl
import SystemSupport
import Testing

@testable import LocalRunner

/// What is asked for and cannot be done is said.
@Suite struct FlagTests {
    @Test func refusesFlagsWithoutEffectOnAPod() {
        let flags: [(String, (inout LocalRunSettings) -> Void)] = [
            ("a workflow file", { $0.files = ["wf.yaml"] }), ("--entrypoint", { $0.entrypoint = "x" }),
            ("--parameter", { $0.parameters = [("a", "b")] }), ("--artifact", { $0.artifacts = [("a", "b")] }),
            ("--artifact-repository", { $0.repository = "r" }), ("--pause", { $0.pauses = [.before] }),
            ("--parallelism", { $0.parallelism = 2 }), ("--print-pods", { $0.printsPods = true }),
        ]
        for (flag, set) in flags {
            var settings = LocalRunSettings()
            set(&settings)
            #expect(settings.flagWithoutEffect == nil)
            settings.replay = "pod.json"
            #expect(settings.flagWithoutEffect == "\(flag) has no effect with --from: the pod is run as it is")
        }
    }

    @Test func takesTheFlagsThatAPodLeavesRoomFor() {
        var settings = LocalRunSettings()
        settings.replay = "pod.json"
        settings.usesOwnStore = true
        settings.keepsFolders = true
        settings.isStrict = true
        settings.output = .json
        settings.images = [("a", "/b")]
        settings.objects = ObjectFolders(secrets: "s", configMaps: "c")
        #expect(settings.flagWithoutEffect == nil)
        settings.replay = nil
        #expect(settings.flagWithoutEffect == "--own-store has no effect without --from")
    }

    private func warnings(_ given: String..., runtime: ContainerRuntime) -> [String] {
        let pod: JSONValue = [
            "spec": [
                "initContainers": [["image": .string(PodSettings.defaultExecutorImage)]],
                "containers": [["image": "debian:12"], ["image": "quay.io/a/b"]],
                "volumes": [["name": "v", "image": ["reference": "data:1"]], ["name": "w", "emptyDir": [:]]],
            ]
        ]
        return ImageUse(pods: [pod], runtime: runtime).warnings(given.map { ($0, "/root") }).map(\.text)
    }

    @Test func tellsOfAnImageThatNothingIsMadeOf() throws {
        let bubblewrap = ContainerRuntime.bubblewrap(Bubblewrap(program: "/bwrap", mode: .userNamespace))
        #expect(
            warnings("debin:12", runtime: bubblewrap)
                == ["--image debin:12=…: no container is of this image; there are: data:1, debian:12, quay.io/a/b"])
        #expect(warnings("debian:11", runtime: bubblewrap).count == 1)
        #expect(
            warnings(
                "debian:12", "debian", "docker.io/library/debian:12", "quay.io/a/b", "data", PodSettings.defaultExecutorImage,
                runtime: bubblewrap
            )
            .isEmpty)
        let engine = ContainerRuntime.engine(try ContainerEngine("true"))
        #expect(
            warnings("debian:12", "data:1", runtime: engine)
                == ["--image debian:12=…: with --engine the engine's own image 'debian:12' is run"])
    }

    @Test func tellsNothingOfImagesThatAreKnownLater() {
        let pod: JSONValue = ["spec": ["containers": [["image": "{{inputs.parameters.image}}"]]]]
        let bubblewrap = ContainerRuntime.bubblewrap(Bubblewrap(program: "/bwrap", mode: .userNamespace))
        #expect(ImageUse(pods: [pod], runtime: bubblewrap).warnings([("debin", "/root")]).isEmpty)
    }

    @Test func handsTheSettingsOfTransfersToTheExecutor() {
        let environment = ProcessEnvironment([
            "EXECUTOR_RETRY_BACKOFF_STEPS=2", "TRANSIENT_ERROR_PATTERN=a=b", "ARGOEXEC_TRANSFER_REPORT_INTERVAL=1s",
            "ARGOEXEC_EXTRACT_MAX_BYTES=5", "ARTIFACT_S3_UPLOAD_THREADS=3", "ARGOEXEC_LOCAL_STORE=/other",
            "ARGOEXEC_RUN_DIRECTORY=/x",
            "ARGO_TEMPLATE={}", "HOME=/root", "AWS_ACCESS_KEY_ID=k",
        ])
        let settings = RepositoryAccess(environment: environment).executorSettings
        #expect(
            settings.map { "\($0.name)=\($0.value)" } == [
                "EXECUTOR_RETRY_BACKOFF_STEPS=2", "TRANSIENT_ERROR_PATTERN=a=b", "ARGOEXEC_TRANSFER_REPORT_INTERVAL=1s",
                "ARGOEXEC_EXTRACT_MAX_BYTES=5", "ARTIFACT_S3_UPLOAD_THREADS=3",
            ])
    }

    @Test func aParameterWithoutAValueIsNoResult() {
        let lines = OutputLines(store: nil, home: nil).lines([
            "parameters": [["name": "score", "valueFrom": ["path": "/s"]], ["name": "empty", "value": ""]]
        ])
        #expect(lines == ["parameter empty: "])
    }
}
