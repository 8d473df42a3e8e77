import Documents
import SystemSupport
package import WorkflowFiles
import WorkflowModel

/// What a template itself must be like.
extension PlanCheck {
    package mutating func checkBody(_ template: ResolvedTemplate, _ part: DocumentPart, around outer: TagScope?) {
        let kinds = TemplateKind.present(in: part.value)
        if kinds.count != 1 {
            let text =
                kinds.isEmpty
                ? "a template needs one of: container, script, containerSet, steps, dag, suspend"
                : "a template has only one type, but here are \(kinds.map(\.fieldName).joined(separator: ", "))"
            return error(part, text)
        }
        if let name = part.value["name"]?.string, !name.isEmpty, !isFieldName(name), !name.contains("{{") {
            error(part.member("name"), Self.nameRule)
        }
        checkInputs(template, part)
        var scope = outer ?? global
        scope.add(.own(template))
        switch template.kind {
        case .steps: checkSteps(template, part, scope)
        case .dag: checkDAG(template, part, scope)
        case .container, .script: checkContainer(template, part)
        case .containerSet: checkContainerSet(part)
        case .suspend: checkDuration(part.part(DocumentPath(members: "suspend", "duration")))
        // Refused by their fields.
        case .resource, .data, .http, .plugin, .unknown: break
        }
        // Of types that are refused as a whole nothing more is told.
        if template.kind != .steps, template.kind != .dag, template.kind.isSupported {
            checkOutputs(template, part)
            // Metrics may speak of the node itself, and are not kept here.
            checkTags(part, scope, skipping: ["metrics", "inputs"])
        }
        checkInputTags(part.member("inputs"), scope)
        checkLimits(template, part)
        checkMounts(template, part)
    }

    private static let nameRule =
        "a name consists of letters, digits and '-', begins with no '-' and has at most 128 characters"

    package func isFieldName(_ name: String) -> Bool {
        guard let first = name.utf8.first, first != UInt8(ascii: "-"), name.utf8.count <= 128 else { return false }
        return name.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }

    private func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    /// Names of parameters or artifacts: there, of allowed characters, each once.
    package mutating func checkNames(_ list: DocumentPart, of what: String) {
        var seen: Set<String> = []
        for element in list.elements {
            let name = element.name
            if name.isEmpty {
                checkPresence(element, of: what)
            } else if !name.utf8.allSatisfy({ isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }),
                !name.contains("{{")
            {
                error(element.member("name"), "the name of a \(what) consists of letters, digits, '-' and '_'")
            } else if !seen.insert(name).inserted {
                error(element.member("name"), "duplicate \(what) '\(name)'")
            }
        }
    }

    /// A name there is; one that is no text, such as `y`, has been told by its kind.
    private mutating func checkPresence(_ element: DocumentPart, of what: String) {
        switch element.value["name"] {
        case .string?, .null?, nil: error(element, "every \(what) needs a name")
        default: break
        }
    }

    /// Names of steps, tasks or containers.
    package mutating func checkName(_ element: DocumentPart, of what: String, _ seen: inout Set<String>) {
        let name = element.name
        if name.isEmpty {
            checkPresence(element, of: what)
        } else if !isFieldName(name), !name.contains("{{") {
            error(element.member("name"), Self.nameRule)
        } else if !seen.insert(name).inserted {
            error(element.member("name"), "duplicate \(what) '\(name)'")
        }
    }

    private mutating func checkInputs(_ template: ResolvedTemplate, _ part: DocumentPart) {
        let inputs = part.member("inputs")
        checkNames(inputs.member("parameters"), of: "parameter")
        checkNames(inputs.member("artifacts"), of: "artifact")
        for artifact in inputs.member("artifacts").elements {
            if artifact.value["from"] != nil {
                error(artifact.member("from"), "an input artifact cannot have 'from'", atValue: false)
            }
            checkPath(artifact, isNeeded: template.kind.isPod)
            checkLocation(artifact)
        }
    }

    /// The texts of inputs that no argument replaces.
    private mutating func checkInputTags(_ inputs: DocumentPart, _ scope: TagScope) {
        for parameter in inputs.member("parameters").elements {
            checkTags(parameter, scope, skipping: ["value", "default", "valueFrom"])
        }
        for artifact in inputs.member("artifacts").elements { checkTags(artifact.member("path"), scope) }
    }

