import Foundation
import TestSupport
import Testing

/// A workflow that must not begin, and the one line that says why.
private struct Refusal: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let workflow: String
    var arguments: [String] = []
    let line: String
}

private let echo = """
        - name: echo
          container: {image: debian, command: [echo]}
    """

private let refusals = [
    Refusal(
        testDescription: "a wrong tag",
        workflow: workflow(
            """
                - name: main
                  container: {image: debian, command: [echo, "{{inputs.parameters.nothing}}"]}
            """),
        line:
            "error: workflow.yaml:9:50: spec.templates[0].container.command[1]: unknown variable {{inputs.parameters.nothing}}"
    ),
    Refusal(
        testDescription: "an unknown template",
        workflow: workflow(
            """
                - name: main
                  steps: [[{name: a, template: nobody}]]
            """),
        line: "error: workflow.yaml:9:36: spec.templates[0].steps[0][0].template: template 'nobody' is not defined"),
    Refusal(
        testDescription: "a cycle",
        workflow: workflow(
            """
                - name: main
                  steps: [[{name: a, template: main}]]
            """),
        line: "error: workflow.yaml:9:16: spec.templates[0].steps[0][0]: template 'main' calls itself without end (main → main)"
    ),
    Refusal(
        testDescription: "bad YAML", workflow: "a: [",
        line: "error: workflow.yaml:1:5: did not find expected node content while parsing a flow node"),
    Refusal(
        testDescription: "a missing secret",
        workflow: workflow(
            """
                - name: main
                  container:
                    image: debian
                    command: [env]
                    env: [{name: A, valueFrom: {secretKeyRef: {name: absent, key: k}}}]
            """),
        line:
            "error: workflow.yaml:12:52: spec.templates[0].container.env[0].valueFrom.secretKeyRef.name: key 'k' of secret 'absent' is not there (no --secrets folder is given)"
    ),
    Refusal(
        testDescription: "a missing config map",
        workflow: workflow(
            """
                - name: main
                  container: {image: debian, command: [ls], volumeMounts: [{name: v, mountPath: /v}]}
                  volumes: [{name: v, configMap: {name: absent}}]
            """), arguments: ["--configmaps", "."],
        line:
            "error: workflow.yaml:10:39: spec.templates[0].volumes[0].configMap.name: config map 'absent' is not there (no ./absent in the --configmaps folder)"
    ),
    Refusal(
        testDescription: "an artifact that is not in the store",
        workflow: workflow(
            """
                - name: main
                  inputs: {artifacts: [{name: a, path: /a, s3: {key: no/where}}]}
                  container: {image: debian, command: [cat, /a]}
            """),
        line:
            "error: workflow.yaml:9:28: spec.templates[0].inputs.artifacts[0]: artifact 'a' is not in the local store: there is no "
    ),
    Refusal(
        testDescription: "an artifact file that is not there", workflow: workflow(echo, entrypoint: "echo"),
        arguments: ["-a", "data=nowhere"], line: "error: -a data=nowhere: there is no such file"),
    Refusal(
        testDescription: "a command that nobody knows",
        workflow: workflow(
            """
                - name: main
                  container: {image: debian}
            """),
        line:
            "error: workflow.yaml:8:7: spec.templates[0]: container 'main' names no command, and that of the image \"debian\" is not known here"
    ),
    Refusal(
        testDescription: "a field that later versions bring",
        workflow: workflow(
            """
                - name: main
                  synchronization: {mutexes: [{name: m, database: true}]}
                  container: {image: debian, command: [echo]}
            """),
        line:
            "error: workflow.yaml:9:45: spec.templates[0].synchronization.mutexes[0].database: locks in a database are not supported in a local run"
    ),
    Refusal(
        testDescription: "a warning under --strict",
        workflow: workflow(
            """
                - name: main
                  nodeSelector: {disk: ssd}
                  container: {image: debian, command: [echo]}
            """), arguments: ["--strict"],
        line: "error: workflow.yaml:9:7: spec.templates[0].nodeSelector: has no effect in a local run: "),
    Refusal(
        testDescription: "an engine that is not installed", workflow: workflow(echo, entrypoint: "echo"),
        arguments: ["--engine", "no-such-engine"],
        line: "error: start a container: the engine 'no-such-engine' is not installed: "),
    Refusal(
        testDescription: "an artifact of a plugin's store",
        workflow: workflow(
            """
                - name: main
                  outputs: {artifacts: [{name: out, path: /tmp/out, plugin: {name: p, key: k, configuration: c}}]}
                  container: {image: debian, command: [sh, -c, "sleep 60"]}
            """),
        line:
            "error: workflow.yaml:9:57: spec.templates[0].outputs.artifacts[0].plugin: artifact 'out' is in a store of the kind plugin, which a local run cannot reach"
    ),
    Refusal(
        testDescription: "an artifact of a store without a driver",
        workflow: workflow(
            """
                - name: main
                  inputs: {artifacts: [{name: src, path: /src, hdfs: {addresses: [h.invalid:8020], path: /x}}]}
                  container: {image: debian, command: [ls, /src]}
            """),
        line:
            "error: workflow.yaml:9:52: spec.templates[0].inputs.artifacts[0].hdfs: artifact 'src' is in a store of the kind hdfs, which a local run cannot reach"
    ),
    Refusal(
        testDescription: "a program that this machine has under another version",
        workflow: workflow(
            """
                - name: main
                  steps: [[{name: work, template: work}], [{name: then, template: then}]]
                - {name: work, container: {image: debian, command: [sleep, "60"]}}
                - {name: then, script: {image: "some/sh:1", command: [python3.0.0], source: print(1)}}
            """),
        line:
            "error: workflow.yaml:11:59: spec.templates[2].script.command[0]: container 'main': 'python3.0.0' is not on this machine (python"
    ),
    Refusal(
        testDescription: "a program that is nowhere",
        workflow: workflow(
            """
                - name: main
                  container: {image: "some/app:1", command: [/app/run]}
            """),
        line:
            "error: workflow.yaml:9:50: spec.templates[0].container.command[0]: container 'main': '/app/run' is not on this machine, whose programs stand in for the image 'some/app:1'; give the image by --image some/app:1=PATH, or run it by --engine docker|podman"
    ),
    Refusal(
        testDescription: "a template inside a step that names no command",
        workflow: workflow(
            """
                - name: main
                  steps: [[{name: a, inline: {container: {image: debian}}}]]
            """),
        line: "error: workflow.yaml:9:26: spec.templates[0].steps[0][0].inline: container 'main' names no command, "),
    Refusal(
        testDescription: "a template inside a task whose program is nowhere",
        workflow: workflow(
            """
                - name: main
                  dag: {tasks: [{name: a, inline: {container: {image: "some/app:1", command: [/app/run]}}}]}
            """),
        line:
            "error: workflow.yaml:9:83: spec.templates[0].dag.tasks[0].inline.container.command[0]: container 'main': '/app/run' is not on this machine"
    ),
    Refusal(
        testDescription: "a second workflow",
        workflow: workflow(echo, entrypoint: "echo") + "\n---\n" + workflow(echo, entrypoint: "echo"),
        line:
            "error: workflow.yaml:11:1: 2 workflows are given; choose one with --workflow NAME: Workflow 'test' (workflow.yaml:1:1), "
    ),
    Refusal(
        testDescription: "a folder of config maps that is not there", workflow: workflow(echo, entrypoint: "echo"),
        arguments: ["--configmaps", "nowhere"], line: "error: --configmaps nowhere: no such folder"),
    Refusal(
        testDescription: "a folder of secrets that is a file", workflow: workflow(echo, entrypoint: "echo"),
        arguments: ["--secrets", "workflow.yaml"], line: "error: --secrets workflow.yaml: not a folder"),
    Refusal(
        testDescription: "a name that ends in a dash",
        workflow: workflow(echo, entrypoint: "echo").replacingOccurrences(of: "name: test", with: "name: create-all-"),
        line:
            "error: workflow.yaml:4:9: metadata.name: a workflow's name has small letters, digits, '-' and '.' only: it cannot end with '-'; is 'generateName' meant?"
    ),
    Refusal(
        testDescription: "a chart's template",
        workflow: workflow("    - name: main\n      container: {image: {{ .Values.image }}, command: [echo]}"),
        line:
            "error: workflow.yaml:9:27: this is a template of a workflow, not a workflow ({{ .Values.image }}): render it first"
    ),
    Refusal(
        testDescription: "more nodes than a run may have",
        workflow: workflow(
            """
                - {name: main, steps: [[{name: a, template: echo}, {name: b, template: echo}]]}
            \(echo)
            """), arguments: ["--max-nodes", "3"],
        line:
            "error: workflow.yaml:8:7: spec.templates[0]: template 'main' makes 4 nodes with all that it calls; a run may have 3 "
    ),
    Refusal(
        testDescription: "a config map for a parameter",
        workflow: workflow(
            """
                - name: main
                  inputs: {parameters: [{name: p, valueFrom: {configMapKeyRef: {name: c, key: k}}}]}
                  container: {image: debian, command: [echo]}
            """),
        line:
            "error: workflow.yaml:9:29: spec.templates[0].inputs.parameters[0]: parameter 'p' needs key 'k' of config map 'c', which is not there (no --configmaps folder is given)"
    ),
]

