import Foundation
import TestSupport
import Testing

/// What is longer than a process may take goes into a config map, as the controller does it.
@Suite("Large templates", .enabled(if: !LocalRunProcess.User.usable.isEmpty, "bubblewrap does not work on this machine"))
struct LargeTemplateTests {
    private static let filling = String(repeating: "x", count: 140_000)

    /// Fails, so that it is kept; the template of the container set is where its members stand.
    private static let script = workflow(
        """
            - name: main
              script: {image: debian, command: [sh], source: "wc -c < \\"$0\\"; exit 3\\n# \(filling)"}
        """)
    private static let arguments = workflow(
        """
            - name: main
              container: {image: debian, command: [sh, -c, 'echo $# $(printf %s "$1$2" | wc -c)', sh], args: ["\(filling.prefix(70_000))", "\(filling.prefix(70_000))"]}
        """)
    private static let containerSet = workflow(
        """
            - name: main
              containerSet:
                containers:
                - {name: one, image: debian, command: [sh, -c, "echo one \\"$0\\" | wc -c"], args: ["\(filling.prefix(70_000))"]}
                - {name: two, image: debian, command: [sh, -c, "echo two \\"$0\\" | wc -c"], args: ["\(filling.prefix(70_000))"]}
        """)

    @Test(arguments: LocalRunProcess.User.usable)
    func runsALargeScriptAndRunsItAgainFromItsFolder(user: LocalRunProcess.User) async throws {
        let folder = try TemporaryFolder()
        let ending = try await LocalRunProcess.run(workflow: Self.script, user: user, in: folder)
        #expect(ending.status == 1, "\(ending.errors)")
        #expect(ending.printed.contains("140023"), "\(ending.errors)")
        let runs = folder.url.appending(path: ".argoexec/runs")
        let run = try #require(try FileManager.default.contentsOfDirectory(atPath: runs.path).first)
        let again = try await LocalRunProcess.run(["--from", runs.appending(path: "\(run)/test").path], user: user, in: folder)
        #expect(again.printed.contains("140023"), "\(again.errors)")
    }

    @Test func runsLongArguments() async throws {
        let ending = try await LocalRunProcess.run(workflow: Self.arguments)
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(ending.printed == ["2 140000"], "\(ending.errors)")
    }

    @Test func waitsForEveryMemberOfALargeContainerSet() async throws {
        let ending = try await LocalRunProcess.run(workflow: Self.containerSet)
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(ending.printed == ["70005", "70005"], "\(ending.errors)")
    }

    @Test func printsTheConfigMapBeforeItsPod() async throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appending(path: "test.yaml")
        try Data(Self.arguments.utf8).write(to: file)
        let ending = try await LocalRunProcess.run([file.path, "--print-pods"], in: folder)
        let lines = ending.output.split(separator: "\n").filter { $0.utf8.count < 200 }.map(String.init)
        #expect(lines.filter { $0.hasPrefix("kind:") } == ["kind: ConfigMap", "kind: Pod"])
        #expect(lines.contains("      value: offloaded"))
        #expect(lines.contains("      value: /argo/config/ARGO_CONTAINER_ARGS_FILE"))
        #expect(ending.output.components(separatedBy: "mountPath: /argo/config").count == 3)
    }
}