    /// An artifact is in one place.
    package mutating func checkLocation(_ artifact: DocumentPart) {
        let kinds = LocationKind.allCases.map(\.rawValue).filter { !(artifact.value[$0]?.isNull ?? true) }
        if kinds.count > 1 {
            error(artifact, "an artifact has only one location, but here are \(kinds.joined(separator: ", "))", atValue: false)
        }
    }

    private mutating func checkPath(_ artifact: DocumentPart, isNeeded: Bool) {
        let path = artifact.value["path"]?.string ?? ""
        if !isNeeded {
            if !path.isEmpty { error(artifact.member("path"), "only templates that run a pod have paths", atValue: false) }
        } else if path.isEmpty {
            error(artifact, "artifact '\(artifact.name)' needs a path", atValue: false)
        } else if !path.contains("{{") {
            do throws(ModelError) { _ = try PathRules.cleanPath(path) } catch {
                self.error(artifact.member("path"), error.message)
            }
        }
    }

    package mutating func checkOutputs(_ template: ResolvedTemplate, _ part: DocumentPart) {
        let outputs = part.member("outputs")
        checkNames(outputs.member("parameters"), of: "parameter")
        checkNames(outputs.member("artifacts"), of: "artifact")
        for artifact in outputs.member("artifacts").elements {
            checkPath(artifact, isNeeded: template.kind.isPod)
            checkLocation(artifact)
        }
        for parameter in outputs.member("parameters").elements {
            let value = parameter.value
            if !(value["value"]?.isNull ?? true) {
                if !(value["valueFrom"]?.isNull ?? true) {
                    error(parameter, "either value or valueFrom, not both", atValue: false)
                }
                continue
            }
            let source = value["valueFrom"]
            let wanted: String
            switch template.kind {
            case .container, .containerSet, .script: wanted = "path"
            case .steps, .dag: wanted = "parameter"
            case .suspend: wanted = "supplied"
            case .resource, .data, .http, .plugin, .unknown: continue
            }
            // What is not supported is refused by its field.
            let isRefused = ["event", "expression", "jsonPath", "jqFilter"].contains { source?[$0] != nil }
            if source?[wanted]?.isNull ?? true, !isRefused {
                error(parameter, "an output parameter of this template needs valueFrom.\(wanted)", atValue: false)
            }
        }
    }

    private mutating func checkContainer(_ template: ResolvedTemplate, _ part: DocumentPart) {
        let field = template.kind.fieldName
        if (template.template[field]?["image"]?.string ?? "").isEmpty {
            error(part.member(field), "an image is needed", atValue: false)
        }
        var taken: [String: String] = [:]
        for mount in part.member(field).member("volumeMounts").elements {
            let path = mount.value["mountPath"]?.string ?? ""
            if let other = taken[path] { error(mount.member("mountPath"), "'\(path)' is taken by \(other)") }
            taken[path] = "volume '\(mount.name)'"
        }
        for artifact in part.member("inputs").member("artifacts").elements {
            let path = artifact.value["path"]?.string ?? ""
            if let other = taken[path], !path.isEmpty { error(artifact.member("path"), "'\(path)' is taken by \(other)") }
            taken[path] = "artifact '\(artifact.name)'"
        }
    }

    private mutating func checkContainerSet(_ part: DocumentPart) {
        let containers = part.member("containerSet").member("containers")
        if containers.elements.isEmpty { error(part.member("containerSet"), "containers are needed", atValue: false) }
        var seen: Set<String> = []
        for container in containers.elements {
            checkName(container, of: "container", &seen)
            if (container.value["image"]?.string ?? "").isEmpty { error(container, "an image is needed", atValue: false) }
        }
        checkDependencies(containers, of: "container")
        let inputs = part.value["inputs"]?["artifacts"]?.array ?? []
        let outputs = part.value["outputs"]
        let hasFiles = !inputs.isEmpty || ["parameters", "artifacts"].contains { !(outputs?[$0]?.array ?? []).isEmpty }
        if hasFiles, !seen.contains("main") {
            error(containers, "inputs and outputs need a container called 'main'", atValue: false)
        }
    }

