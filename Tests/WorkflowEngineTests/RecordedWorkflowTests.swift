import Documents
import Foundation
import SystemSupport
import Testing
import WorkflowEngine
import WorkflowFiles
import WorkflowModel
import WorkflowPlanning

import enum TestSupport.Checkout

/// Workflows that the reference's controller has run: with pods that end as they did there, the engine makes the same nodes of them.
@Suite struct RecordedWorkflowTests {
    private struct Recording {
        let name: String
        let workflow: JSONValue
        let nodes: [String: JSONValue]
        let phase: String
        let configMaps: JSONValue

        /// A file that has all of it.
        init?(file: URL) {
            guard let value = Self.read(file), let workflow = value["workflow"] else { return nil }
            self.init(file.deletingPathExtension().lastPathComponent, workflow, value, value["configMaps"] ?? [:])
        }

        /// A folder as the recordings have it.
        init?(folder: URL) {
            guard let workflow = Self.read(folder.appending(path: "workflow.json")),
                let outcome = Self.read(folder.appending(path: "outcome.json"))
            else { return nil }
            var maps = JSONObject()
            for place in [folder.appending(path: "../../_cluster/configmaps"), folder.appending(path: "cluster/configmaps")] {
                for name in (try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? [] {
                    var keys = JSONObject()
                    let map = place.appending(path: name)
                    for key in (try? FileManager.default.contentsOfDirectory(atPath: map.path)) ?? [] {
                        keys[key] = (try? String(contentsOf: map.appending(path: key), encoding: .utf8)).map { .string($0) }
                    }
                    maps[name] = .object(keys)
                }
            }
            self.init(folder.lastPathComponent, workflow, outcome, .object(maps))
        }

        private init(_ name: String, _ workflow: JSONValue, _ outcome: JSONValue, _ configMaps: JSONValue) {
            self.name = name
            self.workflow = workflow
            self.configMaps = configMaps
            phase = outcome["phase"]?.string ?? ""
            nodes = Dictionary(uniqueKeysWithValues: (outcome["nodes"]?.object?.members ?? []).map { ($0.name, $0.value) })
        }

        private static func read(_ file: URL) -> JSONValue? {
            (try? Data(contentsOf: file)).flatMap { try? JSONValue(parsing: Array($0)) }
        }

        /// Those of the tree, or a larger collection named by `RECORDED_PODS`.
        static func all() throws -> [Recording] {
            if let place = ProcessInfo.processInfo.environment["RECORDED_PODS"] {
                let root = URL(fileURLWithPath: place).appending(path: "legacy")
                return try FileManager.default.contentsOfDirectory(atPath: root.path).sorted()
                    .compactMap { Recording(folder: root.appending(path: $0)) }
            }
            let root = Checkout.root.appending(path: "Tests/Fixtures/runs")
            return try FileManager.default.contentsOfDirectory(atPath: root.path).sorted()
                .compactMap { Recording(file: root.appending(path: $0)) }
        }
    }

