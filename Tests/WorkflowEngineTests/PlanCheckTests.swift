import Documents
import Testing
import WorkflowEngine
import WorkflowModel

/// What is refused before anything runs, and the one line that says so.
@Suite struct PlanCheckTests {
    private func findings(_ text: String..., settings: RunSettings = RunSettings()) -> [String] {
        do {
            return try Play.plan(text, settings).warnings.map { "warning: " + $0.message }
        } catch let refusal as WorkflowRefusal {
            return refusal.findings.map(\.message)
        } catch { return ["\(error)"] }
    }

    private static let leaf = "- {name: leaf, inputs: {parameters: [{name: m, default: d}]}, container: {image: i}}\n"

    @Test func aSoundWorkflowHasNoFindings() {
        #expect(findings(workflow("- name: main\n  steps: [[{name: a, template: leaf}]]\n" + Self.leaf)).isEmpty)
    }

    /// The place is marked by § in the text.
    @Test(arguments: [
        // References
        (
            #"""
            - name: main
              steps:
              - - {name: a, template: §gone}
            """#,
            "spec.templates[0].steps[0][0].template: template 'gone' is not defined"
        ),
        (
            #"""
            - name: main
              steps:
              - - §{name: a}
            """#,
            "spec.templates[0].steps[0][0]: one of template, templateRef and inline is needed"
        ),
        (
            #"""
            - name: main
              steps:
              - - {name: a, templateRef: {name: §lib, template: t}}
            """#,
            "spec.templates[0].steps[0][0].templateRef.name: WorkflowTemplate 'lib' is not among the given files; add its file with -f"
        ),
        // Names
        (
            #"""
            - name: main
              steps:
              - - §{template: leaf}
            """#,
            "spec.templates[0].steps[0][0]: every step needs a name"
        ),
        (
            #"""
            - name: main
              steps:
              - - {name: a, template: leaf}
              - - {name: §a, template: leaf}
            """#,
            "spec.templates[0].steps[1][0].name: a step 'a' is given before"
        ),
        (
            #"""
            - name: main
              steps:
              - - {name: §a_b, template: leaf}
            """#,
            "spec.templates[0].steps[0][0].name: a name consists of letters, digits and '-', begins with no '-' and has at most 128 characters"
        ),
        (
            #"""
            - name: main
              §steps: []
            """#,
            "spec.templates[0].steps: steps are needed"
        ),
        (
            #"""
            - §name: main
              suspend: {}
              container: {image: i}
            """#,
            "spec.templates[0]: a template has only one type, but here are container, suspend"
        ),
        (
            #"""
            - {name: main, suspend: {}}
            - {name: §main, suspend: {}}
            """#,
            "spec.templates[1].name: a template 'main' is defined before"
        ),
        (
            #"""
            - name: main
              inputs: {parameters: [{name: §p q, value: v}]}
              suspend: {}
            """#,
            "spec.templates[0].inputs.parameters[0].name: the name of a parameter consists of letters, digits, '-' and '_'"
        ),
        (
            #"""
            - name: main
              inputs: {parameters: [{name: p, value: v}, {name: §p, value: w}]}
              suspend: {}
            """#,
            "spec.templates[0].inputs.parameters[1].name: a parameter 'p' is given before"
        ),
        // Arguments
        (
            #"""
            - name: main
              steps:
              - - §{name: a, template: need}
            - {name: need, inputs: {parameters: [{name: q}]}, container: {image: i}}
            """#,
            "spec.templates[0].steps[0][0]: template 'need' needs a parameter 'q', which is not given by 'a'"
        ),
        (
            #"""
            - name: main
              steps:
              - - §{name: a, template: need}
            - {name: need, inputs: {artifacts: [{name: q, path: /q}]}, container: {image: i}}
            """#,
            "spec.templates[0].steps[0][0]: template 'need' needs an artifact 'q', which is not given by 'a'"
        ),
        (
            #"""
            - name: main
              steps:
              - - {name: a, template: leaf, arguments: {parameters: [§{name: m}]}}
            """#,
            "spec.templates[0].steps[0][0].arguments.parameters[0]: parameter 'm' has no value"
        ),
        (
            #"""
            - name: main
              steps:
              - - {name: a, template: leaf, arguments: {artifacts: [§{name: z}]}}
            """#,
            "spec.templates[0].steps[0][0].arguments.artifacts[0]: artifact 'z' needs 'from' or a location"
        ),
        // Tags
        (
            #"""
            - {name: main, container: {image: i, args: [§"{{inputs.parameters.typo}}"]}}
            """#,
            "spec.templates[0].container.args[0]: {{inputs.parameters.typo}} stands for nothing here"
        ),
        (
            #"""
            - {name: main, container: {image: i, args: [§"{{workflow.parameters.typo}}"]}}
            """#,
            "spec.templates[0].container.args[0]: {{workflow.parameters.typo}} stands for nothing here"
        ),
        (
            #"""
            - {name: main, container: {image: i, args: [§"{{workflow.creationTimestamp.Q}}"]}}
            """#,
            "spec.templates[0].container.args[0]: {{workflow.creationTimestamp.Q}} stands for nothing here"
        ),
        (
            #"""
            - {name: main, script: {image: i, source: §"{{item}}"}}
            """#,
            "spec.templates[0].script.source: {{item}} stands for nothing here"
        ),
        (
            #"""
            - {name: main, container: {image: i, args: [§"{{outputs.artifacts.o.path}}"]}}
            """#,
            "spec.templates[0].container.args[0]: {{outputs.artifacts.o.path}} stands for nothing here"
        ),
        (
            #"""
            - name: main
              steps:
              - - {name: a, template: leaf}
                - {name: b, template: leaf, arguments: {parameters: [{name: m, value: §"{{steps.a.outputs.result}}"}]}}
            """#,
            "spec.templates[0].steps[0][1].arguments.parameters[0].value: {{steps.a.outputs.result}} stands for nothing here"
        ),
        (
            #"""
            - name: main
              steps:
              - - {name: a, template: leaf}
              - - {name: b, template: leaf, arguments: {parameters: [{name: m, value: §"{{steps.a.outputs.parameters.no}}"}]}}
            """#,
            "spec.templates[0].steps[1][0].arguments.parameters[0].value: {{steps.a.outputs.parameters.no}} stands for nothing here"
        ),
        (
            #"""
            - name: main
              steps:
              - - {name: a, template: leaf}
              - - {name: b, template: leaf, arguments: {parameters: [{name: m, value: §"{{steps.a.ip}}"}]}}
            """#,
            "spec.templates[0].steps[1][0].arguments.parameters[0].value: {{steps.a.ip}} stands for nothing here"
        ),
        (
            #"""
            - name: main
              dag:
                tasks:
                - {name: a, template: leaf}
                - {name: b, template: leaf, arguments: {parameters: [{name: m, value: §"{{tasks.a.outputs.result}}"}]}}
            """#,
            "spec.templates[0].dag.tasks[1].arguments.parameters[0].value: {{tasks.a.outputs.result}} stands for nothing here"
        ),
        (
            #"""
            - name: main
              steps:
              - - {name: a, template: leaf, arguments: {artifacts: [{name: x, from: §"{{steps.z.outputs.artifacts.o}}"}]}}
            """#,
            "spec.templates[0].steps[0][0].arguments.artifacts[0].from: {{steps.z.outputs.artifacts.o}} stands for nothing here"
        ),
        (
            #"""
            - name: main
              steps: [[{name: a, template: leaf}]]
              outputs: {parameters: [{name: o, valueFrom: {parameter: §"{{steps.a.outputs.parameters.no}}"}}]}
            """#,
            "spec.templates[0].outputs.parameters[0].valueFrom.parameter: {{steps.a.outputs.parameters.no}} stands for nothing here"
        ),
        // Cycles
        (
            #"""
            - name: main
              steps:
              - - §{name: a, template: main}
            """#,
            "spec.templates[0].steps[0][0]: template 'main' calls itself without end (main → main)"
        ),
        (
            #"""
            - name: main
              steps: [[{name: a, template: b}]]
            - name: b
              dag:
                tasks:
                - §{name: c, template: main}
            """#,
            "spec.templates[1].dag.tasks[0]: template 'main' calls itself without end (main → b → main)"
        ),
        (
            #"""
            - name: main
              dag:
                tasks:
                - {name: a, template: leaf, dependencies: §[b]}
                - {name: b, template: leaf, dependencies: [a]}
            """#,
            "spec.templates[0].dag.tasks[0].dependencies: tasks depend on each other: a → b → a"
        ),
        (
            #"""
            - name: main
              dag:
                tasks:
                - {name: a, template: leaf, dependencies: §[a]}
            """#,
            "spec.templates[0].dag.tasks[0].dependencies: tasks depend on each other: a → a"
        ),
        // Dags
        (
            #"""
            - name: main
              dag:
                tasks:
                - {name: a, template: leaf, dependencies: §[gone]}
            """#,
            "spec.templates[0].dag.tasks[0].dependencies: task 'gone' is not defined"
        ),
        (
            #"""
            - name: main
              dag:
                target: §gone
                tasks:
                - {name: a, template: leaf}
            """#,
            "spec.templates[0].dag.target: task 'gone' is not defined"
        ),
        (
            #"""
            - name: main
              dag:
                tasks:
                - {name: a, template: leaf}
                - {name: b, template: leaf, §depends: a || b}
            """#,
            "spec.templates[0].dag.tasks[1].depends: conditions in 'depends' are not supported in a local run; only task names joined by &&"
        ),
        (
            #"""
            - name: main
              dag:
                tasks:
                - {name: a, template: leaf}
                - {name: b, template: leaf, §depends: a.Succeeded}
            """#,
            "spec.templates[0].dag.tasks[1].depends: conditions in 'depends' are not supported in a local run; only task names joined by &&"
        ),
        (
            #"""
            - name: main
              dag:
                tasks:
                - {name: 1a, template: leaf}
                - {name: b, template: leaf, dependencies: [1a]}
                - {name: §2c, template: leaf, dependencies: [b]}
            """#,
            "spec.templates[0].dag.tasks[2].name: a task that depends on others has a name that begins with no digit"
        ),
        (
            #"""
            - name: main
              §dag: {tasks: []}
            """#,
            "spec.templates[0].dag: tasks are needed"
        ),
        // Containers
        (
            #"""
            - {name: main, §container: {command: [x]}}
            """#,
            "spec.templates[0].container: an image is needed"
        ),
        (
            #"""
            - {name: main, container: {image: i, volumeMounts: [{name: §v, mountPath: /v}]}}
            """#,
            "spec.templates[0].container.volumeMounts[0].name: there is no volume 'v'"
        ),
        (
            #"""
            - name: main
              volumes: [{name: v, emptyDir: {}}]
              inputs: {artifacts: [{name: a, path: §/v, raw: {data: x}}]}
              container: {image: i, volumeMounts: [{name: v, mountPath: /v}]}
            """#,
            "spec.templates[0].inputs.artifacts[0].path: '/v' is taken by volume 'v'"
        ),
        (
            #"""
            - name: main
              volumes: [§{name: v}]
              container: {image: i}
            """#,
            "spec.templates[0].volumes[0]: a volume needs one kind, such as emptyDir"
        ),
        (
            #"""
            - name: main
              sidecars: [{name: §wait, image: i}]
              container: {image: i}
            """#,
            "spec.templates[0].sidecars[0].name: the name 'wait' is taken"
        ),
        (
            #"""
            - {name: main, inputs: {artifacts: [§{name: a, raw: {data: x}}]}, container: {image: i}}
            """#,
            "spec.templates[0].inputs.artifacts[0]: artifact 'a' needs a path"
        ),
        (
            #"""
            - {name: main, inputs: {artifacts: [{name: a, path: §/x/../.., raw: {data: x}}]}, container: {image: i}}
            """#,
            "spec.templates[0].inputs.artifacts[0].path: check path '/x/../..': directory traversal"
        ),
        (
            #"""
            - {name: main, outputs: {parameters: [§{name: p}]}, container: {image: i}}
            """#,
            "spec.templates[0].outputs.parameters[0]: an output parameter of this template needs valueFrom.path"
        ),
        (
            #"""
            - name: main
              containerSet:
                containers:
                - {name: a, image: i, dependencies: §[b]}
                - {name: b, image: i, dependencies: [a]}
            """#,
            "spec.templates[0].containerSet.containers[0].dependencies: containers depend on each other: a → b → a"
        ),
        (
            #"""
            - name: main
              outputs: {artifacts: [{name: o, path: /o}]}
              containerSet: {§containers: [{name: a, image: i}]}
            """#,
            "spec.templates[0].containerSet.containers: inputs and outputs need a container called 'main'"
        ),
        // Limits
        (
            #"""
            - {name: main, suspend: {duration: §soon}}
            """#,
            "spec.templates[0].suspend.duration: 'soon' is no duration"
        ),
        (
            #"""
            - {name: main, timeout: §"30", container: {image: i}}
            """#,
            "spec.templates[0].timeout: '30' is no duration: a unit is needed"
        ),
        (
            #"""
            - {name: main, §timeout: 30s, suspend: {}}
            """#,
            "spec.templates[0].timeout: only templates that run a pod have a timeout"
        ),
        (
            #"""
            - {name: main, activeDeadlineSeconds: §-1, container: {image: i}}
            """#,
            "spec.templates[0].activeDeadlineSeconds: activeDeadlineSeconds is a positive integer"
        ),
    ])
    func saysWhatIsWrongAndWhere(_ templates: String, _ message: String) throws {
        let marked = workflow(templates + "\n" + Self.leaf)
        let before = try #require(marked.split(separator: "§", omittingEmptySubsequences: false).first)
        let line = before.filter { $0 == "\n" }.count + 1
        let column = before.split(separator: "\n", omittingEmptySubsequences: false).last.map { $0.count + 1 } ?? 0
        let found = findings(marked.replacing("§", with: ""))
        #expect(found == ["w.yaml:\(line):\(column): \(message)"])
    }

    @Test func onlyWhatIsReachedIsChecked() {
        let unused = "- {name: loop, steps: [[{name: a, template: gone, withItems: [1]}]]}\n"
        #expect(findings(workflow("- {name: main, container: {image: i}}\n" + unused)).isEmpty)
        #expect(
            !findings(workflow("- {name: main, container: {image: i}}\n" + unused), settings: RunSettings(entrypoint: "loop"))
                .isEmpty)
    }

    @Test func theEntrypointMustBeThere() {
        #expect(
            findings(workflow(Self.leaf, entrypoint: "gone"))
                == ["w.yaml:5:15: spec.entrypoint: template 'gone' is not defined"])
        #expect(
            findings(workflow(Self.leaf, entrypoint: "''")) == ["w.yaml:5:3: spec.entrypoint: the workflow has no entrypoint"])
        #expect(
            findings(workflow(Self.leaf), settings: RunSettings(entrypoint: "nope"))
                == ["--entrypoint nope: template 'nope' is not defined"])
    }

    @Test func argumentsOfTheWorkflowMustHaveValues() {
        let text = { (spec: String) in workflow("- {name: main, container: {image: i}}", spec: spec) }
        #expect(
            findings(text("arguments: {parameters: [{name: p}]}"))
                == ["w.yaml:6:28: spec.arguments.parameters[0]: parameter 'p' has no value"])
        #expect(
            findings(workflow("- {name: main, inputs: {parameters: [{name: q}]}, container: {image: i}}"))
                == [
                    "w.yaml:4:1: spec.arguments: template 'main' needs a parameter 'q', which is not given by the workflow's arguments"
                ])
        #expect(findings(text("arguments: {parameters: [{name: p}]}"), settings: RunSettings(parameters: [("p", "v")])).isEmpty)
        #expect(
            findings(text("arguments: {parameters: [{name: p, value: c, enum: [a, b]}]}")).first?
                .hasSuffix("parameter 'p' has the value 'c', but must be one of: a, b") == true)
        #expect(
            findings(text("arguments: {parameters: [{name: p, valueFrom: {configMapKeyRef: {name: c, key: k}}}]}")).first?
                .hasSuffix("parameter 'p' needs key 'k' of config map 'c', which is not there") == true)
        #expect(
            findings(text("arguments: {artifacts: [{name: a}]}")).first?
                .hasSuffix("artifact 'a' has no location; give one with -a a=PATH") == true)
    }

    @Test func unusedArgumentsAreWarnedOf() {
        let text = workflow(
            "- name: main\n  steps:\n  - - {name: a, template: leaf, arguments: {parameters: [{name: zz, value: v}]}}\n"
                + Self.leaf)
        let warning = "w.yaml:9:60: spec.templates[0].steps[0][0].arguments.parameters[0]: template 'leaf' has no input 'zz'"
        #expect(findings(text) == ["warning: " + warning])
        #expect(findings(text, settings: RunSettings(isStrict: true)) == [warning])
        #expect(
            findings(workflow("- {name: main, container: {image: i}}"), settings: RunSettings(parameters: [("zz", "v")]))
                == ["warning: -p zz=…: the workflow declares no such parameter"])
    }

    @Test func fieldsWithoutEffectAreErrorsOnlyWhenStrict() {
        let text = workflow("- {name: main, nodeSelector: {a: b}, container: {image: i, imagePullPolicy: Always}}")
        let warnings = [
            "w.yaml:7:18: spec.templates[0].nodeSelector: has no effect in a local run: pods are not placed on nodes here",
            "w.yaml:7:62: spec.templates[0].container.imagePullPolicy: has no effect in a local run: no images are pulled here",
        ]
        #expect(findings(text) == warnings.map { "warning: " + $0 })
        #expect(findings(text, settings: RunSettings(isStrict: true)) == warnings)
    }

    @Test func refusedFieldsAreAllTold() {
        let found = findings(
            workflow(
                "- name: main\n  retryStrategy: {limit: 2}\n  steps:\n  - - {name: a, template: leaf, withItems: [1], arguments: {parameters: [{name: m, value: \"{{item}}\"}]}}\n"
                    + Self.leaf, spec: "onExit: leaf"))
        #expect(
            found == [
                "w.yaml:6:3: spec.onExit: exit handlers are not supported in a local run",
                "w.yaml:9:5: spec.templates[0].retryStrategy: retries are not supported in a local run",
                "w.yaml:11:35: spec.templates[0].steps[0][0].withItems: loops are not supported in a local run",
            ])
    }

    @Test func whatFollowsFromAnUnreadableValueIsNotTold() {
        #expect(
            findings(workflow("- name: main\n  steps:\n  - - {name: y, template: leaf}\n" + Self.leaf))
                == [
                    "w.yaml:9:16: spec.templates[0].steps[0][0].name: expected a text, found true (put it in quotes where a text is meant)"
                ])
    }

    @Test func librariesAreCheckedInTheirOwnFile() {
        let library = """
            apiVersion: argoproj.io/v1alpha1
            kind: WorkflowTemplate
            metadata: {name: lib}
            spec:
              templates:
              - name: t
                container: {image: i, args: ["{{inputs.parameters.typo}}"]}
            """
        #expect(
            findings(workflow("- name: main\n  steps: [[{name: a, templateRef: {name: lib, template: t}}]]"), library)
                == ["w1.yaml:7:34: spec.templates[0].container.args[0]: {{inputs.parameters.typo}} stands for nothing here"])
        #expect(
            findings(workflow("- name: main\n  steps: [[{name: a, templateRef: {name: lib, template: u}}]]"), library)
                == [
                    "w.yaml:8:59: spec.templates[0].steps[0][0].templateRef.template: WorkflowTemplate 'lib' has no template 'u'"
                ])
    }

    @Test func inlineTemplatesAreCheckedWithTheirOwnInputs() {
        let text = { (tag: String) in
            workflow(
                "- name: main\n  steps:\n  - - {name: a, arguments: {parameters: [{name: m, value: v}]}, inline: {inputs: {parameters: [{name: m}]}, container: {image: i, args: [\"{{\(tag)}}\"]}}}"
            )
        }
        #expect(findings(text("inputs.parameters.m")).isEmpty)
        #expect(findings(text("inputs.parameters.x")).first?.contains("steps[0][0].inline.container.args[0]") == true)
    }
}