    /// Dependencies among the elements of a list: defined, and without a cycle.
    package mutating func checkDependencies(_ list: DocumentPart, of what: String) {
        let elements = list.elements
        var dependencies: [String: [String]] = [:]
        for element in elements { dependencies[element.name] = TemplateCall.mentionedTasks(of: element.value) }
        for element in elements {
            let field = element.value["depends"] == nil ? "dependencies" : "depends"
            for name in dependencies[element.name] ?? [] where dependencies[name] == nil {
                error(element.member(field), "\(what) '\(name)' is not defined")
            }
        }
        guard let cycle = ReferenceCycle.find(in: dependencies), let first = elements.first(where: { $0.name == cycle[0] })
        else { return }
        let field = first.value["depends"] == nil ? "dependencies" : "depends"
        error(first.member(field), "\(what)s depend on each other: \(ReferenceCycle.text(cycle))")
    }

    private mutating func checkDuration(_ part: DocumentPart) {
        guard let text = part.value.string, !text.isEmpty, !text.contains("{{") else { return }
        if Durations.nanoseconds(text) == nil { error(part, "'\(text)' is no duration") }
    }

    private mutating func checkLimits(_ template: ResolvedTemplate, _ part: DocumentPart) {
        if let timeout = part.value["timeout"]?.string, !timeout.isEmpty {
            if !template.kind.isPod {
                error(part.member("timeout"), "only templates that run a pod have a timeout", atValue: false)
            } else if Int64(timeout) != nil {
                error(part.member("timeout"), "'\(timeout)' is no duration: a unit is needed")
            } else {
                checkDuration(part.member("timeout"))
            }
        }
        let limit = part.member("activeDeadlineSeconds")
        if limit.value.isNull { return }
        if !template.kind.isPod {
            error(limit, "only templates that run a pod have activeDeadlineSeconds", atValue: false)
        } else if !(limit.value.string?.contains("{{") ?? false), IntOrString(limit.value)?.int.map({ $0 < 0 }) ?? true {
            error(limit, "activeDeadlineSeconds is a positive integer")
        }
    }

    /// Every mount needs a volume.
    private mutating func checkMounts(_ template: ResolvedTemplate, _ part: DocumentPart) {
        guard template.kind.isPod else { return }
        checkVolumes(part.member("volumes"))
        for volume in part.member("volumes").elements { collect(.volume(volume)) }
        var volumes: [String] = []
        for list in [template.template["volumes"], plan.spec["volumes"]] {
            volumes += (list?.array ?? []).compactMap { $0["name"]?.string }
        }
        volumes += (plan.spec["volumeClaimTemplates"]?.array ?? []).compactMap { $0["metadata"]?["name"]?.string }
        var containers = [part.member(template.kind.fieldName)]
        containers += part.member("containerSet").member("containers").elements
        containers += part.member("initContainers").elements + part.member("sidecars").elements
        collect(containers.flatMap { [ObjectReference].container($0) })
        let areKnown = !volumes.contains { $0.contains("{{") }
        for mount in containers.flatMap({ $0.member("volumeMounts").elements }) {
            mountedVolumes.insert(mount.name)
            if areKnown, !volumes.contains(mount.name), !mount.name.contains("{{") {
                error(mount.member("name"), "there is no volume '\(mount.name)'")
            }
        }
        for container in part.member("initContainers").elements + part.member("sidecars").elements {
            if container.name.isEmpty { error(container, "every container needs a name") }
            let isReserved = ["main", "wait", "supervisor", "init"].contains(container.name)
            if isReserved || container.name.hasPrefix("artifact-plugin-") {
                error(container.member("name"), "the name '\(container.name)' is taken")
            }
        }
    }

    /// Volumes: named, of one kind that there is here, without tags that stand for nothing.
    package mutating func checkVolumes(_ list: DocumentPart) {
        for volume in list.elements {
            if volume.name.isEmpty { error(volume, "every volume needs a name") }
            let kinds = (volume.value.object?.members ?? []).map(\.name).filter { $0 != "name" }
            if kinds.count != 1 { error(volume, "a volume needs one kind, such as emptyDir", atValue: false) }
        }
    }
}
