import Documents
import SystemSupport
import Testing
import WorkflowModel

private func template(_ text: String) throws -> Template { try Template.load(from: Array(text.utf8)) }

@Suite struct TemplateTests {
    @Test(arguments: Templates.all)
    func aTemplateIsWrittenAsItWasRead(_ text: String) throws {
        #expect(try template(text).document.serializedText() == text)
    }

    @Test(arguments: Templates.all)
    func declaredOutputsAreReportedAsTheyAreDeclared(_ text: String) throws {
        let template = try template(text)
        #expect(template.outputs.document.serializedText() == template.document["outputs"]?.serializedText())
    }

    @Test func readsAContainerTemplate() throws {
        let make = try template(Templates.container)
        #expect(make.name == "make")
        #expect(make.kind == .container)
        #expect(make.inputArtifacts.map(\.name) == ["seed", "extra"])
        #expect(make.inputArtifacts[0].mode == 0)
        #expect(make.inputArtifacts[1].mode == nil)
        #expect(make.inputArtifacts[1].optional)
        #expect(make.outputs.parameters[0].valueFrom?.path == "/tmp/size")
        #expect(make.outputs.parameters[0].valueFrom?.defaultValue == "")
        #expect(make.outputs.artifacts.map(\.archive) == [.tar(compressionLevel: 0), .asIs, .empty])
        #expect(make.outputs.artifacts[1].globalName == "report")
        #expect(make.sidecarNames == ["cache"])
        #expect(make.declaredVolumeMounts == [VolumeMount(name: "work", mountPath: "/vol")])
        #expect(make.archivesLogs)
        #expect(make.archiveLocation?.s3?.insecure == false)
        #expect(make.archiveLocation?.s3?.accessKeySecret == SecretKeySelector(name: "store", key: "user"))
        #expect(make.mainContainerNames == ["main"])
        #expect(make.capturesResult)
        #expect(make.scriptSource == nil)
    }

    @Test func readsAScriptTemplate() throws {
        let gen = try template(Templates.script)
        #expect(gen.kind == .script)
        #expect(gen.scriptSource == "print(\"<1>\")\n")
        #expect(gen.outputs.result == "old")
        #expect(gen.declaredVolumeMounts.map(\.mountPath) == ["/data/"])
        #expect(!gen.archivesLogs)
        #expect(gen.archiveLocation == nil)
    }

    @Test func readsAContainerSetWithoutItsMembersMounts() throws {
        let graph = try template(Templates.containerSet)
        #expect(graph.kind == .containerSet)
        #expect(graph.mainContainerNames == ["a", "main"])
        #expect(graph.containerSet?.member(named: "main")?.dependencies == ["a"])
        #expect(graph.declaredVolumeMounts.map(\.mountPath) == ["/set"])
        #expect(graph.capturesResult)
        let retry = try #require(graph.containerSet?.retryStrategy)
        #expect(retry.attempts == 3)
        #expect(try retry.pause() == 1_500_000_000)
    }

    @Test func readsAResourceTemplate() throws {
        let apply = try template(Templates.resource)
        let resource = try #require(apply.resource)
        #expect(apply.kind == .resource)
        #expect(resource.action == "patch")
        #expect(resource.mergeStrategy == "json")
        #expect(resource.manifest == "")
        #expect(resource.manifestFromArtifact == "m")
        #expect(resource.successCondition == "status.phase == Ready")
        #expect(resource.failureCondition == "status.phase == Broken")
        #expect(resource.flags == ["--cascade=false"])
        #expect(apply.outputs.parameters[0].valueFrom?.jsonPath == "{.metadata.uid}")
        #expect(!apply.capturesResult)
    }

    @Test func anEmptyTemplateIsFine() throws {
        let empty = try template("{}")
        #expect(empty.kind == .unknown)
        #expect(empty.inputArtifacts.isEmpty)
        #expect(empty.mainContainerNames == ["main"])
        #expect(!empty.capturesResult)
    }

