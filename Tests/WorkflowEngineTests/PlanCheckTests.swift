import Documents
import Testing
import WorkflowEngine
import WorkflowFiles
import WorkflowModel
import WorkflowPlanning

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

    @Test func anArgumentReplacesThePlaceOfAnArtifactAndNothingElse() throws {
        func given(_ arguments: String, _ input: String = "{name: a, path: /a, archive: {zip: {}}}") throws -> JSONValue? {
            let text = """
                apiVersion: argoproj.io/v1alpha1
                kind: Workflow
                metadata: {name: w}
                spec:
                  entrypoint: main
                  arguments: {\(arguments)}
                  templates:
                  - {name: main, inputs: {artifacts: [\(input)]}, container: {image: i, command: [c]}}

                """
            let settings = RunSettings(artifacts: [("a", ["s3": ["key": "new"]])])
            let plan = try WorkflowPlan(WorkflowSource(files: [("w.yaml", Array(text.utf8))]), settings)
            return plan.spec["arguments"]?["artifacts"]?.array?.first
        }
        let all = "artifacts: [{name: a, mode: 420, archive: {none: {}}, optional: true, http: {url: old}, subPath: x}]"
        #expect(
            try given(all)
                == ["name": "a", "mode": 420, "archive": ["none": [:]], "optional": true, "s3": ["key": "new"]])
        #expect(try given("artifacts: [{name: a, s3: {key: old, bucket: b}}]") == ["name": "a", "s3": ["key": "new"]])
        // What only the entrypoint declares is packed as it says.
        #expect(try given("") == ["name": "a", "archive": ["zip": [:]], "s3": ["key": "new"]])
        let refusal = #expect(throws: WorkflowRefusal.self) { try given("", "{name: b, path: /b, raw: {data: x}}") }
        #expect(
            refusal?.findings.map(\.message) == [
                "-a a=…: neither the workflow nor its entrypoint has an artifact 'a'; there are: b"
            ])
    }

    @Test func aSoundWorkflowHasNoFindings() {
        #expect(findings(workflow("- name: main\n  steps: [[{name: a, template: leaf}]]\n" + Self.leaf)).isEmpty)
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
                == ["--entrypoint nope: template 'nope' is not defined; there are: leaf"])
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

    @Test(arguments: [false, true]) func parametersThatOnlyTheEntrypointTakesAreDeclared(isStrict: Bool) {
        let text = workflow(
            "- {name: main, inputs: {parameters: [{name: quality}]}, container: {image: i, args: ['{{inputs.parameters.quality}}']}}"
        )
        #expect(findings(text, settings: RunSettings(parameters: [("quality", "5")], isStrict: isStrict)).isEmpty)
        let mistyped = RunSettings(parameters: [("quality", "5"), ("qualty", "5")], isStrict: isStrict)
        let finding = "-p qualty=…: the workflow declares no such parameter; did you mean 'quality'?"
        #expect(findings(text, settings: mistyped) == [isStrict ? finding : "warning: " + finding])
    }

    @Test func fieldsWithoutEffectAreErrorsOnlyWhenStrict() {
        let text = workflow("- {name: main, nodeSelector: {a: b}, container: {image: i, tty: true}}")
        let warnings = [
            "w.yaml:7:18: spec.templates[0].nodeSelector: has no effect in a local run: pods are not placed on nodes here",
            "w.yaml:7:62: spec.templates[0].container.tty: has no effect in a local run: standard input is empty and no terminal",
        ]
        #expect(findings(text) == warnings.map { "warning: " + $0 })
        #expect(findings(text, settings: RunSettings(isStrict: true)) == warnings)
    }

    @Test func refusedFieldsAreAllTold() {
        let found = findings(
            workflow(
                "- name: main\n  volumes: [{name: v, csi: {}}]\n  steps:\n  - - {name: a, inline: {http: {url: x}}}\n"
                    + Self.leaf, spec: "executorPlugins: [x]"))
        #expect(
            found == [
                "w.yaml:6:3: spec.executorPlugins: executor plugins are not supported in a local run",
                "w.yaml:9:25: spec.templates[0].volumes[0].csi: volumes of this kind are not supported in a local run",
                "w.yaml:11:28: spec.templates[0].steps[0][0].inline.http: templates of this type are not supported in a local run",
            ])
    }

    @Test func whatFollowsFromAnUnreadableValueIsNotTold() {
        #expect(
            findings(workflow("- name: main\n  steps:\n  - - {name: yes, template: leaf}\n" + Self.leaf))
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
                == ["w1.yaml:7:34: spec.templates[0].container.args[0]: unknown variable {{inputs.parameters.typo}}"])
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
