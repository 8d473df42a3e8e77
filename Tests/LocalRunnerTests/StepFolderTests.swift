import ArtifactRegistry
import Artifacts
import Foundation
import Glibc
import HTTPTransport
import SystemSupport
import TestSupport
import Testing

@testable import LocalRunner

/// What `stage` and `collect` do to a developer's folder, and never to what is beside it.
@Suite struct StepFolderTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try write("outside/d/precious", "precious")
        try write("tree/ok", "ok")
        try write("tree/real/kept", "kept")
    }

    private func path(_ name: String) -> BytePath { BytePath(folder.url.appending(path: name).path) }
    private func write(_ name: String, _ text: String) throws { try folder.write(Data(text.utf8), to: name) }
    private func read(_ name: String) throws -> String { String(decoding: try SmallFile.read(path(name)), as: UTF8.self) }
    private func names(_ name: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path(name).text).sorted()
    }
    private func link(_ name: String, to target: String) throws { try #require(symlink(target, path(name).text) == 0) }

    /// A step with the input `a` at `/in` and the input `b` at a place in it.
    private func half(_ place: String = "/in/n", key: String? = nil) throws -> StepFolderSession {
        let source = key.map { "s3: {key: \($0)}" } ?? "raw: {data: nested}"
        try write(
            "wf.yaml",
            """
            apiVersion: argoproj.io/v1alpha1
            kind: Workflow
            metadata: {name: w}
            spec:
              entrypoint: m
              arguments: {artifacts: [{name: a}]}
              templates:
              - name: m
                inputs: {artifacts: [{name: a, path: /in}, {name: b, path: \(place), \(source)}]}
                outputs: {artifacts: [{name: model, path: /tmp/model}]}
                container: {image: x, command: [cat]}

            """)
        var settings = LocalRunSettings()
        settings.files = [path("wf.yaml")]
        settings.artifacts = [("a", path("tree"))]
        settings.home = path(".")
        return StepFolderSession(settings, folder: path("step"), log: .silent) { store, secrets in
            DriverContext(
                registry: ArtifactDrivers(), clients: HTTPClients(HTTPClientConfiguration()), log: .silent,
                executorBackoff: Backoff(duration: 0, factor: 1, jitter: 0, steps: 1), secretsDirectory: secrets,
                requestBackoff: nil, localStore: store)
        } warn: { _ in
        }
    }

    private func checkOutside() throws {
        #expect(try names("outside/d") == ["precious"])
        #expect(try names("outside") == ["d"])
    }

    @Test(arguments: ["/in/l/d", "/in/l/new", "/in/l/d/precious", "/in/l/deep/new"])
    func anInputBelowALinkThatLeadsOutIsRefused(_ place: String) throws {
        for target in [path("outside").text, "../../../outside", "../../../../outside"] {
            try link("tree/l", to: target)
            #expect(throws: (any Error).self) { try half(place).stage() }
            try checkOutside()
            #expect(!FileManager.default.fileExists(atPath: path("step").text))
            try FileManager.default.removeItem(atPath: path("tree/l").text)
        }
    }

    @Test func anInputBelowALinkThatStaysInsideIsPutWhereItLeads() throws {
        try link("tree/relative", to: "real")
        try link("tree/absolute", to: "/in/real")
        _ = try half("/in/relative/n").stage()
        #expect(try read("step/root/in/real/n") == "nested")
        #expect(try read("step/root/in/real/kept") == "kept")
        try FileManager.default.removeItem(atPath: path("step").text)
        _ = try half("/in/absolute/n").stage()
        #expect(try read("step/root/in/real/n") == "nested")
        try checkOutside()
    }

    @Test func aNestedInputHidesWhatIsThere() throws {
        try link("tree/l", to: path("outside").text)
        for place in ["/in/real", "/in/l", "/in/ok"] {
            _ = try half(place).stage()
            #expect(try read("step/root\(place)") == "nested")
            #expect(try names("step") == ["manifest.json", "root"])
            try FileManager.default.removeItem(atPath: path("step").text)
        }
        try checkOutside()
    }

    @Test func aFailedAttemptLeavesNothing() throws {
        #expect(throws: (any Error).self) { try half(key: "not/there").stage() }
        #expect(!FileManager.default.fileExists(atPath: path("step").text))
        try FileManager.default.createDirectory(atPath: path("step").text, withIntermediateDirectories: true)
        #expect(throws: (any Error).self) { try half(key: "not/there").stage() }
        #expect(try names("step") == [], "the folder itself is the user's")
        _ = try half().stage()
        #expect(try read("step/root/in/n") == "nested")
    }

    @Test func collectingRemovesNothing() throws {
        _ = try half().stage()
        try write("step/root/tmp/model", "1")
        try write("step/outputs/artifacts/model/mine", "mine")
        try write("step/ctr/main/mine", "mine")
        let (text, errors) = try half().collect()
        #expect(errors.isEmpty)
        #expect(text.contains("artifact model: "))
        #expect(try read("step/outputs/artifacts/model/mine") == "mine")
        #expect(try read("step/ctr/main/mine") == "mine")
        #expect(try read("step/root/tmp/model") == "1")
    }

    @Test(arguments: ["pipe", "/dev/zero", "/etc/passwd"]) func isNotHeldUpByAManifestThatIsNoFile(_ kind: String) throws {
        _ = try half().stage()
        try FileManager.default.removeItem(atPath: path("step/manifest.json").text)
        if kind == "pipe" {
            try #require(mkfifo(path("step/manifest.json").text, 0o666) == 0)
        } else {
            try link("step/manifest.json", to: kind)
        }
        #expect(throws: SystemError.self) { try half().collect() }
    }

    @Test(arguments: ["pipe", "/dev/zero", "/etc/passwd"]) func takesNoOutputThatIsNoFile(_ kind: String) throws {
        _ = try half().stage()
        try FileManager.default.createDirectory(atPath: path("step/root/tmp").text, withIntermediateDirectories: true)
        if kind == "pipe" {
            try #require(mkfifo(path("step/root/tmp/model").text, 0o666) == 0)
        } else {
            try link("step/root/tmp/model", to: kind)
        }
        let (_, errors) = try half().collect()
        #expect(errors.count == 1)
    }
}