    @Test(arguments: [
        (#"{"plugin":{"p":1},"http":{},"suspend":{},"data":{},"resource":{},"script":{}}"#, TemplateKind.script),
        (#"{"plugin":{"p":1},"http":{},"suspend":{},"data":{},"resource":{}}"#, .resource),
        (#"{"plugin":{"p":1},"http":{},"suspend":{},"data":{}}"#, .data),
        (#"{"plugin":{"p":1},"http":{},"suspend":{}}"#, .suspend),
        (#"{"plugin":{"p":1},"http":{}}"#, .http), (#"{"plugin":{"p":1}}"#, .plugin),
        (#"{"script":{},"dag":{},"steps":[],"containerSet":{}}"#, .containerSet),
        (#"{"script":{},"dag":{},"steps":[]}"#, .steps),
        (#"{"script":{},"dag":{}}"#, .dag), (#"{"containerSet":{},"container":{}}"#, .container),
        (#"{"container":null,"script":{}}"#, .script),
    ])
    func theFirstTypePresentCounts(_ text: String, _ kind: TemplateKind) throws {
        #expect(try template(text).kind == kind)
    }

    @Test func aContainerSetWithoutMainHasNoResult() throws {
        #expect(!(try template(#"{"containerSet":{"containers":[{"name":"a"}]}}"#).capturesResult))
    }

    @Test func fieldNamesMatchWhateverTheirCase() throws {
        let odd = try template(#"{"Name":"x","INPUTS":{"Artifacts":[{"NAME":"a","Path":"/a","S3":{"KEY":"k"}}]}}"#)
        #expect(odd.name == "x")
        #expect(odd.inputArtifacts[0].path == "/a")
        #expect(try odd.inputArtifacts[0].location.key() == "k")
    }

    @Test func nullCountsAsAbsent() throws {
        let empty = try template(
            #"{"name":null,"inputs":{"artifacts":null},"outputs":null,"sidecars":null,"archiveLocation":null}"#)
        #expect(empty.name == "")
        #expect(empty.archiveLocation == nil)
    }

    @Test(arguments: [
        ("[]", "template"), (#"{"name":1}"#, "template.name"), (#"{"inputs":{"artifacts":{}}}"#, "template.inputs.artifacts"),
        (#"{"outputs":{"artifacts":[{"name":"a"},{"path":7}]}}"#, "template.outputs.artifacts[1].path"),
        (#"{"inputs":{"artifacts":[{"s3":{"insecure":"yes"}}]}}"#, "template.inputs.artifacts[0].s3.insecure"),
        (#"{"containerSet":{"retryStrategy":{"retries":1.5}}}"#, "template.containerSet.retryStrategy.retries"),
        (#"{"plugin":{}}"#, "template.plugin"), (#"{"plugin":{"a":1,"b":2}}"#, "template.plugin"),
        (#"{"containerSet":{"containers":[{"dependencies":[1]}]}}"#, "template.containerSet.containers[0].dependencies[0]"),
        (#"{"inputs":{"artifacts":[{"git":{"repo":"r","depth":-1}}]}}"#, "template.inputs.artifacts[0].git.depth"),
    ])
    func wrongKindsAreErrorsThatNameTheField(_ text: String, _ field: String) throws {
        let error = try #require(throws: ModelError.self) { try template(text) }
        #expect(error.message.hasPrefix("read \(field): "))
        #expect(!error.isTransient && !error.isNotFound)
    }

    @Test(arguments: ["", "offloaded", "{\"name\":\"a\""])
    func whatIsNoJSONIsAnError(_ text: String) {
        #expect(throws: JSONError.self) { try template(text) }
    }
}

@Suite struct RetryStrategyTests {
    private func retry(_ text: String) throws -> ContainerSet.RetryStrategy {
        try #require(try template(#"{"containerSet":{"retryStrategy":\#(text)}}"#).containerSet?.retryStrategy)
    }

    // N means N runs; where the reference would run nothing and call it success, we run once.
    @Test(arguments: [
        ("{}", 1), (#"{"retries":1}"#, 1), (#"{"retries":2}"#, 2), (#"{"retries":"5"}"#, 5), (#"{"retries":0}"#, 1),
        (#"{"retries":-3}"#, 1), (#"{"retries":"many"}"#, 1),
    ])
    func attemptsAreAtLeastOne(_ text: String, _ attempts: Int) throws {
        #expect(try retry(text).attempts == attempts)
    }

    @Test func noDurationIsNoPause() throws { #expect(try retry("{}").pause() == 0) }

    @Test(arguments: ["-1s", "soon", "5"])
    func badDurationsAreErrors(_ duration: String) throws {
        let strategy = try retry(#"{"duration":"\#(duration)"}"#)
        #expect(throws: ModelError.self) { try strategy.pause() }
    }
}
