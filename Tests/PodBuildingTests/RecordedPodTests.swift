import Documents
import Foundation
import PodBuilding
import SandboxTestSupport
import SystemSupport
import Testing
import WorkflowEngine
import WorkflowModel

/// What differs between a recorded pod and one of ours on purpose, each with its reason.
private enum Expected {
    /// Volumes and mounts that the API server's admission adds to every pod, not the controller.
    static func isFromAdmission(_ item: JSONValue) -> Bool {
        item.field("name")?.string?.hasPrefix("kube-api-access-") == true
    }

    /// Variables of the recording's own set-up: tracing was on, and its configuration set a grace period by a patch of the pod.
    static let variables: Set<String> = ["TRACEPARENT", "TRACESTATE", "ARGO_TERMINATION_GRACE_PERIOD_SECONDS"]

    /// Variables whose value depends on when or where the pod was built.
    static let values: Set<String> = [
        "ARGO_DEADLINE", "ARGO_PROGRESS_PATCH_TICK_DURATION", "ARGO_PROGRESS_FILE_TICK_DURATION",
    ]

    /// Fields that the API server fills in by default, or that the executor's own image was given by configuration.
    static let containerFields: Set<String> = [
        "terminationMessagePath", "terminationMessagePolicy", "imagePullPolicy", "resources", "readinessProbe", "env",
        "volumeMounts",
    ]

    /// The recording's patch of every pod (its grace period) was merged by the API machinery, which puts lists of volumes and mounts
    /// in an order of its own: they are compared as sets.
    static func sorted(_ list: [JSONValue], by field: String) -> JSONValue {
        .array(list.sorted { ($0.field(field)?.string ?? "") < ($1.field(field)?.string ?? "") })
    }

    /// Kinds of pods that a local run does not build (resource, data, plugins, agent, garbage collection), and those of
    /// other layouts.
    static func isOther(_ pod: JSONValue, _ template: JSONValue, _ workflow: JSONValue) -> String? {
        for kind in ["resource", "data", "http", "plugin"] where template.field(kind) != nil { return kind }
        if pod.field("spec")?.field("initContainers")?.array?.first?.field("name")?.string != "init" { return "no init" }
        let names = ["containers", "initContainers"].flatMap { pod.field("spec")?.field($0)?.array ?? [] }.compactMap {
            $0.field("name")?.string
        }
        if names.contains(where: { $0.hasPrefix("artifact-plugin-") || $0.hasPrefix("init-artifact-") }) { return "plugin" }
        return nil
    }
}

/// One line for each difference that the executor could see.
private func differences(_ ours: JSONValue, _ recorded: JSONValue) -> [String] {
    var lines: [String] = []
    func compare(_ what: String, _ left: JSONValue?, _ right: JSONValue?) {
        if left != right {
            let text = { (value: JSONValue?) in value.map { String(decoding: $0.serialized(), as: UTF8.self) } ?? "absent" }
            lines.append("\(what): \(text(left).prefix(600)) recorded \(text(right).prefix(600))")
        }
    }
    func volumes(_ pod: JSONValue) -> JSONValue {
        let list = (pod.field("spec")?.field("volumes")?.array ?? []).filter { !Expected.isFromAdmission($0) }
        let plain = list.map { volume in
            var volume = volume
            for kind in ["secret", "configMap"] where volume.field(kind) != nil { volume[kind]?["defaultMode"] = nil }
            return volume
        }
        return Expected.sorted(plain, by: "name")
    }
    compare("volumes", volumes(ours), volumes(recorded))
    for group in ["initContainers", "containers"] {
        let left = ours.field("spec")?.field(group)?.array ?? []
        let right = recorded.field("spec")?.field(group)?.array ?? []
        let names = { (list: [JSONValue]) in list.map { $0.field("name")?.string ?? "" } }
        if names(left) != names(right) {
            lines.append("\(group): \(names(left)) recorded \(names(right))")
            continue
        }
        for (mine, theirs) in zip(left, right) {
            let name = mine.field("name")?.string ?? ""
            let fields = Set((mine.object?.members ?? []).map(\.name) + (theirs.object?.members ?? []).map(\.name))
            let isExecutor = ["init", "wait"].contains(name)
            for field in fields.subtracting(Expected.containerFields).sorted() where !(isExecutor && field == "image") {
                compare("\(name) \(field)", mine.field(field), theirs.field(field))
            }
            let mounts = { (container: JSONValue) -> JSONValue in
                Expected.sorted(
                    (container.field("volumeMounts")?.array ?? []).filter { !Expected.isFromAdmission($0) }, by: "mountPath")
            }
            compare("\(name) mounts", mounts(mine), mounts(theirs))
            compare("\(name) env", variables(mine), variables(theirs))
        }
    }
    return lines
}

private func variables(_ container: JSONValue) -> JSONValue {
    .array(
        (container.field("env")?.array ?? []).compactMap { variable in
            guard let name = variable.field("name")?.string, !Expected.variables.contains(name) else { return nil }
            var variable = variable
            if Expected.values.contains(name) { variable["value"] = nil }
            if name == "ARGO_TEMPLATE", let text = variable.field("value")?.string {
                variable["value"] = (try? JSONValue(parsing: Array(text.utf8))) ?? .null
            }
            return variable
        })
}

@Suite struct RecordedPodTests {
    @Test func buildsThePodsThatTheControllerBuilt() throws {
        var compared = 0
        for (name, workflow, pod) in try RecordedPods.legacy() {
            let environment = { (container: String, variable: String) -> String? in
                let all =
                    (pod.field("spec")?.field("initContainers")?.array ?? [])
                    + (pod.field("spec")?.field("containers")?.array ?? [])
                let found = all.first { $0.field("name")?.string == container }
                return found?.field("env")?.array?.first { $0.field("name")?.string == variable }?.field("value")?.string
            }
            guard let text = environment("init", "ARGO_TEMPLATE"), text != "offloaded" else { continue }
            let template = try JSONValue(parsing: Array(text.utf8))
            if Expected.isOther(pod, template, workflow) != nil { continue }
            let metadata = try #require(pod.field("metadata"))
            let annotations = metadata.field("annotations")
            var settings = PodSettings(
                workflowName: try #require(environment("init", "ARGO_WORKFLOW_NAME")),
                workflowUID: try #require(environment("init", "ARGO_WORKFLOW_UID")), namespace: "argo",
                spec: workflow.field("spec")?.object ?? JSONObject())
            settings.imageCommands = [
                "argoproj/argosay:v2": (["/argosay"], []), "argoproj/argosay:v1": (["cowsay"], []),
                "alpine:3.23": ([], ["/bin/sh"]),
            ]
            let built = try PodBuilder(settings).pod(
                for: PodRequest(
                    nodeID: try #require(annotations?.field("workflows.argoproj.io/node-id")?.string),
                    nodeName: try #require(annotations?.field("workflows.argoproj.io/node-name")?.string),
                    podName: try #require(metadata.field("name")?.string), template: template,
                    includesScriptOutput: environment("init", "ARGO_INCLUDE_SCRIPT_OUTPUT") == "true"),
                template: try Template(document: template))
            let found = differences(built.pod, pod)
            #expect(found.isEmpty, "\(name): \(found.joined(separator: "\n    "))")
            compared += 1
        }
        #expect(compared > RecordedPods.fewest)
    }
}
