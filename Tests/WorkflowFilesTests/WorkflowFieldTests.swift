import Documents
import Testing
import WorkflowFiles
import WorkflowModel

/// What is said about each field of a workflow's documents.
@Suite struct WorkflowFieldTests {
    private func document(_ text: String) throws -> WorkflowDocument {
        let source = try WorkflowSource(files: [("w.yaml", Array(text.utf8))])
        return try #require(source.documents.first)
    }

    private func spec(_ fields: String) throws -> [Finding] {
        try document("apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: a}\nspec:\n\(fields)").fieldFindings
    }

    private func template(_ fields: String) throws -> [Finding] {
        let text =
            "apiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplate\nmetadata: {name: a}\nspec:\n  templates:\n  - name: t\n\(fields)"
        return try #require(try document(text).templates.first).templateFieldFindings
    }

    private func lines(_ findings: [Finding]) -> [String] {
        findings.map { ($0.severity == .error ? "error " : "warning ") + $0.message }
    }

    @Test(arguments: [
        ("  entrypoint: main\n", []),
        (
            "  nodeSelector: {a: b}\n",
            ["warning w.yaml:5:3: spec.nodeSelector: has no effect in a local run: pods are not placed on nodes here"]
        ),
        ("  onExit: bye\n", []),
        (
            "  suspend: true\n",
            ["error w.yaml:5:3: spec.suspend: a suspended workflow does not begin; remove this field to run it"]
        ),
        ("  suspend: false\n", []),
        ("  hooks: {}\n  onExit: ''\n  parallelism:\n", []),
        (
            "  parallelism: 0\n",
            [
                "error w.yaml:5:16: spec.parallelism: 0 is out of range: expected a number from 1 to 9223372036854775807"
            ]
        ),
        ("  entrypont: main\n", ["warning w.yaml:5:3: spec.entrypont: unknown field; did you mean 'entrypoint'?"]),
        ("  EntryPoint: main\n", ["error w.yaml:5:3: spec.EntryPoint: the field is called 'entrypoint'"]),
        ("  something: {else: 1}\n", ["warning w.yaml:5:3: spec.something: unknown field"]),
        (
            "  entrypoint: 12\n",
            [
                "error w.yaml:5:15: spec.entrypoint: expected a text, found the number 12 (put it in quotes where a text is meant)"
            ]
        ),
        (
            "  entrypoint: yes\n",
            ["error w.yaml:5:15: spec.entrypoint: expected a text, found true (put it in quotes where a text is meant)"]
        ),
        (
            "  activeDeadlineSeconds: soon\n",
            ["error w.yaml:5:26: spec.activeDeadlineSeconds: expected an integer, found the text 'soon'"]
        ),
        ("  activeDeadlineSeconds: 1.5\n", ["error w.yaml:5:26: spec.activeDeadlineSeconds: expected an integer, found 1.5"]),
        ("  templates: {}\n  arguments: [a]\n", ["error w.yaml:6:14: spec.arguments: expected a mapping, found a list"]),
        (
            "  arguments: {parameters: {a: b}}\n",
            ["error w.yaml:5:27: spec.arguments.parameters: expected a list, found a mapping"]
        ),
        ("  arguments: {parameters: [{name: a, value: 1.0, default: true, enum: [1]}]}\n", []),
        (
            "  arguments: {parameters: [{name: a, value: [1]}]}\n",
            ["error w.yaml:5:45: spec.arguments.parameters[0].value: expected a text, found a list"]
        ),
        (
            "  workflowMetadata: {labels: {a: 1}}\n",
            [
                "error w.yaml:5:34: spec.workflowMetadata.labels.a: expected a text, found the number 1 (put it in quotes where a text is meant)"
            ]
        ),
        (
            "  workflowMetadata: {labelsFrom: {a: {expression: b}}}\n",
            []
        ),
        (
            "  volumes: [{name: v, nfs: {server: s}}]\n",
            ["error w.yaml:5:23: spec.volumes[0].nfs: volumes of this kind are not supported in a local run"]
        ),
        (
            "  volumeClaimTemplates: [{metadata: {name: v}, spec: {accessModes: [a], resources: {requests: {storage: 1Gi}}}}]\n",
            []
        ),
        (
            "  ttlStrategy: {secondsAfterCompletion: 5}\n",
            ["warning w.yaml:5:3: spec.ttlStrategy: has no effect in a local run: nothing is deleted after a local run"]
        ),
    ])
    func fieldsOfTheWorkflow(_ fields: String, _ expected: [String]) throws { #expect(lines(try spec(fields)) == expected) }

    @Test(arguments: [
        (
            "    container: {image: i, args: [a, 1]}\n",
            [
                "error w.yaml:7:37: spec.templates[0].container.args[1]: expected a text, found the number 1 (put it in quotes where a text is meant)"
            ]
        ),
        (
            "    container: {image: i, env: [{name: A, value: on}]}\n",
            [
                "error w.yaml:7:50: spec.templates[0].container.env[0].value: expected a text, found true (put it in quotes where a text is meant)"
            ]
        ),
        (
            "    container: {image: i, comand: [x]}\n",
            ["warning w.yaml:7:27: spec.templates[0].container.comand: unknown field; did you mean 'command'?"]
        ),
        ("    container: {image: i, source: x}\n", ["warning w.yaml:7:27: spec.templates[0].container.source: unknown field"]),
        (
            "    container: {image: i, resources: {limits: {cpu: 1}}}\n",
            [
                "warning w.yaml:7:27: spec.templates[0].container.resources: has no effect in a local run: resources are not limited here"
            ]
        ),
        ("    container: {image: i, resources: {}}\n", []),
        (
            "    container: {image: i, securityContext: {runAsUser: 5, privileged: true, procMount: Default}}\n",
            [
                "warning w.yaml:7:77: spec.templates[0].container.securityContext.procMount: has no effect in a local run: sandboxes here know nothing of it"
            ]
        ),
        (
            "    container: {image: i, args: [\"{{=inputs.parameters.x}}\"]}\n",
            []
        ),
        (
            "    script: {image: i, source: \"{{= 1 + 1 }}\"}\n",
            []
        ),
        (
            "    resource: {action: get}\n",
            ["error w.yaml:7:5: spec.templates[0].resource: templates of this type are not supported in a local run"]
        ),
        (
            "    daemon: true\n    suspend: {}\n",
            []
        ),
        (
            "    steps:\n    - - {name: a, template: b, withItems: [1], when: x}\n",
            []
        ),
        (
            "    steps:\n    - {name: a, template: b}\n",
            ["error w.yaml:8:7: spec.templates[0].steps[0]: expected a list, found a mapping"]
        ),
        (
            "    steps: [[{name: a, inline: {containr: {image: i}}}]]\n",
            ["warning w.yaml:7:33: spec.templates[0].steps[0][0].inline.containr: unknown field; did you mean 'container'?"]
        ),
        (
            "    dag: {tasks: [{name: a, template: b, continueOn: {failed: true}}]}\n",
            []
        ),
        (
            "    inputs: {artifacts: [{name: a, path: /a, s3: {keys: k}}]}\n    suspend: {}\n",
            ["warning w.yaml:7:51: spec.templates[0].inputs.artifacts[0].s3.keys: unknown field; did you mean 'key'?"]
        ),
        (
            "    inputs: {artifacts: [{name: a, path: /a, mode: \"0755\"}]}\n    suspend: {}\n",
            ["error w.yaml:7:52: spec.templates[0].inputs.artifacts[0].mode: expected an integer, found the text '0755'"]
        ),
        (
            "    outputs: {parameters: [{name: a, valueFrom: {expression: x}}]}\n    suspend: {}\n",
            []
        ),
        (
            "    sidecars: [{name: s, image: i, mirrorVolumeMounts: true, lifecycle: {preStop: {exec: {command: [x]}}}}]\n    suspend: {}\n",
            [
                "error w.yaml:7:62: spec.templates[0].sidecars[0].lifecycle: life cycle handlers of containers are not supported in a local run"
            ]
        ),
        ("    containerSet: {containers: [{name: a, image: i, dependencies: [b]}], retryStrategy: {retries: \"2\"}}\n", []),
    ])
    func fieldsOfATemplate(_ fields: String, _ expected: [String]) throws { #expect(lines(try template(fields)) == expected) }

    @Test func findingsCanBeHardened() throws {
        let finding = try #require(try spec("  priority: 3\n").first)
        #expect(finding.severity == .warning && finding.hardened.severity == .error)
        #expect(finding.hardened.message == finding.message)
    }

    @Test func aCronWorkflowsScheduleMeansNothingHere() throws {
        let document = try document(
            """
            apiVersion: argoproj.io/v1alpha1
            kind: CronWorkflow
            metadata: {name: a}
            spec:
              schedules: ["* * * * *"]
              concurrencyPolicy: Forbid
              when: "{{= cronworkflow.failed > 1 }}"
              workflowSpec: {entrypoint: m, parallelism: 3}
            """)
        #expect(
            lines(document.fieldFindings) == [
                "warning w.yaml:7:3: spec.when: has no effect in a local run: it only decides about a schedule"
            ])
    }
}
