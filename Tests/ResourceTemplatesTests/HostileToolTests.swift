import Documents
import Executor
import Foundation
import KubernetesAPI
import ProcessControl
import SystemSupport
import TestSupport
import Testing
import WorkflowModel

@testable import ResourceTemplates

/// Programs in the place of kubectl and jq that do what they should not: each ends the step with one clear error.
@Suite struct HostileToolTests {
    /// No object is ever looked at.
    private struct Blind: ObjectReader {
        func read(_ object: KubernetesObject) throws -> JSONValue { throw ExecutorError.failed("not to be read") }
    }

    private let folder: TemporaryFolder
    private let termination: EventDescriptor
    private let sink = RecordingSink()

    init() throws {
        folder = try TemporaryFolder()
        termination = try EventDescriptor()
    }

    private func install(_ name: String, _ script: String, mode: Int = 0o755) throws {
        try folder.write(Data(script.utf8), to: "bin/\(name)")
        try FileManager.default.setAttributes(
            [.posixPermissions: mode], ofItemAtPath: folder.url.appending(path: "bin/\(name)").path)
    }

    /// - Parameter outputs: the template's parameters.
    /// - Returns: the error's text; nil where all went well.
    private func act(outputs: [String] = []) async throws -> String? {
        while true {
            let error = try await attempt(outputs)
            // A process that another test starts at this moment may hold the new program open.
            if error?.hasSuffix("text file busy") != true { return error }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func attempt(_ outputs: [String]) async throws -> String? {
        let parameters = outputs.map { #"{"name": "p", "valueFrom": \#($0)}"# }.joined(separator: ",")
        let template = try Template.load(
            from: Array(
                #"""
                {"name": "t", "resource": {"action": "create", "manifest": "{}", "flags": ["x"]}, "inputs": {},
                 "outputs": {"parameters": [\#(parameters)]}, "metadata": {}}
                """#.utf8))
        var settings = try ExecutorSettings(
            Environment(["ARGO_POD_NAME": "pod", "ARGO_DEADLINE": "0001-01-01T00:00:00Z"]))
        settings.paths.manifest = BytePath(folder.url.appending(path: "manifest.yaml").path)
        let errors = try FileHandle(forWritingTo: URL(filePath: "/dev/null"))
        let tools = ToolBox(
            environment: ProcessEnvironment([BytePath("PATH=\(folder.url.path)/bin:/usr/bin:/bin")]),
            interruption: Interruption(termination), log: .silent, standardError: errors.fileDescriptor)
        let run = ResourceRun(
            action: "create", settings: settings, template: template, sink: sink, reader: Blind(), tools: tools)
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                do {
                    _ = try run.run()
                    continuation.resume(returning: nil)
                } catch { continuation.resume(returning: errorText(error)) }
                withExtendedLifetime(errors) {}
            }
        }
    }

    private static let object = #"echo '{"kind": "X", "apiVersion": "v1", "metadata": {"name": "a"}}'"#

    @Test(arguments: [
        ("#!/bin/sh\nkill -9 $$\n", "no more retries kubectl create was killed by signal 9"),
        ("#!/bin/sh\nexit 3\n", "no more retries kubectl create ended with exit code 3"),
        ("#!/bin/sh\nhead -c 100000000 /dev/zero\n", "its output is larger than 16777216 bytes"),
        ("not a program\n", "exec format error"), ("#!/no/such/shell\n", "no such file or directory"),
        ("#!/bin/sh\necho '[]'\n", "kind and metadata.name are both needed"),
    ]) func endsWithOneErrorWhateverKubectlDoes(script: String, text: String) async throws {
        try install("kubectl", script)
        let error = try #require(try await act())
        #expect(error.contains(text), "\(error)")
        #expect(sink.calls.suffix(2) == ["initialize", "finalize"])
    }

    /// Of a flood of words the first and the last are kept.
    @Test func keepsTheEndsOfAFlood() async throws {
        try install(
            "kubectl", "#!/bin/sh\necho first >&2; head -c 100000000 /dev/zero | tr '\\0' x >&2; echo; echo last >&2; exit 1\n")
        let error = try #require(try await act())
        #expect(error.hasPrefix("no more retries first") && error.hasSuffix("last"))
        #expect(error.utf8.count < 100_000)
    }

    /// What it leaves running in the background holds nothing up.
    @Test func waitsForNoChildOfKubectls() async throws {
        let file = folder.url.appending(path: "child")
        try install("kubectl", "#!/bin/sh\nsleep 300 &\necho $! > '\(file.path)'\n\(Self.object)\n")
        defer {
            // It would keep what this process has open for minutes.
            let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
            if let child = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)) { kill(child, SIGKILL) }
        }
        #expect(try await act() == nil)
    }

    @Test(arguments: [
        (#"{"jqFilter": "repeat(1)"}"#, "its output is larger than 3145728 bytes"),
        (#"{"jqFilter": ".a.b | error(\"own words\")"}"#, "own words"), (#"{"jqFilter": "((("}"#, "jq: "),
    ]) func endsWithOneErrorWhateverAFilterDoes(source: String, text: String) async throws {
        try install("kubectl", "#!/bin/sh\n\(Self.object)\n")
        let error = try #require(try await act(outputs: [source]))
        #expect(error.hasPrefix("output parameter 'p': ") && error.contains(text), "\(error)")
        #expect(sink.outputs == nil)
    }

    @Test func refusesAValueThatNoTaskResultCanHold() async throws {
        try install(
            "kubectl", "#!/bin/sh\ncase $* in *jsonpath*) head -c 5000000 /dev/zero | tr '\\0' x;; *) \(Self.object);; esac\n")
        let error = try #require(try await act(outputs: [#"{"jsonPath": "{.a}"}"#]))
        #expect(error.hasPrefix("output parameter 'p': ") && error.contains("larger than 3145728 bytes"), "\(error)")
    }

    @Test func endsAHangingKubectlByItsSignal() async throws {
        try install("kubectl", "#!/bin/sh\ntrap '' TERM\ntouch \(folder.url.path)/runs\nwhile :; do sleep 0.1; done\n")
        async let error = act()
        try await happens("kubectl runs") { FileManager.default.fileExists(atPath: folder.url.appending(path: "runs").path) }
        termination.signal()
        #expect(try await error == "run kubectl create: ended by SIGTERM")
        #expect(sink.calls.suffix(2) == ["initialize", "finalize"])
    }
}
