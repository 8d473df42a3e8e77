import Documents
import Testing
import WorkflowEngine
import WorkflowFiles
import WorkflowModel
import WorkflowPlanning

/// One fault in each workflow, and the one line that names it.
@Suite struct PlanFaultTests {
    private static let leaf = "- {name: leaf, inputs: {parameters: [{name: m, default: d}]}, container: {image: i}}\n"

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
            "spec.templates[0].steps[1][0].name: duplicate step 'a'"
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
            "spec.templates[1].name: duplicate template 'main'"
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
            "spec.templates[0].inputs.parameters[1].name: duplicate parameter 'p'"
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
            "spec.templates[0].container.args[0]: unknown variable {{inputs.parameters.typo}}"
        ),
        (
            #"""
            - {name: main, container: {image: i, args: [§"{{workflow.parameters.typo}}"]}}
            """#,
            "spec.templates[0].container.args[0]: unknown variable {{workflow.parameters.typo}}; declare the parameter, or give it with -p typo=VALUE"
        ),
        (
            #"""
            - name: main
              steps:
              - - {name: a, template: leaf}
                - {name: b, template: leaf, arguments: {parameters: [{name: m, value: §"{{steps.a.outputs.result}}"}]}}
            """#,
            "spec.templates[0].steps[0][1].arguments.parameters[0].value: unknown variable {{steps.a.outputs.result}}"
        ),
        (
            #"""
            - name: main
              steps:
              - - {name: a, template: leaf}
              - - {name: b, template: leaf, arguments: {parameters: [{name: m, value: §"{{steps.a.outputs.parameters.no}}"}]}}
            """#,
            "spec.templates[0].steps[1][0].arguments.parameters[0].value: unknown variable {{steps.a.outputs.parameters.no}}"
        ),
        (
            #"""
            - name: main
              steps:
              - - {name: a, template: leaf}
              - - {name: b, template: leaf, arguments: {parameters: [{name: m, value: §"{{steps.a.ip}}"}]}}
            """#,
            "spec.templates[0].steps[1][0].arguments.parameters[0].value: unknown variable {{steps.a.ip}}"
        ),
        (
            #"""
            - name: main
              dag:
                tasks:
                - {name: a, template: leaf}
                - {name: b, template: leaf, arguments: {parameters: [{name: m, value: §"{{tasks.a.outputs.result}}"}]}}
            """#,
            "spec.templates[0].dag.tasks[1].arguments.parameters[0].value: unknown variable {{tasks.a.outputs.result}}"
        ),
        (
            #"""
            - name: main
              steps:
              - - {name: a, template: leaf, arguments: {artifacts: [{name: x, from: §"{{steps.z.outputs.artifacts.o}}"}]}}
            """#,
            "spec.templates[0].steps[0][0].arguments.artifacts[0].from: unknown variable {{steps.z.outputs.artifacts.o}}"
        ),
        (
            #"""
            - name: main
              steps: [[{name: a, template: leaf}]]
              outputs: {parameters: [{name: o, valueFrom: {parameter: §"{{steps.a.outputs.parameters.no}}"}}]}
            """#,
            "spec.templates[0].outputs.parameters[0].valueFrom.parameter: unknown variable {{steps.a.outputs.parameters.no}}"
        ),
        (
            #"""
            - {name: main, script: {image: i, source: §"{{item.name}}"}}
            """#,
            "spec.templates[0].script.source: unknown variable {{item.name}}"
        ),
        (
            #"""
            - {name: main, container: {image: i, args: [§"{{pod.nam}}"]}}
            """#,
            "spec.templates[0].container.args[0]: unknown variable {{pod.nam}}; did you mean {{pod.name}}?"
        ),
        (
            #"""
            - {name: main, container: {image: i, args: [§"{{inputs.artifacts}}"]}}
            """#,
            "spec.templates[0].container.args[0]: unknown variable {{inputs.artifacts}}"
        ),
        (
            #"""
            - name: main
              inputs: {parameters: [{name: a, value: §"{{inputs.parameters.b}}"}, {name: b, default: "x{{ inputs.parameters.a }}"}]}
              container: {image: i}
            """#,
            "spec.templates[0].inputs.parameters[0].value: parameters refer to each other in a ring: a → b → a"
        ),
        (
            #"""
            - name: main
              inputs: {parameters: [{name: m, value: §"{{workflow.parameters.elsewhere}}"}]}
              container: {image: i}
            """#,
            "spec.templates[0].inputs.parameters[0].value: unknown variable {{workflow.parameters.elsewhere}}; declare the parameter, or give it with -p elsewhere=VALUE"
        ),
        (
            #"""
            - name: main
              steps: [[{name: a, template: §leav}]]
            """#,
            "spec.templates[0].steps[0][0].template: template 'leav' is not defined; did you mean 'leaf'?"
        ),
        // What has a meaning although it is empty
        (
            #"""
            - {name: main, §http: {}}
            """#,
            "spec.templates[0].http: templates of this type are not supported in a local run"
        ),
        (
            #"""
            - {name: main, steps: [[{name: a, template: leaf, §withSequence: {}}]]}
            """#,
            "spec.templates[0].steps[0][0].withSequence: count or end is needed"
        ),
        (
            #"""
            - {name: main, volumes: [{name: v, §csi: {}}], container: {image: i}}
            """#,
            "spec.templates[0].volumes[0].csi: volumes of this kind are not supported in a local run"
        ),
        // What the schema of the API server does not allow
        (
            #"""
            - {name: main, inputs: {artifacts: [{name: a, path: /a, mode: §755, raw: {data: x}}]}, container: {image: i}}
            """#,
            "spec.templates[0].inputs.artifacts[0].mode: mode 755 is out of range: expected a number from 0 to 511 (0777); did you mean 0755 (in JSON 493)?"
        ),
        (
            #"""
            - {name: main, inputs: {artifacts: [{name: a, path: /a, mode: §-1, raw: {data: x}}]}, container: {image: i}}
            """#,
            "spec.templates[0].inputs.artifacts[0].mode: mode -1 is out of range: expected a number from 0 to 511 (0777)"
        ),
        (
            #"""
            - {name: main, volumes: [{name: v, secret: {secretName: s, defaultMode: §600}}], container: {image: i}}
            """#,
            "spec.templates[0].volumes[0].secret.defaultMode: mode 600 is out of range: expected a number from 0 to 511 (0777); did you mean 0600 (in JSON 384)?"
        ),
        (
            #"""
            - {name: main, container: {image: i, securityContext: {runAsUser: §-1}}}
            """#,
            "spec.templates[0].container.securityContext.runAsUser: -1 is out of range: expected a number from 0 to 2147483647"
        ),
        (
            #"""
            - {name: main, container: {image: i, ports: [{containerPort: §70000}]}}
            """#,
            "spec.templates[0].container.ports[0].containerPort: 70000 is out of range: expected a number from 1 to 65535"
        ),
        (
            #"""
            - {name: main, container: {image: i, resources: {limits: {memory: §lots}}}}
            """#,
            "spec.templates[0].container.resources.limits.memory: expected an amount such as 0.5, 100m or 1.5Gi, found 'lots'"
        ),
        (
            #"""
            - {name: main, outputs: {artifacts: [{name: a, path: /a, archive: {tar: {compressionLevel: §42}}}]}, container: {image: i}}
            """#,
            "spec.templates[0].outputs.artifacts[0].archive.tar.compressionLevel: 42 is out of range: expected a number from -2 to 9"
        ),
        (
            #"""
            - {name: main, inputs: {artifacts: [{name: a, path: /a, s3: {key: k, addressingStyle: §pth}}]}, container: {image: i}}
            """#,
            "spec.templates[0].inputs.artifacts[0].s3.addressingStyle: expected one of path, virtual-hosted, found 'pth'; did you mean 'path'?"
        ),
        (
            #"""
            - {name: main, inputs: {parameters: [{name: p, value: v, enum: §[]}]}, container: {image: i}}
            """#,
            "spec.templates[0].inputs.parameters[0].enum: expected at least one element"
        ),
        (
            #"""
            - {name: main, inputs: {artifacts: [§{name: a, path: /a, raw: {data: x}, s3: {key: k}}]}, container: {image: i}}
            """#,
            "spec.templates[0].inputs.artifacts[0]: an artifact has only one location, but here are raw, s3"
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
                - {name: b, template: leaf, depends: §a || }
            """#,
            "spec.templates[0].dag.tasks[1].depends: depends cannot be read: evaluate expression: line 1, column 16: unexpected token EOF"
        ),
        (
            #"""
            - name: main
              dag:
                tasks:
                - {name: a, template: leaf}
                - {name: b, template: leaf, depends: §a.Suceeded}
            """#,
            "spec.templates[0].dag.tasks[1].depends: 'Suceeded' of task 'a' is no result; there are: Succeeded, Failed, Errored, Skipped, Omitted, Daemoned, AnySucceeded, AllFailed; did you mean 'Succeeded'?"
        ),
        (
            #"""
            - name: main
              dag:
                tasks:
                - {name: a, template: web}
                - {name: b, template: leaf, depends: a, arguments: {parameters: [{name: m, value: "{{tasks.a.outputs.result}}"}]}}
            - {name: web, §http: {url: "http://{{inputs.parameters.host}}/"}}
            """#,
            "spec.templates[1].http: templates of this type are not supported in a local run"
        ),
        (
            #"""
            - name: main
              outputs: {parameters: [{name: o, valueFrom: {§jqFilter: .x}}]}
              container: {image: i}
            """#,
            "spec.templates[0].outputs.parameters[0].valueFrom.jqFilter: values from resources are not supported in a local run"
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
        let refusal = #expect(throws: WorkflowRefusal.self) { try Play.plan([marked.replacing("§", with: "")]) }
        #expect(refusal?.findings.map(\.message) == ["w.yaml:\(line):\(column): \(message)"])
    }
}
