import ArtifactRegistry
import Artifacts
import Documents
import Foundation
import HTTPTransport
import SandboxTestSupport
import SystemSupport
import TestSupport
import Testing

@testable import LocalRunner

@Suite struct StepFolderSessionTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func path(_ name: String) -> BytePath { BytePath(folder.url.appending(path: name).path) }

    private func write(_ name: String, _ text: String) throws { try folder.write(Data(text.utf8), to: name) }

    private func read(_ name: String) throws -> String {
        try String(contentsOf: folder.url.appending(path: name), encoding: .utf8)
    }

    private func exists(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: folder.url.appending(path: name).path)
    }

    private static let workflow = """
        apiVersion: argoproj.io/v1alpha1
        kind: Workflow
        metadata: {generateName: half-}
        spec:
          entrypoint: main
          templates:
          - name: main
            steps:
            - - name: a
                template: work
                arguments:
                  parameters: [{name: who, value: x}]
                  artifacts: [{name: data, raw: {data: hello}}]
          - name: work
            inputs:
              parameters: [{name: who}]
              artifacts:
              - {name: nested, path: /in/tree/sub, raw: {data: nested}}
              - {name: data, path: /in/tree}
              - {name: maybe, path: /maybe, optional: true}
            outputs:
              parameters: [{name: p, valueFrom: {path: /out/p}}]
              artifacts:
              - {name: dir, path: /out}
              - {name: plain, path: /out/f, archive: {none: {}}}
              - {name: none, path: /nothing, optional: true}
            script: {image: alpine, command: [sh], source: "echo {{inputs.parameters.who}}"}

        """

    private func half(environment: [String: String] = [:], _ change: (inout LocalRunSettings) -> Void = { _ in }) throws
        -> StepFolderSession
    {
        if !exists("wf.yaml") { try write("wf.yaml", Self.workflow) }
        var settings = LocalRunSettings()
        settings.files = [path("wf.yaml")]
        settings.entrypoint = "work"
        settings.parameters = [("who", "me")]
        settings.artifacts = [("data", path("tree"))]
        settings.home = path(".")
        change(&settings)
        return StepFolderSession(settings, folder: path("step"), log: .silent) { store, secrets in
            DriverContext(
                registry: ArtifactDrivers(), clients: HTTPClients(HTTPClientConfiguration()), log: .silent,
                executorBackoff: Backoff(duration: 0, factor: 1, jitter: 0, steps: 1), secretsDirectory: secrets,
                requestBackoff: nil, localStore: store, clouds: CloudEnvironment(Environment(environment)))
        } warn: { warning in
            Issue.record("warned: \(warning)")
        }
    }

    private func fromManifest(_ settings: inout LocalRunSettings) {
        settings.files = []
        (settings.entrypoint, settings.parameters, settings.artifacts) = (nil, [], [])
    }

    private func writeTree() throws {
        try write("tree/a", "A")
        // What a mount would hide.
        try write("tree/sub/b", "B")
    }

    private func failure(_ change: (inout LocalRunSettings) -> Void) throws -> String {
        let error = #expect(throws: (any Error).self) { try half(change).stage() }
        return error.map { LocalRefusal.lines($0).joined(separator: "; ") } ?? ""
    }

    // MARK: Staging

    @Test func bringsTheInputsOfATemplateAndNothingElse() throws {
        try writeTree()
        let text = try half().stage()
        #expect(text == "input nested: \(path("step/root/in/tree/sub"))\ninput data: \(path("step/root/in/tree"))\n")
        #expect(try read("step/root/in/tree/a") == "A")
        #expect(try read("step/root/in/tree/sub") == "nested")
        #expect(try read("step/root/argo/staging/script") == "echo me")
        #expect(!exists("step/root/maybe"))
        #expect(FileManager.default.isExecutableFile(atPath: path("step/root/argo/staging/script").text))
        let names = try FileManager.default.contentsOfDirectory(atPath: path("step").text).sorted()
        #expect(names == ["manifest.json", "root"])
    }

    @Test func printsItsManifest() throws {
        try writeTree()
        let printed = try JSONValue(parsing: Array(try half { $0.output = .json }.stage().utf8))
        #expect(printed == (try JSONValue(parsing: Array(try read("step/manifest.json").utf8))))
        #expect(printed["inputs"]?.array?.first == ["name": "nested", "path": "/in/tree/sub", "file": "root/in/tree/sub"])
        #expect(printed["template"]?["script"]?["source"] == "echo me")
        #expect(printed["variables"]?["ARGO_WORKFLOW_NAME"]?.string?.hasPrefix("half-") == true)
    }

    @Test func refusesWhatMakesNoStep() throws {
        try writeTree()
        #expect(
            try failure {
                $0.entrypoint = nil
                $0.artifacts = []
            }
                == "the template 'main' is of the kind Steps and makes no pod; name another with --template: work")
        #expect(try failure { $0.parameters = [] }.contains("needs a parameter 'who'"))
        #expect(try failure { $0.artifacts = [] }.contains("needs an artifact 'data'"))
        #expect(try failure { $0.entrypoint = "nobody" }.contains("nobody"))
        #expect(try failure { $0.files = [path("absent")] }.hasSuffix("absent: no such file or directory"))
        #expect(!exists("step"))
    }

    @Test func tellsAnInputThatIsMissing() throws {
        try write(
            "wf.yaml",
            "name: t\ninputs: {artifacts: [{name: data, path: /d, s3: {key: not/there}}]}\ncontainer: {image: x, command: [x]}\n"
        )
        let error = try failure {
            $0.entrypoint = nil
            $0.parameters = []
            $0.artifacts = []
        }
        #expect(error.hasPrefix("load artifact 'data': find "))
        #expect(error.hasSuffix("artifacts/not/there: no such object"))
    }

    @Test func neverStagesOverSomething() throws {
        try writeTree()
        try write("step/mine", "x")
        #expect(try failure { _ in } == "stage into \(path("step")): the folder is not empty")
        #expect(try read("step/mine") == "x")
    }

    // MARK: Secrets that were not given

    private static let missingKeys =
        "secret 'keys' is needed for s3://b at 127.0.0.1:1: give --secrets DIR, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"

    private func nameRepository(_ endpoint: String) throws {
        try write(
            "repository.yaml",
            "s3: {endpoint: \"\(endpoint)\", insecure: true, bucket: b, keyFormat: \"x/{{pod.name}}\", "
                + "accessKeySecret: {name: keys, key: a}, secretKeySecret: {name: keys, key: s}}")
    }

    @Test func asksForTheKeysOfARepository() throws {
        try writeTree()
        try nameRepository("127.0.0.1:1")
        let staging = try failure { $0.repository = path("repository.yaml") }
        #expect(staging == "-a data=\(path("tree")): " + Self.missingKeys)
        #expect(!exists("step"))
        _ = try half().stage()
        try leaveOutputs()
        let (_, errors) = try half {
            fromManifest(&$0)
            $0.repository = path("repository.yaml")
        }.collect()
        #expect(errors.map { errorText($0) }.first?.hasPrefix("save artifact 'dir': " + Self.missingKeys) == true)
    }

    @Test func takesTheKeysOfARepositoryFromTheEnvironment() throws {
        try writeTree()
        let store = try StandInStore()
        defer { store.stop() }
        try nameRepository(store.endpoint)
        let keys = ["AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "secret"]
        let text = try half(environment: keys) { $0.repository = path("repository.yaml") }.stage()
        #expect(text.contains("input data: "))
        #expect(try read("step/root/in/tree/a") == "A")
    }

    @Test func refusesFoldersOfObjectsThatAreNotThere() throws {
        try writeTree()
        let nowhere = path("nowhere")
        let verbs: [(StepFolderSession) throws -> Void] = [{ _ = try $0.stage() }, { _ = try $0.collect() }]
        for verb in verbs {
            let secrets = #expect(throws: ExecutorError.self) { try verb(half { $0.objects.secrets = nowhere }) }
            #expect(secrets?.message == "--secrets \(nowhere): no such folder")
            let maps = #expect(throws: ExecutorError.self) { try verb(half { $0.objects.configMaps = nowhere }) }
            #expect(maps?.message == "--configmaps \(nowhere): no such folder")
        }
        #expect(!exists("step"))
    }

    // MARK: Given artifacts

    /// A workflow whose entry for the artifact has an archive strategy, as the template's input has.
    private func declare(_ archive: String, isDeclared: Bool = true) throws {
        let entry = "{name: data, archive: {\(archive): {}}, s3: {key: of/the/workflow}}"
        try write(
            "wf.yaml",
            """
            apiVersion: argoproj.io/v1alpha1
            kind: Workflow
            metadata: {generateName: given-}
            spec:
              entrypoint: work
              arguments: {artifacts: [\(isDeclared ? entry : "")]}
              templates:
              - name: work
                inputs: {artifacts: [{name: data, path: /in, archive: {\(archive): {}}}, {name: other, path: /o, optional: true}]}
                container: {image: x, command: [c]}

            """)
    }

    private func stageGiven(_ file: String) throws {
        _ = try half {
            $0.parameters = []
            $0.artifacts = [("data", path(file))]
        }.stage()
    }

    @Test(arguments: [true, false]) func keepsTheArchiveStrategyOfWhatIsGiven(isDeclared: Bool) throws {
        try writeTree()
        try runShell("cd \"$1\" && tar -czf data.tgz tree && python3 -m zipfile -c data.zip tree", [path(".")])
        // `none`: an archive stays one, a folder goes file by file.
        try declare("none", isDeclared: isDeclared)
        try stageGiven("data.tgz")
        #expect(
            try Data(contentsOf: folder.url.appending(path: "step/root/in"))
                == Data(contentsOf: folder.url.appending(path: "data.tgz")))
        try FileManager.default.removeItem(atPath: path("step").text)
        try stageGiven("tree")
        #expect(try read("step/root/in/sub/b") == "B")
        // `zip`: an archive is unpacked, a folder goes as one.
        try declare("zip", isDeclared: isDeclared)
        for given in ["data.zip", "tree"] {
            try FileManager.default.removeItem(atPath: path("step").text)
            try stageGiven(given)
            #expect(try read("step/root/in/sub/b") == "B", "\(given)")
        }
        // `tar`: what it is anyway.
        try declare("tar", isDeclared: isDeclared)
        for given in ["data.tgz", "tree"] {
            try FileManager.default.removeItem(atPath: path("step").text)
            try stageGiven(given)
            #expect(try read("step/root/in/sub/b") == "B", "\(given)")
        }
    }

    @Test func refusesAnArtifactThatNothingTakes() throws {
        try writeTree()
        try declare("none")
        let text = try failure {
            $0.parameters = []
            $0.artifacts = [("data", path("tree/a")), ("dtaa", path("tree/a"))]
        }
        #expect(text == "-a dtaa=…: neither the workflow nor its entrypoint has an artifact 'dtaa'; there are: data, other")
        // Nothing was stored.
        #expect(!exists(".argoexec/artifacts/given") && !exists("step"))
    }

    @Test func stopsAtOnce() throws {
        try writeTree()
        let half = try half()
        half.stop()
        #expect(throws: (any Error).self) { try half.stage() }
        #expect(half.isInterrupted)
    }

    // MARK: Collecting

    private func leaveOutputs() throws {
        try write("step/root/out/f", "f")
        try write("step/root/out/p", "value\n")
    }

    @Test func storesTheOutputsOfAFolder() throws {
        try writeTree()
        _ = try half().stage()
        try leaveOutputs()
        let (text, errors) = try half(fromManifest).collect()
        #expect(errors.isEmpty)
        let name =
            try JSONValue(parsing: Array(try read("step/manifest.json").utf8))["variables"]?["ARGO_POD_NAME"]?.string ?? ""
        let store = path(".argoexec/artifacts/\(name)/\(name)")
        #expect(text == "parameter p: value\nartifact dir: \(store)/dir.tgz\nartifact plain: \(store)/f\n")
        #expect(try read(".argoexec/artifacts/\(name)/\(name)/f") == "f")
        #expect(try listing(of: store.appending("dir.tgz")) == ["out", "out/f", "out/p"])
        // What the user has made is still there.
        #expect(try read("step/root/out/f") == "f")
        // The same keys when the file is named again.
        let (json, _) = try half { $0.output = .json }.collect()
        let outputs = try JSONValue(parsing: Array(json.utf8))
        #expect(
            outputs["artifacts"]?.array?.map { $0["s3"]?["key"]?.string } == ["\(name)/\(name)/dir.tgz", "\(name)/\(name)/f"])
        #expect(outputs["parameters"]?.array?.first?["value"] == "value")
    }

    private func listing(of archive: BytePath) throws -> [String] {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["tar", "-tzf", archive.text]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map {
            $0.hasSuffix("/") ? String($0.dropLast()) : String($0)
        }.sorted()
    }

    @Test func goesOnAfterAnOutputThatIsMissing() throws {
        try writeTree()
        _ = try half().stage()
        try write("step/root/out/f", "f")
        let (text, errors) = try half(fromManifest).collect()
        #expect(
            errors.map { errorText($0) }.first?.hasPrefix("save output parameter 'p': open \(path("step/root/out/p")): ")
                == true)
        try FileManager.default.removeItem(atPath: path("step/root/out").text)
        let more = try half(fromManifest).collect().errors.map { errorText($0) }
        #expect(
            more.contains { $0.hasPrefix("save artifact 'dir': find \(path("step/root/out")): no such file") }, "\(more)")
        #expect(text.contains("artifact plain: "))
    }

    @Test func takesTheResultFromWhatWasPrinted() throws {
        try writeTree()
        _ = try half().stage()
        try leaveOutputs()
        try write("step/ctr/main/stdout", "printed\n")
        #expect(try half(fromManifest).collect().text.hasPrefix("result: printed\n"))
    }

    @Test func needsAManifestOrAFile() throws {
        let error = #expect(throws: ExecutorError.self) { try half(fromManifest).collect() }
        #expect(error?.message == "collect from \(path("step")): it has no manifest.json: give the file of the step")
        try write("step/manifest.json", "{")
        let broken = #expect(throws: ExecutorError.self) { try half(fromManifest).collect() }
        #expect(broken?.message.hasPrefix("read \(path("step/manifest.json")): ") == true)
    }

    @Test func storesInTheRepositoryThatIsNamedNow() throws {
        try writeTree()
        _ = try half().stage()
        try leaveOutputs()
        let store = try StandInStore()
        defer { store.stop() }
        try write("secrets/keys/a", "AKIA")
        try write("secrets/keys/s", "secret")
        try write(
            "other.yaml",
            "s3: {endpoint: \"\(store.endpoint)\", insecure: true, bucket: b, keyFormat: \"x/{{workflow.name}}/{{pod.name}}\", "
                + "accessKeySecret: {name: keys, key: a}, secretKeySecret: {name: keys, key: s}}")
        func use(_ settings: inout LocalRunSettings) {
            fromManifest(&settings)
            settings.repository = path("other.yaml")
            settings.objects.secrets = path("secrets")
        }
        let (text, errors) = try half(use).collect()
        #expect(errors.isEmpty, "\(errors.map { errorText($0) })")
        let variables = try JSONValue(parsing: Array(try read("step/manifest.json").utf8))["variables"]
        let place = "x/\(variables?["ARGO_WORKFLOW_NAME"]?.string ?? "")/\(variables?["ARGO_POD_NAME"]?.string ?? "")"
        #expect(store.keys == ["\(place)/dir.tgz", "\(place)/f"])
        #expect(text.contains("artifact plain: s3://b/\(place)/f\n"), "\(text)")
        #expect(!exists(".argoexec/artifacts/\(place.dropFirst(2))"))
        // A key that cannot be told is never guessed.
        try write("other.yaml", try read("other.yaml").replacing("{{pod.name}}", with: "{{workflow.parameters.team}}"))
        let error = #expect(throws: ExecutorError.self) { try half(use).collect() }
        #expect(
            error?.message
                == "use \(path("other.yaml")): its key format has {{workflow.parameters.team}}, whose value only the workflow's file tells: name that too"
        )
    }

    @Test(arguments: [0, 1, 2]) func refusesFlagsThatAManifestLeavesNoRoomFor(flag: Int) throws {
        try writeTree()
        _ = try half().stage()
        let error = #expect(throws: ExecutorError.self) {
            try half {
                $0.files = []
                if flag != 0 { $0.parameters = [] }
                if flag != 1 { $0.artifacts = [] }
                if flag != 2 { $0.entrypoint = nil }
            }.collect()
        }
        let name = ["--parameter", "--artifact", "--template"][flag]
        #expect(
            error?.message
                == "collect from \(path("step")): \(name) has no effect without a file: the folder's manifest says what the step is"
        )
    }

    // MARK: Other stores, other files

    @Test func usesARealRepository() async throws {
        let server = try await S3Server.shared()
        let bucket = try await server.makeBucket()
        try write("secrets/keys/a", server.accessKey)
        try write("secrets/keys/s", server.secretKey)
        try write(
            "repository.yaml",
            """
            s3: {endpoint: "\(server.endpoint)", bucket: \(bucket), insecure: true, keyFormat: "k/{{workflow.name}}",
              accessKeySecret: {name: keys, key: a}, secretKeySecret: {name: keys, key: s}}
            """)
        try write("tree", "a file this time")
        try write("wf.yaml", Self.workflow.replacingOccurrences(of: "/in/tree/sub", with: "/in/other"))
        let change: (inout LocalRunSettings) -> Void = {
            $0.repository = path("repository.yaml")
            $0.objects.secrets = path("secrets")
        }
        _ = try half(change).stage()
        #expect(try read("step/root/in/tree") == "a file this time")
        try leaveOutputs()
        let (text, errors) = try half {
            change(&$0)
            fromManifest(&$0)
        }.collect()
        #expect(errors.isEmpty)
        let name =
            try JSONValue(parsing: Array(try read("step/manifest.json").utf8))["variables"]?["ARGO_WORKFLOW_NAME"]?.string ?? ""
        #expect(text.contains("artifact plain: s3://\(bucket)/k/\(name)/f"))
        #expect(try await server.get(bucket: bucket, key: "k/\(name)/f") == Array("f".utf8))
        #expect(!exists(".argoexec"))
    }

    @Test func takesAPodsJSON() throws {
        let template: JSONValue = [
            "name": "t", "container": ["image": "x", "volumeMounts": [["name": "v", "mountPath": "/vol"]]],
            "inputs": [
                "artifacts": [
                    ["name": "one", "path": "/vol/one", "raw": ["data": "1"]],
                    ["name": "two", "path": "/two", "raw": ["data": "2"]],
                ]
            ],
        ]
        let pod: JSONValue = [
            "apiVersion": "v1", "kind": "Pod", "metadata": ["name": "p"],
            "spec": [
                "initContainers": [
                    ["name": "init", "env": [["name": "ARGO_TEMPLATE", "value": .string(template.serializedText())]]]
                ],
                "containers": [["name": "main"]],
            ],
        ]
        try write("pod.json", pod.serializedText())
        let bare: (inout LocalRunSettings) -> Void = {
            $0.files = [path("pod.json")]
            $0.entrypoint = nil
            $0.parameters = []
            $0.artifacts = []
        }
        _ = try half(bare).stage()
        #expect(try read("step/root/vol/one") + read("step/root/two") == "12")
        try FileManager.default.removeItem(atPath: path("step").text)
        let error = try failure {
            bare(&$0)
            $0.entrypoint = "t"
        }
        #expect(error == "--template has no effect on a pod: it says everything itself")
        // One whose template was too large for it.
        var large = pod
        large["spec"]?["initContainers"] = [["name": "init", "env": [["name": "ARGO_TEMPLATE", "value": "offloaded"]]]]
        large["spec"]?["volumes"] = [["name": "argo-env-config", "configMap": ["name": "p"]]]
        try write("pod.json", large.serializedText())
        #expect(try failure(bare).hasSuffix("its template is in a config map; give its folder with --configmaps"))
        try write("maps/p/ARGO_TEMPLATE", template.serializedText())
        _ = try half {
            bare(&$0)
            $0.objects.configMaps = path("maps")
        }.stage()
        #expect(try read("step/root/two") == "2")
    }
}
