import Documents
import SystemSupport
import Testing
import WorkflowEngine
import WorkflowModel
import WorkflowPlanning

/// What surrounds the templates: libraries, merging, defaults, variables, config maps.
@Suite struct WorkflowTests {
    private let library = """
        apiVersion: argoproj.io/v1alpha1
        kind: WorkflowTemplate
        metadata: {name: lib}
        spec:
          entrypoint: outer
          arguments: {parameters: [{name: p, value: lib}, {name: q, value: q}]}
          podMetadata: {labels: {team: lib}}
          templates:
          - name: outer
            steps: [[{name: x, template: leaf}]]
          - name: leaf
            container: {image: i, args: ["{{workflow.parameters.p}}"]}
        ---
        apiVersion: argoproj.io/v1alpha1
        kind: ClusterWorkflowTemplate
        metadata: {name: lib}
        spec:
          templates:
          - {name: leaf, container: {image: c}}
        """

    @Test func referencesLeadToLibraries() throws {
        var play = try Play(
            workflow(
                """
                - name: main
                  steps:
                  - - {name: a, templateRef: {name: lib, template: outer}}
                    - {name: b, templateRef: {name: lib, template: leaf, clusterScope: true}}
                """, spec: "arguments: {parameters: [{name: p, value: wf}]}"), library)
        #expect(play.pods.map(\.nodeName) == ["wf[0].a[0].x", "wf[0].b"])
        // Names inside a library are looked up there.
        #expect(play.arguments("wf[0].a[0].x") == ["wf"])
        #expect(play.node("wf[0].a")?.templateScope == "local/wf")
        #expect(play.node("wf[0].a")?.templateReference == ["name": "lib", "template": "outer"])
        #expect(play.node("wf[0].a")?.templateName.isEmpty == true)
        #expect(play.node("wf[0].a[0].x")?.templateScope == "namespaced/lib")
        #expect(play.node("wf[0].b")?.templateReference == ["name": "lib", "template": "leaf", "clusterScope": true])
        #expect(play.pod("wf[0].a[0].x")?.template["metadata"] == ["labels": ["team": "lib"]])
        #expect(play.pod("wf[0].b")?.template["metadata"] == nil)
        try play.finish("wf[0].b")
        try play.finish("wf[0].a[0].x")
        #expect(play.end?.phase == .succeeded)
    }

    @Test func aWorkflowMayBeMadeOfATemplate() throws {
        let text = """
            apiVersion: argoproj.io/v1alpha1
            kind: Workflow
            metadata: {name: wf}
            spec:
              workflowTemplateRef: {name: lib}
              arguments: {parameters: [{name: p, value: mine}]}
            """
        let play = try Play(text, library)
        #expect(play.arguments("wf[0].x") == ["mine"])
        #expect(play.node("wf[0].x")?.templateScope == "local/")
        #expect(play.run.plan.spec["arguments"]?["parameters"]?.array?.count == 2)
    }

    @Test func aTemplateDocumentWithAnEntrypointRunsByItself() throws {
        let play = try Play(library)
        #expect(play.pods.map(\.nodeName) == ["wf-unnamed[0].x"].map { $0.replacing("wf-unnamed", with: "lib") })
        #expect(play.arguments("lib[0].x") == ["lib"])
    }

    @Test func aCronWorkflowRunsItsWorkflowNow() throws {
        let play = try Play(
            """
            apiVersion: argoproj.io/v1alpha1
            kind: CronWorkflow
            metadata: {name: nightly, labels: {a: b}}
            spec:
              schedules: ["0 0 * * *"]
              workflowSpec:
                entrypoint: main
                templates: [{name: main, container: {image: i, args: ["{{workflow.scheduledTime}}"]}}]
            """)
        #expect(play.arguments("nightly") == ["2023-11-14T22:13:20Z"])
        #expect(play.run.workflowDocument()["metadata"]?["labels"]?["workflows.argoproj.io/cron-workflow"] == "nightly")
    }

    @Test func aTemplateAloneRuns() throws {
        let play = try Play(
            "name: hello\ninputs: {parameters: [{name: m, value: d}]}\ncontainer: {image: i, args: ['{{inputs.parameters.m}}']}",
            settings: RunSettings(parameters: [("m", "given")]))
        #expect(play.pods.map(\.nodeName) == ["hello"])
        #expect(play.arguments("hello") == ["given"])
    }

