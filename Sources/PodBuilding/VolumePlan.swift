import Documents
import SystemSupport
import WorkflowModel

/// The volumes of a pod and where each container sees them (contract 01 §6).
struct VolumePlan: Sendable {
    enum Role {
        case initialize, wait
        case main(UserContainer)
        /// A sidecar or an init container of the user's.
        case user(UserContainer)
    }

    private let template: Template
    private let settings: PodSettings
    private let secrets: [SecretVolume]
    private let mainMounts: [JSONValue]

    init(template: Template, settings: PodSettings) {
        self.template = template
        self.settings = settings
        secrets = SecretVolume.needed(by: template)
        mainMounts = Self.mainDocument(template)?.field("volumeMounts")?.array ?? []
    }

    /// All volumes, in the controller's order.
    var all: [JSONValue] {
        var list: [JSONValue] = [["name": "var-run-argo", "emptyDir": [:]], ["name": "tmp-dir-argo", "emptyDir": [:]]]
        list += userVolumes
        list += secrets.map(\.volume)
        if hasInputs { list.append(["name": "input-artifacts", "emptyDir": [:]]) }
        if isScript { list.append(["name": "argo-staging", "emptyDir": [:]]) }
        return list
    }

    /// A template's own volumes, then those of the workflow and its claims that a container mounts.
    private var userVolumes: [JSONValue] {
        let own = template.document.field("volumes")?.array ?? []
        let shared = settings.spec.field("volumes")?.array ?? []
        let claims = (settings.spec.field("volumeClaimTemplates")?.array ?? []).compactMap { claim -> JSONValue? in
            guard let name = claim.field("metadata")?.field("name")?.string else { return nil }
            return [
                "name": .string(name),
                "persistentVolumeClaim": ["claimName": .string("\(settings.workflowName)-\(name)")],
            ]
        }
        let mounted = mountedNames
        var names: Set<String> = []
        var list: [JSONValue] = []
        for volume in own + shared + claims {
            guard let name = volume.field("name")?.string, mounted.contains(name), names.insert(name).inserted else { continue }
            list.append(volume)
        }
        return list
    }

    /// The names of all volumes that one of the user's containers mounts.
    private var mountedNames: Set<String> {
        var containers: [JSONValue] = []
        for field in ["container", "script", "containerSet"] { containers += template.document.field(field).map { [$0] } ?? [] }
        containers += template.document.field("containerSet")?.field("containers")?.array ?? []
        containers += template.document.field("sidecars")?.array ?? []
        containers += template.document.field("initContainers")?.array ?? []
        let mounts = containers.flatMap { $0.field("volumeMounts")?.array ?? [] }
        return Set(mounts.compactMap { $0.field("name")?.string })
    }

    func mounts(of role: Role) -> [JSONValue] {
        switch role {
        case .initialize:
            var list = secrets.map(\.mount)
            if hasInputs {
                list.append(Self.mount("input-artifacts", "/argo/inputs/artifacts"))
                list += mainMounts.map(Self.mirrored)
            }
            if isScript { list.append(Self.mount("argo-staging", "/argo/staging")) }
            return list + [runDirectory]
        case .wait:
            var list = secrets.map(\.mount)
            var seen: Set<String> = []
            for mount in mainMounts + inputMounts + stagingMounts {
                var mirror = Self.mirrored(mount)
                mirror["readOnly"] = nil
                if seen.insert(mirror.field("mountPath")?.string ?? "").inserted { list.append(mirror) }
            }
            return list + [Self.mount("tmp-dir-argo", "/tmp", subPath: "0"), runDirectory]
        case .main(let user):
            let own = user.document.field("volumeMounts")?.array ?? []
            return own + (user.name == "main" ? inputMounts + stagingMounts : []) + [runDirectory]
        case .user(let user):
            var own = user.document.field("volumeMounts")?.array ?? []
            if user.document.field("mirrorVolumeMounts")?.bool == true {
                let taken = Set(own.compactMap { $0.field("mountPath")?.string })
                own += mainMounts.filter { !taken.contains($0.field("mountPath")?.string ?? "") }
            }
            return own + [runDirectory]
        }
    }

    private var hasInputs: Bool { !template.inputArtifacts.isEmpty }
    private var isScript: Bool { template.kind == .script }
    private var runDirectory: JSONValue { Self.mount("var-run-argo", "/var/run/argo") }
    private var stagingMounts: [JSONValue] { isScript ? [Self.mount("argo-staging", "/argo/staging")] : [] }

    /// One mount for each input artifact that is not in a volume of the user's.
    private var inputMounts: [JSONValue] {
        template.inputArtifacts.compactMap { artifact in
            if artifact.optional, !artifact.location.hasLocationOrKey { return nil }
            let path = (try? PathRules.cleanPath(artifact.path)) ?? artifact.path
            if PathRules.overlappingVolume(path: path, mounts: template.declaredVolumeMounts) != nil { return nil }
            return Self.mount("input-artifacts", artifact.path, subPath: artifact.name)
        }
    }

    private static func mainDocument(_ template: Template) -> JSONValue? {
        switch template.kind {
        case .container: return template.document.field("container")
        case .script: return template.document.field("script")
        case .containerSet:
            guard let set = template.document.field("containerSet"),
                var main = set.field("containers")?.array?.first(where: { $0.field("name")?.string == "main" })
            else { return nil }
            main["volumeMounts"] = .array(
                (main.field("volumeMounts")?.array ?? []) + (set.field("volumeMounts")?.array ?? []))
            return main
        default: return nil
        }
    }

    private static func mount(_ name: String, _ path: String, subPath: String? = nil) -> JSONValue {
        var mount: JSONValue = ["name": .string(name), "mountPath": .string(path)]
        if let subPath { mount["subPath"] = .string(subPath) }
        return mount
    }

    /// The same mount as the executor sees it, below `/mainctrfs`.
    private static func mirrored(_ mount: JSONValue) -> JSONValue {
        var mirror = mount
        let path = BytePath("/mainctrfs").appending(
            BytePath(bytes: BytePath(mount.field("mountPath")?.string ?? "").bytes.drop { $0 == 0x2F }))
        mirror["mountPath"] = .string(path.text)
        return mirror
    }
}

/// A secret that the executor needs, mounted key by key.
struct SecretVolume: Sendable {
    let name: String
    let keys: [String]

    var volume: JSONValue {
        [
            "name": .string(name),
            "secret": [
                "secretName": .string(name),
                "items": .array(keys.map { ["key": .string($0), "path": .string($0)] }),
            ],
        ]
    }

    var mount: JSONValue {
        ["name": .string(name), "readOnly": true, "mountPath": .string("/argo/secret/\(name)")]
    }

    /// The secrets named by the locations of outputs, inputs and the archive, by name; their keys in the order of their naming.
    static func needed(by template: Template) -> [SecretVolume] {
        var keys: [String: [String]] = [:]
        let locations =
            template.outputs.artifacts.map(\.location) + template.inputArtifacts.map(\.location)
            + (template.archiveLocation.map { [$0] } ?? [])
        for location in locations {
            for selector in location.secrets.map(\.selector) where !selector.name.isEmpty && !selector.key.isEmpty {
                if keys[selector.name]?.contains(selector.key) != true { keys[selector.name, default: []].append(selector.key) }
            }
        }
        return keys.sorted { $0.key < $1.key }.map { SecretVolume(name: $0.key, keys: $0.value) }
    }
}
