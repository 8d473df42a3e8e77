import ArtifactRegistry
import Artifacts
import Documents
import Foundation
import HTTPTransport
import PluginArtifacts
import ProcessControl
import SystemSupport
import TestSupport
import Testing
import WorkflowModel

@testable import Executor

/// A plugin's server that runs for as long as its artifacts are loaded.
@Suite(.enabled(if: PluginServer.python != nil, "grpcio is installed")) struct PluginInitRunTests {
    private let folder: TemporaryFolder
    private let python = PluginServer.python ?? ""

    init() throws { folder = try TemporaryFolder() }

    private func path(_ name: String) -> BytePath { BytePath(folder.url.appending(path: name).path) }

    private func artifact(_ name: String, _ plugin: String, _ behaviour: String = "", _ more: String = "") -> String {
        #"{"name": "\#(name)", "path": "/in/\#(name)", \#(more) "plugin": {"name": "\#(plugin)", "key": "store/\#(name)", "configuration": "behaviour: \#(behaviour)"}}"#
    }

    private func run(_ inputs: String, command: [String]? = nil) throws {
        let template = try Template(
            document: JSONValue(
                parsing: #"{"name": "t", "container": {"image": "x"}, "inputs": {"artifacts": [\#(inputs)]}}"#))
        var drivers = DriverContext(
            registry: ArtifactDrivers(), clients: HTTPClients(HTTPClientConfiguration(trust: .insecure)), log: .silent,
            executorBackoff: Backoff(duration: 1_000_000, factor: 1, jitter: 0, steps: 1), spoolDirectory: path("."))
        drivers.clouds[PluginPlaces.self].sockets = path("s")
        drivers.clouds[PluginPlaces.self].patience = 60_000_000_000
        var settings = try ExecutorSettings(Environment(podVariables))
        settings.paths.inputArtifacts = path("inputs")
        try FileManager.default.createDirectory(
            at: folder.url.appending(path: "inputs"), withIntermediateDirectories: true)
        let words = command ?? [python, PluginServer.program, path("s/test/socket").text, path("f").text]
        let plugin = PluginInitRun.Plugin(
            name: "test", folder: drivers.clouds[PluginPlaces.self].folder(of: "test"), command: words.map { BytePath($0) },
            environment: ProcessEnvironment(["PATH=/usr/bin:/bin"]))
        let step = StepContext(template: template, settings: settings, drivers: drivers, log: .silent)
        try PluginInitRun(plugin, step: step, environment: Environment([:])).run()
    }

    private func failure(_ inputs: String, command: [String]? = nil) -> String? {
        do { try run(inputs, command: command) } catch { return errorText(error) }
        return nil
    }

    /// Whether the server has ended.
    private var isServerGone: Bool {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return !processes.contains { name in
            guard name.allSatisfy(\.isNumber), let words = try? Data(contentsOf: URL(filePath: "/proc/\(name)/cmdline"))
            else { return false }
            return words.range(of: Data(path("s/test/socket").text.utf8)) != nil
        }
    }

    private func mode(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path(name).text)[.posixPermissions] as? Int
    }

    @Test func loadsThePluginsArtifactsAlone() throws {
        try folder.write(Data("one".utf8), to: "f/store/store/a")
        try folder.write(Data("two".utf8), to: "f/store/store/b/c")
        try run(
            [
                artifact("a", "test"), artifact("b", "test"), artifact("other", "elsewhere"),
                #"{"name": "r", "path": "/r", "raw": {"data": "x"}}"#,
            ]
            .joined(separator: ","))
        #expect(try FileManager.default.contentsOfDirectory(atPath: path("inputs").text).sorted() == ["a", "b"])
        #expect(try String(contentsOf: folder.url.appending(path: "inputs/b/c"), encoding: .utf8) == "two")
        // What a plugin has written is for everybody.
        #expect(try mode("inputs/a") == 0o666)
        #expect(try mode("inputs/b") == 0o777)
        #expect(isServerGone)
    }

    @Test func aModeOfItsOwnCounts() throws {
        try folder.write(Data("one".utf8), to: "f/store/store/a")
        try run(artifact("a", "test", "", #""mode": 256,"#))
        #expect(try mode("inputs/a") == 0o400)
    }

    @Test func whatIsAbsentMayBeOptional() throws {
        try run(artifact("a", "test", "", #""optional": true,"#))
        #expect(try FileManager.default.contentsOfDirectory(atPath: path("inputs").text) == [])
        #expect(
            failure(artifact("a", "test"))
                == "load artifact 'a': load plugin://test/store/a: the plugin says NOT_FOUND: no such object")
        #expect(isServerGone)
    }

    @Test func aServerThatDiesHalfWayIsToldWithItsEnd() throws {
        let message = failure(artifact("a", "test", "die")) ?? ""
        #expect(message.hasPrefix("the server of artifact plugin 'test' ended with exit code 3: load artifact 'a': "))
        #expect(!message.contains("\n"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: path("inputs").text) == [])
        #expect(isServerGone)
    }

    @Test func aServerThatEndsBeforeItsSocketIsNotWaitedFor() throws {
        let message = failure(artifact("a", "test"), command: ["sh", "-c", "exit 9"]) ?? ""
        #expect(message.hasPrefix("the server of artifact plugin 'test' ended with exit code 9: load artifact 'a': "))
    }

    @Test func aServerThatCannotBeStartedIsToldAtOnce() throws {
        #expect(
            failure(artifact("a", "test"), command: ["no-such-server"])
                == #"start the server of artifact plugin 'test': exec: "no-such-server": executable file not found in $PATH"#)
        #expect(failure(artifact("a", "test"), command: []) == "no command was given after --")
    }

    @Test func whatTheServerHasStartedEndsWithIt() throws {
        try folder.write(Data("one".utf8), to: "f/store/store/a")
        let server = [python, PluginServer.program, path("s/test/socket").text, path("f").text].joined(separator: " ")
        try run(artifact("a", "test"), command: ["sh", "-c", "trap '' TERM; \(server) & wait; wait"])
        try eventually("all processes of the server have ended") { isServerGone }
    }
}
