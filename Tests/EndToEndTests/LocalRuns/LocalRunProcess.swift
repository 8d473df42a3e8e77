import Foundation
import Glibc
import TestSupport
import Testing

/// `argoexec run` in a folder of its own.
final class LocalRunProcess: Sendable {
    /// Who runs it.
    enum User: Sendable, CaseIterable, CustomTestStringConvertible {
        case tester, ordinary

        var testDescription: String { self == .tester ? "as the tester" : "as an ordinary user" }

        /// Words before the program's own.
        var prefix: [String] {
            self == .tester ? [] : ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
        }

        /// Those that can make sandboxes here. Only root can become somebody else.
        static let usable: [User] = (geteuid() == 0 ? allCases : [.tester]).filter { user in
            let probe = Process()
            probe.executableURL = URL(filePath: "/usr/bin/env")
            probe.arguments =
                user.prefix + ["bwrap"] + (user == .ordinary ? ["--unshare-user"] : [])
                + ["--ro-bind", "/", "/", "--proc", "/proc", "--unshare-pid", Checkout.executor.path, "version"]
            probe.standardError = FileHandle.nullDevice
            probe.standardOutput = FileHandle.nullDevice
            do { try probe.run() } catch { return false }
            probe.waitUntilExit()
            return probe.terminationStatus == 0
        }
    }

    /// How a run ended and what it said.
    struct Ending {
        let status: Int32
        let output: String
        let errors: String

        /// What containers printed, in the order of its coming: lines with a bar.
        var printed: [String] {
            errors.split(separator: "\n").compactMap { line in
                line.range(of: " | ").map { String(line[$0.upperBound...]) }
            }
        }
    }

    let folder: TemporaryFolder
    private let process: ToolProcess

    /// Starts it.
    ///
    /// - Parameters:
    ///   - folder: where it runs; nil for a new one.
    ///   - environment: more variables.
    init(
        _ arguments: [String], user: User = .tester, in folder: TemporaryFolder? = nil, environment: [String: String] = [:]
    ) throws {
        self.folder = try folder ?? TemporaryFolder()
        chmod(self.folder.url.path, 0o777)
        process = try ToolProcess(
            URL(filePath: "/bin/sh"),
            ["-c", "cd \"$0\" && exec \"$@\"", self.folder.url.path] + user.prefix + [Checkout.executor.path, "run"]
                + arguments,
            environment: environment)
    }

    func type(_ line: String) { process.send(line) }

    func signal(_ number: Int32) { kill(process.identifier, number) }

    /// What it has said on standard error so far.
    var errors: String { process.diagnostics }

    /// Waits until it has said something on standard error.
    func waitUntilSaid(_ text: String) async throws {
        for _ in 0..<1000 {
            if errors.contains(text) { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw LocalRunSilence(wanted: text, said: errors)
    }

    /// Waits for its end.
    func ending() async -> Ending {
        var output = ""
        for await line in process.lines { output += line + "\n" }
        return Ending(status: await process.exitStatus(), output: output, errors: errors)
    }

    /// Runs it to its end.
    static func run(
        _ arguments: [String], user: User = .tester, in folder: TemporaryFolder? = nil, environment: [String: String] = [:]
    ) async throws -> Ending {
        try await LocalRunProcess(arguments, user: user, in: folder, environment: environment).ending()
    }

    /// Runs a workflow that is written down here.
    static func run(
        workflow: String, _ arguments: [String] = [], user: User = .tester, in folder: TemporaryFolder? = nil
    ) async throws -> Ending {
        let folder = try folder ?? TemporaryFolder()
        try folder.write(Data(workflow.utf8), to: "workflow.yaml")
        return try await run(["workflow.yaml"] + arguments, user: user, in: folder)
    }
}

/// A run that did not say what was waited for.
struct LocalRunSilence: Error {
    let wanted: String
    let said: String
}

/// The workflow of one template, with the words around it.
func workflow(_ templates: String, entrypoint: String = "main", spec: String = "") -> String {
    """
    apiVersion: argoproj.io/v1alpha1
    kind: Workflow
    metadata:
      name: test
    spec:
      entrypoint: \(entrypoint)
    \(spec.isEmpty ? "" : spec + "\n")  templates:
    \(templates)
    """
}
