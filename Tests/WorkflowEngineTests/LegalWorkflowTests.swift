import Documents
import SystemSupport
import Testing
import WorkflowEngine
import WorkflowFiles
import WorkflowModel
import WorkflowPlanning

/// What looks wrong and is right, because the controller takes it so; and what stands right beside it and is wrong.
@Suite struct LegalWorkflowTests {
    private func findings(_ text: String..., settings: RunSettings = RunSettings()) -> [String] {
        do {
            return try Play.plan(text, settings).warnings.map { "warning: " + $0.message }
        } catch let refusal as WorkflowRefusal {
            return refusal.findings.map(\.line)
        } catch { return ["\(error)"] }
    }

    // MARK: Variables

    @Test func allInputsOfATemplateWithoutParametersAreNull() throws {
        let play = try Play(
            workflow("- {name: main, container: {image: i, args: ['{{inputs.parameters}}', '{{workflow.parameters}}']}}"))
        #expect(play.arguments("wf") == ["null", "null"])
        let empty = try Play(
            workflow("- {name: main, inputs: {parameters: []}, container: {image: i, args: ['{{ inputs.parameters }}']}}"))
        #expect(empty.arguments("wf") == ["null"])
        let one = try Play(
            workflow(
                "- {name: main, inputs: {parameters: [{name: p, value: 1}]}, container: {image: i, args: ['{{inputs.parameters}}']}}"
            ))
        #expect(one.arguments("wf") == [#"[{"name":"p","value":"1"}]"#])
    }

    @Test(arguments: [
        "{{ item }}", "{{node.role}}", "{{ outputs.dir }}", "{{steps}}", "{{ tasks }}", "{{inputs}}", "{{pod}}",
        "{{ .Values.x }}",
        "{{stepsA.b}}", "{{ansible_host}}", "{{tasks.name.x}}",
    ])
    func bracesOfOtherLanguagesStay(_ text: String) throws {
        let template = "- {name: main, container: {image: i, args: ['\(text)']}}"
        #expect(findings(workflow(template)).isEmpty)
        #expect(try Play(workflow(template)).arguments("wf") == [text])
    }

