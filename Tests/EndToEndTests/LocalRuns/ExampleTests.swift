import Foundation
import TestSupport
import Testing

/// One of our own examples, and what is to come out of it.
private struct Example: Sendable, CustomTestStringConvertible {
    let name: String
    var arguments: [String] = []
    /// What the containers print, in any order where steps run side by side.
    var printed: [String] = []
    /// The lines of standard output; artifacts' paths up to the store's folder are cut off.
    var results: [String] = []

    var testDescription: String { name }
    var file: String { Self.folder.appending(path: name + ".yaml").path }

    static let folder = Checkout.root.appending(path: "examples")

    static let all = [
        Example(name: "hello-world", printed: ["hello world"]),
        Example(
            name: "passing", printed: ["2", "roses are red", "violets are blue"],
            results: ["parameter summary: 2 poems, 6 words", "artifact poems: …/poems.tgz"]),
        Example(
            name: "parameters", arguments: ["-p", "name=you", "--parameter=mood=calm"], printed: ["a calm hello to you!"]),
        Example(name: "parallel-steps", printed: ["first", "left", "right", "last"]),
        Example(name: "dag-diamond", printed: ["a", "ab", "ac", "ab+acd"], results: ["parameter way: ab+acd"]),
        Example(name: "container-set", printed: ["there are numbers", "55"], results: ["parameter sum: 55"]),
        Example(name: "suspend", printed: ["wait a moment", "here we go"]),
        Example(name: "volumes", printed: ["kept between steps"]),
        Example(
            name: "objects",
            arguments: [
                "--configmaps", folder.appending(path: "objects/configmaps").path, "--secrets",
                folder.appending(path: "objects/secrets").path,
            ], printed: ["Good morning / Good morning: the password has 11 characters"]),
        Example(name: "sidecar", printed: ["six times seven is 42"]),
        Example(
            name: "map-reduce",
            printed: ["6 the", "2 cat", "2 dog", "2 on", "2 sat", "1 log", "1 mat", "1 saw"],
            results: ["parameter most-frequent: 6 the", "artifact counts: …/counts"]),
        Example(name: "outputs", printed: ["height 12, width unknown"], results: ["global parameter height: 12"]),
        Example(name: "templates", printed: ["desserts", "stressed"], results: ["parameter once: desserts"]),
        Example(name: "cron", printed: ["the night shift begins"]),
    ]
}

@Suite("Examples", .enabled(if: !LocalRunProcess.User.usable.isEmpty, "bubblewrap does not work on this machine"))
struct ExampleTests {
    @Test(arguments: Example.all, LocalRunProcess.User.usable)
    private func run(_ example: Example, user: LocalRunProcess.User) async throws {
        let ending = try await LocalRunProcess.run([example.file] + example.arguments, user: user)
        #expect(ending.status == 0, "\(ending.errors)")
        let own = ending.printed.filter { !$0.hasPrefix("time=") }
        #expect(own.sorted() == example.printed.sorted(), "\(ending.errors)")
        let results: [String] = ending.output.split(separator: "\n").map { line in
            String(line).replacing(/\/\S*\/\.argoexec\/artifacts\/\S*\//, with: "…/")
        }
        #expect(results == example.results)
    }

    @Test(arguments: LocalRunProcess.User.usable)
    func runsAPodAsTheControllerWritesIt(user: LocalRunProcess.User) async throws {
        let pod = Example.folder.appending(path: "hello-artifacts/pod.json").path
        let ending = try await LocalRunProcess.run(["--from", pod], user: user)
        #expect(ending.status == 0, "\(ending.errors)")
        let lines = ending.output.split(separator: "\n")
        #expect(lines.prefix(3) == ["result: Hello, world!", "parameter count: 2", "parameter mood: cheerful"])
        let stored = lines.filter { $0.contains("/.argoexec/artifacts/hello-artifacts/hello-artifacts/") }
        #expect(stored.compactMap { $0.split(separator: "/").last } == ["greetings.tgz", "english.txt", "main.log"])
    }

    @Test func everyExampleIsRun() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Example.folder.path).filter { $0.hasSuffix(".yaml") }
        #expect(files.sorted() == Example.all.map { $0.name + ".yaml" }.sorted())
    }

    @Test(
        .requires(.kubernetes),
        .enabled("ARGO_CRDS has no definitions of workflows", { try await ExampleTests.knowsWorkflows() }),
        arguments: Example.all)
    private func isValidInACluster(_ example: Example) async throws {
        let cluster = try await ClusterServer.shared(.kubernetes)
        let kinds = [
            "Workflow": "workflows", "CronWorkflow": "cronworkflows", "WorkflowTemplate": "workflowtemplates",
        ]
        for document in try String(contentsOfFile: example.file, encoding: .utf8).components(separatedBy: "\n---\n") {
            let kind = try #require(document.split(separator: "\n").first { $0.hasPrefix("kind: ") }).dropFirst(6)
            try await cluster.validate(document, as: #require(kinds[String(kind)]))
        }
    }

    /// Definitions take a moment until they count.
    fileprivate static func knowsWorkflows() async throws -> Bool {
        let cluster = try await ClusterServer.shared(.kubernetes)
        for _ in 0..<20 {
            if await cluster.knows("workflows"), await cluster.knows("cronworkflows"), await cluster.knows("workflowtemplates")
            {
                return true
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        return false
    }

    @Test(arguments: Example.all)
    private func printsItsPods(_ example: Example) async throws {
        let folder = try TemporaryFolder()
        let ending = try await LocalRunProcess.run([example.file, "--print-pods"] + example.arguments, in: folder)
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(ending.output.hasPrefix("---\napiVersion: v1\nkind: Pod\n"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
    }
}
