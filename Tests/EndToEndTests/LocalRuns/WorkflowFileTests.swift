import Foundation
import TestSupport
import Testing

/// Where workflows come from: several in a file, folders, standard input, objects beside them.
@Suite("Workflow files of local runs") struct WorkflowFileTests {
    private func show(_ name: String, _ text: String) -> String {
        """
        apiVersion: argoproj.io/v1alpha1
        kind: Workflow
        metadata: {generateName: \(name)-}
        spec:
          entrypoint: show
          templates:
          - name: show
            container: {image: debian, command: [echo, \(text)]}

        """
    }

    @Test func runsTheWorkflowThatIsChosen() async throws {
        let text = show("first", "one") + "---\n" + show("second", "two")
        let ending = try await LocalRunProcess.run(workflow: text, ["--workflow", "second"])
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(ending.printed == ["two"])
    }

    @Test func readsFoldersAndEachFileOnce() async throws {
        let folder = try TemporaryFolder()
        let library = """
            apiVersion: argoproj.io/v1alpha1
            kind: WorkflowTemplate
            metadata: {name: lib}
            spec: {templates: [{name: show, container: {image: debian, command: [echo, from the library]}}]}
            """
        let main = workflow("    - {name: main, steps: [[{name: a, templateRef: {name: lib, template: show}}]]}")
        try folder.write(Data(library.utf8), to: "files/lib.yaml")
        try folder.write(Data("no workflow".utf8), to: "files/notes.txt")
        try folder.write(Data(main.utf8), to: "files/main.yaml")
        let ending = try await LocalRunProcess.run(
            ["files/main.yaml", "-f", "files", "-f", "./files/lib.yaml"], in: folder)
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(ending.printed == ["from the library"])
        let none = try await LocalRunProcess.run(["files/main.yaml", "-f", "empty"], in: folder)
        #expect(none.status == 1)
        try FileManager.default.createDirectory(at: folder.url.appending(path: "empty"), withIntermediateDirectories: true)
        let empty = try await LocalRunProcess.run(["files/main.yaml", "-f", "empty"], in: folder)
        #expect(empty.errors == "error: read the workflow: empty: the folder has no files that end in .yaml, .yml, .json\n")
    }

    @Test func readsStandardInput() async throws {
        let folder = try TemporaryFolder()
        try folder.write(Data(show("piped", "through a pipe").utf8), to: "piped.yaml")
        let process = try ToolProcess(
            URL(filePath: "/bin/sh"),
            ["-c", "cd \"$0\" && exec \"$1\" run - < piped.yaml", folder.url.path, Checkout.executor.path])
        for await _ in process.lines {}
        #expect(await process.exitStatus() == 0, "\(process.diagnostics)")
        #expect(process.diagnostics.contains(" | through a pipe"))
    }

    @Test func usesConfigMapsAndSecretsOfTheFileAndFoldersBeforeThem() async throws {
        let folder = try TemporaryFolder()
        let objects = """
            ---
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: map}
            data: {k: from the file}
            ---
            apiVersion: v1
            kind: Secret
            metadata: {name: keys}
            data: {encoded: ZGVjb2RlZA==}
            stringData: {plain: text}
            """
        let text =
            workflow(
                """
                    - name: main
                      inputs: {parameters: [{name: p, valueFrom: {configMapKeyRef: {name: map, key: k}}}]}
                      volumes: [{name: v, secret: {secretName: keys}}]
                      container:
                        image: debian
                        command: [sh, -c, "echo {{inputs.parameters.p}}; echo $E; cat /v/plain"]
                        env: [{name: E, valueFrom: {secretKeyRef: {name: keys, key: encoded}}}]
                        volumeMounts: [{name: v, mountPath: /v}]
                """) + "\n" + objects
        let ending = try await LocalRunProcess.run(workflow: text, in: folder)
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(ending.printed == ["from the file", "decoded", "text"])
        try folder.write(Data("from the folder".utf8), to: "maps/map/k")
        let given = try await LocalRunProcess.run(workflow: text, ["--configmaps", "maps"], in: folder)
        #expect(given.printed.first == "from the folder")
        let wrong = try await LocalRunProcess.run(
            workflow: text.replacingOccurrences(of: "ZGVjb2RlZA==", with: "'%%'"), in: folder)
        #expect(wrong.errors == "error: workflow.yaml:25:17: data.encoded: not valid Base64\n")
    }

    @Test func aProgramThatComesWithThePodIsNotMissed() async throws {
        let ending = try await LocalRunProcess.run(
            workflow: workflow(
                """
                    - name: main
                      volumes: [{name: v, emptyDir: {}}]
                      initContainers:
                      - name: make
                        image: debian
                        command: [sh, -c, "printf '#!/bin/sh\\\\necho made\\\\n' > /v/run && chmod 755 /v/run"]
                        volumeMounts: [{name: v, mountPath: /v}]
                      container: {image: debian, command: [/v/run], volumeMounts: [{name: v, mountPath: /v}]}
                """))
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(ending.printed == ["made"])
    }

    @Test func tellsWhatStaysOfParametersThatReferToEachOtherTooOften() async throws {
        let parameters = (0..<6).map { index in
            "{name: p\(index), value: '\(index == 0 ? "x" : "{{workflow.parameters.p\(index - 1)}}")'}"
        }
        let ending = try await LocalRunProcess.run(
            workflow: workflow(
                "    - {name: main, container: {image: debian, command: [echo, '{{workflow.parameters.p5}}']}}",
                spec: "  arguments: {parameters: [\(parameters.joined(separator: ", "))]}"))
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(
            ending.errors.contains(
                "warning: workflow.yaml:9:7: spec.templates[0]: {{workflow.parameters.p3}} stays as it is: "))
        #expect(ending.printed == ["{{workflow.parameters.p3}}"])
    }

    @Test func keepsWhatANamedPluginWouldKeep() async throws {
        let ending = try await LocalRunProcess.run(
            workflow: workflow(
                """
                    - name: main
                      outputs: {artifacts: [{name: out, path: /tmp/out, plugin: {name: p, key: k}}]}
                      container: {image: debian, command: [touch, /tmp/out]}
                """))
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(
            ending.errors.contains(
                "warning: workflow.yaml:9:57: spec.templates[0].outputs.artifacts[0].plugin: artifact 'out' names a plugin; it is kept in the local store instead"
            ))
    }
}