    @Test(arguments: ["outputs.artifacts.o.path", "outputs.parameters.p", "workflow.creationTimestamp.Q"])
    func whatIsLeftAsItIsAndLooksLikeAMistakeIsWarnedOf(_ name: String) throws {
        let text = workflow("- {name: main, container: {image: i, args: ['{{\(name)}}']}}")
        #expect(
            findings(text) == [
                "warning: w.yaml:7:47: spec.templates[0].container.args[0]: unknown variable {{\(name)}} (it is left as it is)"
            ])
        #expect(try Play(text).arguments("wf") == ["{{\(name)}}"])
    }

    // MARK: Values that arguments replace

    private let strict = """
        - name: show
          inputs:
            parameters: [{name: m, value: "{{workflow.parameters.elsewhere}}"}, {name: n, valueFrom: {configMapKeyRef: {name: c, key: k}}}]
            artifacts: [{name: a, path: /a, raw: {data: "{{workflow.parameters.nowhere}}"}}]
          container: {image: i, args: ["{{inputs.parameters.m}} {{inputs.parameters.n}}"]}

        """
    private let given = "{parameters: [{name: m, value: v}, {name: n, value: w}], artifacts: [{name: a, raw: {data: x}}]}"

    @Test func argumentsReplaceTheValuesOfInputsBeforeTheirTagsAreLookedAt() throws {
        let steps = "- {name: main, steps: [[{name: s, template: show, arguments: \(given)}]]}\n"
        #expect(findings(workflow(steps + strict)).isEmpty)
        #expect(try Play(workflow(steps + strict)).arguments("wf[0].s") == ["v w"])
        let dag = "- {name: main, dag: {tasks: [{name: s, template: show, arguments: \(given)}]}}\n"
        #expect(findings(workflow(dag + strict)).isEmpty)
        #expect(findings(workflow(strict, entrypoint: "show", spec: "arguments: \(given)")).isEmpty)
    }

    @Test func argumentsReplaceThoseOfALibraryToo() throws {
        let library = """
            apiVersion: argoproj.io/v1alpha1
            kind: WorkflowTemplate
            metadata: {name: lib}
            spec:
              entrypoint: show
              templates:

            """ + strict.split(separator: "\n").map { "  \($0)\n" }.joined()
        let call = "- {name: main, steps: [[{name: s, templateRef: {name: lib, template: show}, arguments: \(given)}]]}\n"
        #expect(findings(workflow(call), library).isEmpty)
        let reference = """
            apiVersion: argoproj.io/v1alpha1
            kind: Workflow
            metadata: {name: wf}
            spec: {workflowTemplateRef: {name: lib}, arguments: \(given)}
            """
        #expect(findings(reference, library).isEmpty)
    }

    @Test func eachCallIsLookedAtByItself() {
        let steps = """
            - name: main
              steps:
              - - {name: s, template: show, arguments: \(given)}
              - - {name: t, template: show}

            """
        #expect(
            findings(workflow(steps + strict)) == [
                "error: w.yaml:13:37: spec.templates[1].inputs.parameters[0].value: unknown variable "
                    + "{{workflow.parameters.elsewhere}}; declare the parameter, or give it with -p elsewhere=VALUE",
                "error: w.yaml:13:75: spec.templates[1].inputs.parameters[1]: parameter 'n' needs key 'k' of config map 'c', which is not there",
                "error: w.yaml:14:51: spec.templates[1].inputs.artifacts[0].raw.data: unknown variable "
                    + "{{workflow.parameters.nowhere}}; declare the parameter, or give it with -p nowhere=VALUE",
            ])
    }

    @Test func flagsReplaceWhatTheWorkflowSaysOfAnArgument() {
        let text = workflow(
            "- {name: main, container: {image: i}}",
            spec: "arguments: {parameters: [{name: p, valueFrom: {event: payload}}]}")
        #expect(findings(text).first?.contains("values from events are not supported") == true)
        #expect(findings(text, settings: RunSettings(parameters: [("p", "v")])).isEmpty)
    }

    // MARK: Parameters that refer to each other

    @Test func aRingOfTheWorkflowsParametersIsTold() {
        let ring =
            "arguments: {parameters: [{name: a, value: '{{workflow.parameters.b}}'}, {name: b, value: '{{workflow.parameters.a}}'}]}"
        let text = workflow("- {name: main, container: {image: i, args: ['{{workflow.parameters.a}}']}}", spec: ring)
        #expect(
            findings(text) == [
                "error: w.yaml:6:45: spec.arguments.parameters[0].value: parameters refer to each other in a ring: a → b → a"
            ])
        // A flag breaks it.
        #expect(findings(text, settings: RunSettings(parameters: [("b", "v")])).isEmpty)
    }

    @Test func aLongRingIsToldInParts() {
        let parameters = (0..<20).map { "{name: p\($0), value: '{{workflow.parameters.p\(($0 + 1) % 20)}}'}" }.joined(
            separator: ", ")
        let found = findings(
            workflow("- {name: main, container: {image: i}}", spec: "arguments: {parameters: [\(parameters)]}"))
        #expect(found.count == 1)
        #expect(found.first?.hasSuffix("in a ring: p0 → p1 → p2 → p3 → … → p18 → p19 → p0") == true)
    }

    @Test func aChainIsNoRing() throws {
        let chain = "arguments: {parameters: [{name: a, value: v}, {name: b, value: '{{workflow.parameters.a}}'}]}"
        let text = workflow("- {name: main, container: {image: i, args: ['{{workflow.parameters.b}}']}}", spec: chain)
        #expect(findings(text).isEmpty)
        #expect(try Play(text).arguments("wf") == ["v"])
    }

    // MARK: Metadata

    private func cron(_ tag: String) -> String {
        """
        apiVersion: argoproj.io/v1alpha1
        kind: CronWorkflow
        metadata: {name: nightly, labels: {own: x, workflows.argoproj.io/controller-instanceid: i1}}
        spec:
          schedules: ["0 3 * * *"]
          workflowMetadata: {labels: {team: blue, size: s}, annotations: {note: n}}
          workflowSpec:
            entrypoint: show
            workflowMetadata: {labels: {size: m}}
            templates:
            - name: show
              container: {image: i, args: ["{{\(tag)}}"]}
        """
    }

    @Test(arguments: [
        ("workflow.labels.team", "blue"), ("workflow.labels.size", "m"), ("workflow.annotations.note", "n"),
        ("workflow.labels.workflows.argoproj.io/cron-workflow", "nightly"),
        (
            "workflow.labels.json",
            #"{"size":"m","team":"blue","workflows.argoproj.io/controller-instanceid":"i1","workflows.argoproj.io/cron-workflow":"nightly"}"#
        ),
    ])
    func whatACronWorkflowGivesItsWorkflowsIsThere(_ tag: String, _ value: String) throws {
        let play = try Play(cron(tag))
        #expect(play.pods.first?.template["container"]?["args"]?.array?.compactMap(\.string) == [value])
    }

    @Test func labelsOfACronWorkflowItselfAreNotItsWorkflows() {
        #expect(findings(cron("workflow.labels.own")).first?.contains("unknown variable {{workflow.labels.own}}") == true)
    }

    @Test func aTemplateThatIsRunAloneIsNamedInTheLabelsOfItsWorkflow() throws {
        let text = """
            apiVersion: argoproj.io/v1alpha1
            kind: WorkflowTemplate
            metadata: {name: lib, labels: {own: x}}
            spec:
              entrypoint: show
              workflowMetadata: {labels: {team: red}}
              templates:
              - {name: show, container: {image: i, args: ["{{workflow.labels.json}}"]}}
            """
        let play = try Play(text)
        let arguments = play.pods.first?.template["container"]?["args"]?.array?.compactMap(\.string)
        #expect(arguments == [#"{"team":"red","workflows.argoproj.io/workflow-template":"lib"}"#])
    }

    // MARK: Namespaces

    @Test func aWorkflowUsesTheTemplatesOfItsNamespace() throws {
        func library(_ namespace: String) -> String {
            """
            apiVersion: argoproj.io/v1alpha1
            kind: WorkflowTemplate
            metadata: {name: shared, namespace: \(namespace)}
            spec:
              entrypoint: show
              templates: [{name: show, container: {image: i, args: [of \(namespace)]}}]
            """
        }
        func caller(_ metadata: String) -> String {
            """
            apiVersion: argoproj.io/v1alpha1
            kind: Workflow
            metadata: {name: wf\(metadata)}
            spec:
              entrypoint: main
              templates: [{name: main, steps: [[{name: s, templateRef: {name: shared, template: show}}]]}]
            """
        }
        #expect(try Play(caller(", namespace: b"), library("a"), library("b")).arguments("wf[0].s") == ["of b"])
        #expect(try Play(caller(""), library("a")).arguments("wf[0].s") == ["of a"])
        #expect(
            findings(caller(", namespace: c"), library("a"), library("b")).first?
                .hasSuffix("WorkflowTemplate 'shared' is in namespace 'a', the workflow in 'c'") == true)
        #expect(
            findings(caller(""), library("a"), library("b")).first?
                .hasSuffix("WorkflowTemplate 'shared' is in the namespaces 'a', 'b': give the workflow one of them") == true)
    }

    // MARK: Limits of the schema

    @Test func allowedValuesAreTaken() {
        let template = """
            - name: main
              inputs: {artifacts: [{name: a, path: /a, mode: 0755, raw: {data: x}}, {name: b, path: /b, mode: 511, raw: {data: x}}]}
              outputs: {artifacts: [{name: o, path: /o, archive: {tar: {compressionLevel: 9}}, s3: {key: k, addressingStyle: path}}]}
              volumes: [{name: v, secret: {secretName: s, optional: true, defaultMode: 0400}}]
              container: {image: i, ports: [{containerPort: 80, protocol: TCP}], securityContext: {runAsUser: 0}}

            """
        #expect(findings(workflow(template)).isEmpty)
        #expect(
            findings(workflow("- {name: main, container: {image: i, resources: {limits: {cpu: 0.5, memory: 1.5Gi, x: 1e3}}}}"))
                == [
                    "warning: w.yaml:7:40: spec.templates[0].container.resources: has no effect in a local run: resources are not limited here"
                ])
    }

    @Test func aModeThatLooksDecimalIsWarnedOf() {
        let text = workflow(
            "- {name: main, inputs: {artifacts: [{name: a, path: /a, mode: 400, raw: {data: x}}]}, container: {image: i}}")
        #expect(
            findings(text) == [
                "warning: w.yaml:7:65: spec.templates[0].inputs.artifacts[0].mode: mode 400 means 0620; did you mean 0400 (in JSON 256)?"
            ])
    }

    @Test func listsLongerThanTheSchemaAllowsAreWarnedOf() {
        let tasks = (0..<201).map { "{name: t\($0), template: leaf}" }.joined(separator: ", ")
        let leaf = "- {name: leaf, container: {image: i}}\n"
        #expect(
            findings(workflow("- {name: main, dag: {tasks: [\(tasks)]}}\n" + leaf)) == [
                "warning: w.yaml:7:24: spec.templates[0].dag.tasks: 201 elements; the API server takes at most 200"
            ])
    }

    // MARK: Hints beside errors

    @Test func aMistypedFieldIsNamedBesideTheErrorThatItCauses() {
        #expect(
            findings(workflow("- {name: main, contaner: {image: i}}")) == [
                "error: w.yaml:7:5: spec.templates[0]: a template needs one of: container, script, containerSet, steps, dag, suspend",
                "warning: w.yaml:7:18: spec.templates[0].contaner: unknown field; did you mean 'container'?",
            ])
    }

    @Test func theFlagThatNamedTheTemplateIsBlamed() {
        var settings = RunSettings(entrypoint: "trian")
        settings.entrypointFlag = "--template"
        #expect(
            findings(workflow("- {name: train, container: {image: i}}"), settings: settings)
                == ["error: --template trian: template 'trian' is not defined; did you mean 'train'?; there are: train"])
    }

    @Test func artifactsThatNobodyAskedForAreRefused() {
        let settings = RunSettings(artifacts: [("dta", ["s3": ["key": "k"]])])
        let text = workflow(
            "- {name: main, inputs: {artifacts: [{name: data, path: /d, optional: true}]}, container: {image: i}}")
        #expect(
            findings(text, settings: settings)
                == ["error: -a dta=…: neither the workflow nor its entrypoint has an artifact 'dta'; there are: data"])
        let right = RunSettings(artifacts: [("data", ["s3": ["key": "k"]])])
        #expect(findings(text, settings: right).isEmpty)
    }
}
