import Documents
import Testing
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
        let source = try source("apiVersion: v1\nkind: ConfigMap\n---\n" + object("Workflow", "w"))
        #expect(source.documents.count == 1)
        #expect(
            source.warnings.map(\.message) == ["f0.yaml:2:7: kind: documents of kind ConfigMap are not used in a local run"])
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
                == "f1.yaml:3:18: metadata.name: WorkflowTemplate 'a' is given a second time, the first is at f0.yaml:3:18")
        #expect(fault(object("WorkflowTemplate", "a"), object("ClusterWorkflowTemplate", "a")) == nil)
        #expect(fault(object("Workflow", "a"), object("Workflow", "a")) == nil)
    }

    @Test func theFirstWorkflowIsRun() throws {
        let source = try source(
            object("WorkflowTemplate", "lib", "{entrypoint: x, templates: [{name: x}]}"), object("CronWorkflow", "c"),
            object("Workflow", "w"))
        #expect(try source.runnable().name == "c")
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