@Suite("Local runs that do not begin") struct RefusalTests {
    @Test(arguments: refusals) private func isOneLineAndNothingRuns(_ refusal: Refusal) async throws {
        let folder = try TemporaryFolder()
        let ending = try await LocalRunProcess.run(workflow: refusal.workflow, refusal.arguments, in: folder)
        #expect(ending.status == 1)
        #expect(ending.output.isEmpty)
        #expect(isOneLine(ending.errors), "\(ending.errors)")
        #expect(ending.errors.hasPrefix(refusal.line), "\(ending.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.url.appending(path: ".argoexec").path))
    }

    @Test(arguments: ["--secrets", "--configmaps"]) func aStepIsNotRunAgainWithAFolderThatIsNotThere(flag: String) async throws
    {
        let ending = try await LocalRunProcess.run(["--from", "step", flag, "nowhere"])
        #expect(ending.status == 1)
        #expect(ending.errors == "error: \(flag) nowhere: no such folder\n")
    }

    @Test(arguments: [
        ["--nothing"], [], ["w.yaml", "--parallelism", "none"], ["w.yaml", "-p", "nothing"], ["w.yaml", "-o", "xml"],
        ["w.yaml", "--pause", "never"], ["w.yaml", "--max-nodes", "0"],
    ])
    func badFlagsAre64(_ arguments: [String]) async throws {
        let ending = try await LocalRunProcess.run(arguments)
        #expect(ending.status == 64)
        #expect(ending.errors.hasPrefix("Error: "))
    }