    /// Runs a recorded workflow.
    ///
    /// - Returns: what is different, a line each.
    private func differences(_ recording: Recording) -> [String] {
        var settings = RunSettings()
        let maps = recording.configMaps
        settings.configMapValue = { name, key in maps[name]?[key]?.string }
        let plan: WorkflowPlan
        do {
            let files = [
                (name: "workflow.json", content: recording.workflow.serialized()),
                (name: "libraries.yaml", content: Array(Self.libraries.utf8)),
            ]
            plan = try WorkflowPlan(try WorkflowSource(files: files, mainCount: 1), settings)
        } catch let refusal as WorkflowRefusal {
            return ["refused: \(refusal.findings.first?.message ?? "")"]
        } catch { return ["refused: \(error)"] }
        let identity = WorkflowRun.Identity(
            name: recording.workflow["metadata"]?["name"]?.string ?? recording.name, namespace: "argo", uid: "u",
            creationTimestamp: Timestamp(seconds: 1_700_000_000))
        var run = WorkflowRun(plan: plan, identity: identity)
        var now = Timestamp(seconds: 1_700_000_000)
        var actions = run.start(at: now)[...]
        var wakes: [Timestamp] = []
        var daemons: [String] = []
        var end: WorkflowPhase?
        func finish(_ id: String, _ run: inout WorkflowRun) -> [Action] {
            now.seconds += 1
            let recorded = run.node(id).flatMap { recording.nodes[$0.name] }
            let phase = NodePhase(rawValue: recorded?["phase"]?.string ?? "") ?? .succeeded
            let outputs = (recorded?["outputs"]).flatMap { try? Outputs(document: $0) }
            let code = recorded?["outputs"]?["exitCode"]?.string.flatMap { Int($0) }
            return run.podFinished(
                id,
                PodResult(
                    phase: phase, message: recorded?["message"]?.string ?? "", outputs: outputs, exitCode: code,
                    containers: run.node(id).map { Self.containers(of: $0.name, recording) } ?? []), at: now)
        }
        for _ in 0..<100_000 where end == nil {
            if let action = actions.popFirst() {
                switch action {
                case .runPod(let request):
                    now.seconds += 1
                    actions += run.podStarted(request.nodeID, at: now)
                    if request.template["daemon"]?.bool == true {
                        daemons.append(request.nodeID)
                    } else {
                        actions += finish(request.nodeID, &run)
                    }
                case .stopPod(let id): actions += finish(id, &run)
                case .suspend(let id, _, let duration):
                    now.seconds += (duration ?? 0) / 1_000_000_000 + 1
                    let recorded = run.node(id).flatMap { recording.nodes[$0.name] }
                    if recorded?["phase"] == "Failed" {
                        actions += run.interrupted(at: now)
                        continue
                    }
                    var supplied: [String: String] = [:]
                    for parameter in recorded?["outputs"]?["parameters"]?.array ?? [] {
                        supplied[parameter["name"]?.string ?? ""] = parameter["value"]?.string
                    }
                    actions += run.resume(id, outputs: supplied, at: now)
                case .wake(let time): wakes.append(time)
                case .remember: break
                case .workflowFinished(let phase, _): end = phase
                }
            } else if let time = wakes.min() {
                wakes.removeAll { $0 == time }
                now = max(now, time)
                actions += run.wake(at: now)
            } else if let deadline = run.deadline, now < deadline {
                now = deadline
                actions += run.deadlineReached(at: now)
            } else {
                break
            }
        }
        return compare(run, end, recording)
    }

    /// How the members of a container set have ended, as their nodes tell it.
    private static func containers(of pod: String, _ recording: Recording) -> [ContainerResult] {
        recording.nodes.filter { $0.value["type"] == "Container" && $0.key.hasPrefix(pod + ".") }.map { name, node in
            let own = String(name.dropFirst(pod.utf8.count + 1))
            let message = node["message"]?.string ?? ""
            let code = message.split(separator: "(exit code ").last.flatMap { Int($0.prefix { $0.isNumber }) }
            let rest = message.firstRange(of: "): ").map { String(message[$0.upperBound...]) } ?? ""
            return ContainerResult(
                name: own, exitCode: node["phase"] == "Succeeded" ? 0 : code, reason: "Error", message: rest)
        }
    }