    @Test func anotherEntrypointMayBeGiven() throws {
        let play = try Play(
            workflow("- {name: main, container: {image: i}}\n- {name: other, container: {image: o}}"),
            settings: RunSettings(entrypoint: "other"))
        #expect(play.pods.map { $0.template["container"]?["image"] } == ["o"])
        #expect(play.run.plan.entrypoint == "other")
    }

    @Test func defaultsFillWhatTemplatesLeaveOut() throws {
        let play = try Play(
            workflow(
                """
                - name: main
                  steps: [[{name: a, template: c}, {name: b, template: s}]]
                - {name: c, container: {image: own, args: [x]}}
                - {name: s, script: {source: hi}}
                """,
                spec: """
                    templateDefaults:
                      timeout: 30s
                      container: {image: dflt, env: [{name: E, value: v}]}
                      script: {image: py, command: [python]}
                    """))
        #expect(
            play.pod("wf[0].a")?.template["container"]
                == ["image": "own", "env": [["name": "E", "value": "v"]], "args": ["x"]])
        #expect(play.pod("wf[0].a")?.template["script"] == nil)
        #expect(play.pod("wf[0].b")?.template["script"] == ["image": "py", "command": ["python"], "source": "hi"])
        #expect(play.pods.map(\.activeDeadlineSeconds) == [30, 30])
    }

    @Test func podMetadataIsAddedToTheTemplates() throws {
        let play = try Play(
            workflow(
                "- {name: main, metadata: {labels: {a: own}}, container: {image: i}}",
                spec: "podMetadata: {labels: {a: all, b: all}, annotations: {c: d}}"))
        #expect(play.pods[0].template["metadata"] == ["labels": ["a": "own", "b": "all"], "annotations": ["c": "d"]])
    }

    @Test func theWorkflowsVariablesAreThere() throws {
        let names = [
            "workflow.namespace", "workflow.uid", "workflow.mainEntrypoint", "workflow.serviceAccountName", "workflow.priority",
            "workflow.parameters", "workflow.parameters.json", "workflow.labels.l", "workflow.labels.json",
            "workflow.annotations.an",
            "workflow.labels.m", "workflow.status", "workflow.duration", "workflow.creationTimestamp",
        ]
        let play = try Play(
            """
            apiVersion: argoproj.io/v1alpha1
            kind: Workflow
            metadata: {name: wf, labels: {l: v, b: w}, annotations: {an: x}}
            spec:
              entrypoint: main
              serviceAccountName: sa
              priority: 3
              workflowMetadata: {labels: {m: added}}
              arguments: {parameters: [{name: p, value: 1, enum: [1, 2], description: d}]}
              templates:
              - name: main
                container: {image: i, args: [\(names.map { "\"{{\($0)}}\"" }.joined(separator: ", "))]}
            """)
        let parameters = #"[{"name":"p","value":"1","enum":[1,2],"description":"d"}]"#
        #expect(
            play.arguments("wf") == [
                "argo", "u-1", "main", "sa", "3", parameters, parameters, "v", #"{"b":"w","l":"v","m":"added"}"#, "x", "added",
                "",
                "0.000000", "2023-11-14T22:13:20Z",
            ])
    }

    @Test func statusAndDurationGrowWithTheRun() throws {
        var play = try Play(
            workflow(
                """
                - name: main
                  steps: [[{name: a, template: say}], [{name: b, template: say}]]
                - {name: say, container: {image: i, args: ["{{workflow.status}} {{workflow.duration}}"]}}
                """))
        try play.finish("wf[0].a")
        #expect(play.arguments("wf[0].a") == [" 0.000000"])
        #expect(play.arguments("wf[1].b") == ["Running 0.000000"])
    }

    @Test(arguments: [
        ("RFC3339", "2023-11-14T22:13:20Z"), ("s", "1700000000"), ("Y", "2023"), ("y", "23"), ("m", "11"), ("B", "November"),
        ("b", "Nov"), ("d", "14"), ("A", "Tuesday"), ("a", "Tue"), ("H", "22"), ("I", "10"), ("M", "13"), ("S", "20"),
        ("p", "PM"),
        ("Z", "UTC"), ("z", "+0000"), ("L", ".000"),
    ])
    func theCreationTimeComesInParts(_ letter: String, _ text: String) throws {
        let play = try Play(
            workflow("- {name: main, container: {image: i, args: [\"{{workflow.creationTimestamp.\(letter)}}\"]}}"))
        #expect(play.arguments("wf") == [text])
    }

    @Test func valuesComeFromConfigMaps() throws {
        let settings = RunSettings(configMapValue: { name, key in name == "cm" && key == "k" ? "from cm" : nil })
        let play = try Play(
            workflow(
                """
                - name: main
                  inputs:
                    parameters:
                    - {name: a, valueFrom: {configMapKeyRef: {name: cm, key: k}}}
                    - {name: b, valueFrom: {configMapKeyRef: {name: cm, key: gone}, default: dflt}}
                    - {name: c, valueFrom: {configMapKeyRef: {name: "{{workflow.parameters.num}}", key: k}}}
                  container: {image: i, args: ["{{inputs.parameters.a}}", "{{inputs.parameters.b}}", "{{inputs.parameters.c}}", "{{workflow.parameters.w}}"]}
                """,
                spec:
                    "arguments: {parameters: [{name: w, valueFrom: {configMapKeyRef: {name: cm, key: k}}}, {name: num, value: cm}]}"
            ),
            settings: settings)
        #expect(play.arguments("wf") == ["from cm", "dflt", "from cm", "from cm"])
    }

    @Test func aConfigMapThatTagsNameWronglyIsAnError() throws {
        let play = try Play(
            workflow(
                """
                - name: main
                  inputs: {parameters: [{name: a, valueFrom: {configMapKeyRef: {name: "x-{{workflow.name}}", key: k}}}]}
                  container: {image: i}
                """))
        #expect(play.end?.phase == .error)
        #expect(
            play.end?.message
                == "error in entry template execution: unable to retrieve inputs.parameters.a from ConfigMap: key 'k' of 'x-wf' is not there"
        )
    }

    @Test func artifactsOfTheWorkflowMayBeGiven() throws {
        let text = workflow(
            "- {name: main, inputs: {artifacts: [{name: in, path: /in}]}, container: {image: i}}",
            spec: "arguments: {artifacts: [{name: in, s3: {key: theirs}}]}")
        #expect(
            try Play(text).pods[0].template["inputs"]?["artifacts"] == [["name": "in", "s3": ["key": "theirs"], "path": "/in"]])
        let given = RunSettings(artifacts: [("in", ["s3": ["key": "mine"]])])
        #expect(
            try Play(text, settings: given).pods[0].template["inputs"]?["artifacts"]
                == [["name": "in", "s3": ["key": "mine"], "path": "/in"]])
    }

    @Test func secretsAndConfigMapsAreNamedBeforeAnythingRuns() throws {
        let plan = try Play.plan([
            workflow(
                """
                - name: main
                  steps: [[{name: a, template: leaf}]]
                - name: leaf
                  volumes: [{name: t, configMap: {name: cm1, optional: true}}]
                  container:
                    image: i
                    env: [{name: A, valueFrom: {secretKeyRef: {name: s1, key: k}}}, {name: B, valueFrom: {configMapKeyRef: {name: "{{workflow.name}}", key: k}}}]
                    envFrom: [{configMapRef: {name: cm2}}]
                    volumeMounts: [{name: v, mountPath: /v}, {name: t, mountPath: /t}]
                - {name: unused, container: {image: i, envFrom: [{secretRef: {name: never}}]}}
                """, spec: "volumes: [{name: v, secret: {secretName: s2}}, {name: w, secret: {secretName: s3}}]")
        ])
        #expect(plan.references.map(\.name) == ["cm1", "s1", "cm2", "s2"])
        #expect(plan.references.map(\.isOptional) == [true, false, false, false])
        #expect(
            plan.references[1].missing.message.hasSuffix(
                "spec.templates[1].container.env[0].valueFrom.secretKeyRef.name: key 'k' of secret 's1' is not there"))
        #expect(plan.references[3].missing.message.hasPrefix("w.yaml:6:"))
    }
}
