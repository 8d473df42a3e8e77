import Documents
import Testing
import WorkflowFiles
import WorkflowModel

@Suite struct WorkflowSourceTests {
    private func source(_ texts: String...) throws -> WorkflowSource {
        try WorkflowSource(files: texts.enumerated().map { ("f\($0.offset).yaml", Array($0.element.utf8)) })
    }

    private func fault(_ texts: String...) -> String? {
        do {
            _ = try WorkflowSource(files: texts.enumerated().map { ("f\($0.offset).yaml", Array($0.element.utf8)) })
            return nil
        } catch let refusal as WorkflowRefusal { return refusal.message } catch { return "\(error)" }
    }

    private func object(_ kind: String, _ name: String, _ spec: String = "{}") -> String {
        "apiVersion: argoproj.io/v1alpha1\nkind: \(kind)\nmetadata: {name: \(name)}\nspec: \(spec)\n"
    }

    @Test func knowsEveryKindOfDocument() throws {
        let text = ["Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow"].map { object($0, "a") }.joined(
            separator: "---\n")
        let source = try source(text, "name: t\ncontainer: {image: i}")
        #expect(
            source.documents.map(\.kind) == [.workflow, .workflowTemplate, .clusterWorkflowTemplate, .cronWorkflow, .template])
        #expect(source.documents.map(\.name) == ["a", "a", "a", "a", "t"])
        #expect(source.documents[3].specPath.description == "spec.workflowSpec")
        #expect(source.warnings.isEmpty)
    }

    @Test func aTemplateAloneIsItsOwnEntrypoint() throws {
        let document = try #require(try source("script: {image: i, source: x}").documents.first)
        #expect(document.spec["entrypoint"] == "main")
        #expect(document.template("main")?.path == .root)
        #expect(document.template("main")?.value["script"]?["source"] == "x")
    }

    @Test func otherKindsAreNamedAndLeftOut() throws {
        let source = try source("apiVersion: v1\nkind: Service\n---\n" + object("Workflow", "w"))
        #expect(source.documents.count == 1)
        #expect(
            source.warnings.map(\.message) == ["f0.yaml:2:7: kind: documents of kind Service are not used in a local run"])
    }

    @Test func configMapsAndSecretsAreKept() throws {
        let source = try source(
            "apiVersion: v1\nkind: ConfigMap\n---\napiVersion: v1\nkind: Secret\n---\n" + object("Workflow", "w"))
        #expect(source.objects.compactMap { $0.value["kind"]?.string } == ["ConfigMap", "Secret"])
        #expect(source.warnings.isEmpty)
    }

    @Test func theItemsOfAListAreDocuments() throws {
        let text = """
            apiVersion: v1
            kind: List
            items:
            - apiVersion: argoproj.io/v1alpha1
              kind: Workflow
              metadata: {name: w}
              spec: {entrypoint: main}
            - {apiVersion: v1, kind: Secret, metadata: {name: s}}
            - {apiVersion: v1, kind: Service}
            - {apiVersion: v1, kind: List, items: [{apiVersion: argoproj.io/v1alpha1, kind: WorkflowTemplate, metadata: {name: t}}]}

            """
        let source = try source(text)
        #expect(source.documents.map(\.kind) == [.workflow, .workflowTemplate])
        #expect(source.documents[0].source.place(of: DocumentPath(members: "spec")).description == "f0.yaml:7:3")
        #expect(source.objects.count == 1)
        #expect(
            source.warnings.map(\.message) == ["f0.yaml:9:26: kind: documents of kind Service are not used in a local run"])
        #expect(try self.source("apiVersion: v1\nkind: List\nitems: []\n").documents.isEmpty)
        #expect(
            fault("apiVersion: v1\nkind: List\nitems:\n- 1\n") == "f0.yaml:4:3: expected a mapping, found number")
    }

    @Test func whatIsNoDocumentOfOursIsRefused() {
        #expect(fault("a: 1") == "f0.yaml:1:1: neither a workflow nor a template: 'kind' is missing")
        #expect(fault("[1]") == "f0.yaml:1:1: expected a mapping, found array")
        #expect(
            fault("apiVersion: argoproj.io/v2\nkind: Workflow")
                == "f0.yaml:1:13: apiVersion: expected apiVersion argoproj.io/v1alpha1")
        #expect(fault("kind: Workflow") == "f0.yaml:1:1: apiVersion: expected apiVersion argoproj.io/v1alpha1")
        #expect(fault("a: [") == "f0.yaml:1:5: did not find expected node content while parsing a flow node")
        #expect(fault("") == nil)
    }

    @Test func namesOfLibrariesAreUnique() {
        #expect(
            fault(object("WorkflowTemplate", "a"), object("WorkflowTemplate", "a"))
                == "f1.yaml:3:18: metadata.name: duplicate WorkflowTemplate 'a': the first is at f0.yaml:3:18")
        #expect(fault(object("WorkflowTemplate", "a"), object("ClusterWorkflowTemplate", "a")) == nil)
        #expect(fault(object("Workflow", "a"), object("Workflow", "a")) == nil)
    }

    private func named(_ kind: String, _ name: String, in namespace: String) -> String {
        "apiVersion: argoproj.io/v1alpha1\nkind: \(kind)\nmetadata: {name: \(name), namespace: \(namespace)}\nspec: {entrypoint: x}\n"
    }

    @Test func namesCountInTheirNamespace() throws {
        let source = try source(named("WorkflowTemplate", "t", in: "a"), named("WorkflowTemplate", "t", in: "b"))
        #expect(source.library("t", isClusterScoped: false, namespace: "b")?.namespace == "b")
        #expect(source.library("t", isClusterScoped: false, namespace: "c") == nil)
        #expect(
            source.missingLibrary("t", isClusterScoped: false, namespace: "c")
                == "WorkflowTemplate 't' is in namespace 'a', the workflow in 'c'")
        #expect(source.library("t", isClusterScoped: false) == nil)
        #expect(
            source.missingLibrary("t", isClusterScoped: false)
                == "WorkflowTemplate 't' is in the namespaces 'a', 'b': give the workflow one of them")
        #expect(
            fault(named("WorkflowTemplate", "t", in: "a"), named("WorkflowTemplate", "t", in: "a"))?
                .contains("duplicate WorkflowTemplate 't'") == true)
        // Those of the cluster have none.
        #expect(
            fault(named("ClusterWorkflowTemplate", "t", in: "a"), named("ClusterWorkflowTemplate", "t", in: "b"))?
                .contains("duplicate ClusterWorkflowTemplate 't'") == true)
    }

    @Test func aLibraryWithoutANamespaceIsInThatOfTheWorkflow() throws {
        let source = try source(object("WorkflowTemplate", "t"), named("WorkflowTemplate", "u", in: "a"))
        #expect(source.library("t", isClusterScoped: false, namespace: "a")?.name == "t")
        // A workflow without one goes where its templates are.
        #expect(source.library("u", isClusterScoped: false)?.name == "u")
    }

    @Test func theOnlyWorkflowIsRun() throws {
        let source = try source(
            object("WorkflowTemplate", "lib", "{entrypoint: x, templates: [{name: x}]}"), object("CronWorkflow", "c"))
        #expect(try source.choose().document.name == "c")
        #expect(try source.choose().warnings.isEmpty)
    }

    @Test func severalWorkflowsAreToldAndOneIsChosen() throws {
        let generated = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {generateName: g-}\nspec: {}\n"
        let source = try source(
            object("CronWorkflow", "c") + "---\n" + object("Workflow", "w", "{templates: [{name: only}]}") + "---\n" + generated
        )
        let refusal = #expect(throws: WorkflowRefusal.self) { try source.runnable() }
        #expect(
            refusal?.message
                == "f0.yaml:6:1: 3 workflows are given; choose one with --workflow NAME: "
                + "CronWorkflow 'c' (f0.yaml:1:1), Workflow 'w' (f0.yaml:6:1), Workflow 'g-' (f0.yaml:11:1)")
        #expect(try source.runnable(name: "w").name == "w")
        #expect(try source.runnable(name: "g-").generateName == "g-")
        #expect(try source.runnable(name: "g").generateName == "g-")
        #expect(try source.runnable(entrypoint: "only").name == "w")
        #expect(throws: WorkflowRefusal.self) { try source.runnable(name: "x") }
    }

    @Test func workflowsOfOtherFilesAreNamedWhereTheyAreLeftOut() throws {
        let files = [("main.yaml", object("Workflow", "w")), ("more.yaml", object("Workflow", "x"))]
        let source = try WorkflowSource(files: files.map { ($0.0, Array($0.1.utf8)) }, mainCount: 1)
        let choice = try source.choose()
        #expect(choice.document.name == "w")
        #expect(
            choice.warnings.map(\.message) == [
                "more.yaml:1:1: only Workflow 'w' is run, not Workflow 'x' (more.yaml:1:1); choose with --workflow NAME"
            ])
        #expect(try source.runnable(name: "x").name == "x")
    }

    @Test func templatesThatMightBeRunTooAreNamed() throws {
        let main = "{entrypoint: x, templates: [{name: x, steps: [[{name: s, templateRef: {name: used, template: x}}]]}]}"
        let one = "{entrypoint: x, templates: [{name: x}]}"
        let used = try source(object("WorkflowTemplate", "a", main), object("WorkflowTemplate", "used", one))
        #expect(try used.choose().warnings.isEmpty)
        let other = try source(object("WorkflowTemplate", "a", one), object("WorkflowTemplate", "b", one))
        #expect(
            try other.choose().warnings.map(\.message) == [
                "f1.yaml:1:1: only WorkflowTemplate 'a' is run, not WorkflowTemplate 'b' (f1.yaml:1:1); choose with --workflow NAME"
            ])
    }

    @Test func whereNothingHasAnEntrypointTheTemplatesAreListed() throws {
        let source = try source(object("WorkflowTemplate", "a", "{templates: [{name: x}, {name: train}]}"))
        func message(_ entrypoint: String?) -> String? {
            do { return try source.runnable(entrypoint: entrypoint).name } catch { return error.message }
        }
        #expect(
            message(nil)
                == "f0.yaml:1:1: no document has an entrypoint: choose a template with --entrypoint NAME; there are: x, train")
        #expect(
            message("trian") == "f0.yaml:1:1: no document has a template 'trian'; did you mean 'train'?; there are: x, train")
    }

    @Test(arguments: [
        ("a: {{ .Values.image }}\n", "{{ .Values.image }}"), ("a: 1\n{{- if .x }}\nb: 2\n{{- end }}\n", "{{- if .x }}"),
        ("{% for x in y %}\na: 1\n", "{% for x in y %}"),
    ])
    func templatesOfWorkflowsAreToBeRenderedFirst(_ text: String, _ mark: String) {
        #expect(fault(text)?.contains("this is a template of a workflow, not a workflow (\(mark)): render it first") == true)
    }

    @Test func bracesInTextsAreNoFault() {
        #expect(fault(object("Workflow", "w", "{x: '{{ .Values.y }} {% if %}'}")) == nil)
        // Of a file that is no YAML for another reason the reason is told.
        #expect(fault("a: [ '{{workflow.name}}'")?.contains("render") == false)
    }

    @Test func withoutAWorkflowATemplateWithAnEntrypointIsRun() throws {
        let source = try source(
            object("WorkflowTemplate", "a"),
            object("WorkflowTemplate", "b", "{entrypoint: x, templates: [{name: x}, {name: z}]}"))
        #expect(try source.runnable().name == "b")
        #expect(try source.runnable(entrypoint: "z").name == "b")
        #expect(throws: WorkflowRefusal.self) { try source.runnable(entrypoint: "none") }
        #expect(throws: WorkflowRefusal.self) { try WorkflowSource(files: []).runnable() }
    }

    @Test func librariesAreFoundByKindAndName() throws {
        let source = try source(object("WorkflowTemplate", "a"), object("ClusterWorkflowTemplate", "a"))
        #expect(source.library("a", isClusterScoped: false)?.kind == .workflowTemplate)
        #expect(source.library("a", isClusterScoped: true)?.kind == .clusterWorkflowTemplate)
        #expect(source.library("b", isClusterScoped: true) == nil)
    }

    @Test func unknownFieldsAreKept() throws {
        let document = try #require(try source(object("Workflow", "w", "{entrypoint: m, future: [1]}")).documents.first)
        #expect(document.spec["future"] == [1])
    }
}