    @Test(.enabled(if: LocalRunProcess.User.usable.contains(.ordinary), "ordinary users can make no sandboxes here"))
    func namesAUserThatOnlyRootCanBe() async throws {
        let text = workflow(
            """
                - name: main
                  securityContext: {runAsUser: 1234}
                  container: {image: debian, command: [id, -u]}
            """)
        let warned = try await LocalRunProcess.run(workflow: text, user: .ordinary)
        #expect(warned.status == 0, "\(warned.errors)")
        #expect(
            warned.errors.contains(
                "warning: workflow.yaml:8:7: spec.templates[0]: container 'main': runAsUser 1234 is only a name here"))
        #expect(warned.printed == ["1234"])
        let refused = try await LocalRunProcess.run(workflow: text, ["--strict"], user: .ordinary)
        #expect(refused.status == 1)
        #expect(
            refused.errors.contains(
                "error: workflow.yaml:8:7: spec.templates[0]: container 'main': runAsUser 1234 is only a name here"))
    }

    @Test func namesAMistypedFieldBesideTheError() async throws {
        let ending = try await LocalRunProcess.run(
            workflow: workflow("    - name: main\n      contaner: {image: debian, command: [echo]}"))
        #expect(ending.status == 1)
        #expect(
            ending.errors
                == "error: workflow.yaml:8:7: spec.templates[0]: a template needs one of: container, script, containerSet, steps, dag, suspend\n"
                + "warning: workflow.yaml:9:7: spec.templates[0].contaner: unknown field; did you mean 'container'?\n")
    }
}