    /// The templates that recorded workflows refer to.
    private static let libraries: String = {
        let print =
            "    - {name: print-message, inputs: {parameters: [{name: message}]}, container: {image: busybox, command: [echo]}}\n"
        func call(_ name: String, _ target: String, _ more: String = "") -> String {
            "{name: \(name), \(target), arguments: {parameters: [{name: message, value: \(name)}]}\(more)}"
        }
        func library(_ kind: String, _ name: String, _ templates: String) -> String {
            "apiVersion: argoproj.io/v1alpha1\nkind: \(kind)\nmetadata: {name: \(name)}\nspec:\n  templates:\n\(templates)---\n"
        }
        func steps(_ scope: String) -> String {
            let other =
                "templateRef: {name: \(scope.isEmpty ? "" : "cluster-")workflow-template-print-message, template: print-message\(scope)}"
            return print
                + "    - {name: inner-steps, steps: [[\(call("inner-hello1", other))], [\(call("inner-hello2a", other)), "
                + "\(call("inner-hello2b", "template: print-message"))]]}\n"
        }
        let own = "template: print-message"
        let dag =
            print
            + "    - {name: inner-diamond, dag: {tasks: [\(call("inner-A", own)), \(call("inner-B", own, ", depends: inner-A")), "
            + "\(call("inner-C", own, ", depends: inner-A")), \(call("inner-D", own, ", depends: inner-B && inner-C"))]}}\n"
        return library("WorkflowTemplate", "workflow-template-print-message", print)
            + library("ClusterWorkflowTemplate", "cluster-workflow-template-print-message", print)
            + library("WorkflowTemplate", "workflow-template-inner-steps", steps(""))
            + library("ClusterWorkflowTemplate", "cluster-workflow-template-inner-steps", steps(", clusterScope: true"))
            + library("WorkflowTemplate", "workflow-template-inner-dag", dag)
    }()

    private func compare(_ run: WorkflowRun, _ end: WorkflowPhase?, _ recording: Recording) -> [String] {
        var lines: [String] = []
        if end?.rawValue != recording.phase { lines.append("phase \(end?.rawValue ?? "none"), recorded \(recording.phase)") }
        var seen: Set<String> = []
        for node in run.allNodes {
            seen.insert(node.name)
            guard let recorded = recording.nodes[node.name] else {
                lines.append("\(node.name) (\(node.type.rawValue) \(node.phase.rawValue)) is not recorded")
                continue
            }
            func check(_ what: String, _ own: String, _ other: String) {
                if own != other { lines.append("\(node.name): \(what) '\(own)', recorded '\(other)'") }
            }
            check("id", node.id, recorded["id"]?.string ?? "")
            check("type", node.type.rawValue, recorded["type"]?.string ?? "")
            check("phase", node.phase.rawValue, recorded["phase"]?.string ?? "")
            check("message", node.message, recorded["message"]?.string ?? "")
            let children = { (list: [String]) in list.sorted().joined(separator: " ") }
            check(
                "children", children(node.children), children((recorded["children"]?.array ?? []).compactMap(\.string)))
            for kind in ["inputs", "outputs"] {
                let own = node.document[kind]?["parameters"] ?? .array([])
                let other = recorded[kind]?["parameters"] ?? .array([])
                let values = { (list: JSONValue) in
                    (list.array ?? []).map { "\($0["name"]?.string ?? "")=\($0["value"]?.string ?? "")" }.joined(separator: " ")
                }
                check("\(kind).parameters", values(own), values(other))
                let names = { (list: JSONValue?) in
                    (list?["artifacts"]?.array ?? []).compactMap { $0["name"]?.string }.sorted().joined(separator: " ")
                }
                check("\(kind).artifacts", names(node.document[kind]), names(recorded[kind]))
            }
            check("result", node.outputs?["result"]?.string ?? "", recorded["outputs"]?["result"]?.string ?? "")
        }
        for name in recording.nodes.keys.sorted() where !seen.contains(name) { lines.append("\(name) is missing") }
        return lines
    }

    /// What chance has decided in a recording, or needs a template of a kind that a local run does not have.
    private static let exceptions: Set<String> = [
        // The daemon failed six times while its clients ran.
        "dag-daemon-retry-strategy",
        "data-template", "http-templates", "life-cycle-hooks-tmpl-level",
        "k8s-set-owner-reference", "resource-actions", "resource-conditions", "resource-flags",
    ]

    @Test func theNodesAreThoseOfTheController() throws {
        var same = 0
        let recordings = try Recording.all().filter { !Self.exceptions.contains($0.name) }
        for recording in recordings {
            let lines = differences(recording)
            #expect(lines.isEmpty, "\(recording.name): \(lines.joined(separator: "\n    "))")
            if lines.isEmpty { same += 1 }
        }
        print("\(same) of \(recordings.count) recorded workflows have the nodes of the controller")
        #expect(recordings.count >= 40)
    }
}
