import Documents
import SystemSupport
import WorkflowModel

/// One container as the user wrote it.
struct UserContainer: Sendable {
    /// `main` for the container of a container or script template, whatever the user called it.
    let name: String
    let document: JSONObject
    /// Words that follow the user's own arguments: the staged script.
    let extraArguments: [String]

    init(name: String, document: JSONObject, extraArguments: [String] = []) {
        self.name = name
        self.document = document
        self.extraArguments = extraArguments
    }

    /// The command and arguments that the emissary is to run; what the container leaves out comes from its image.
    ///
    /// - Throws: `ExecutorError` where neither names a command.
    func command(_ images: [String: (entrypoint: [String], command: [String])]) throws -> ([String], [String]) {
        var command = words("command") ?? []
        var arguments = words("args")
        if command.isEmpty {
            let image = document.field("image")?.string ?? ""
            guard let known = images[image] else {
                throw ExecutorError.badRequest(
                    "container '\(name)' names no command, and that of the image \"\(image)\" is not known here: "
                        + "write 'command', or give the image by --image \(image)=PATH (an OCI layout, or an unpacked root "
                        + "file system, which then needs 'command' too)")
            }
            command = known.entrypoint
            arguments = arguments ?? known.command
        }
        return (command, (arguments ?? []) + extraArguments)
    }

    private func words(_ field: String) -> [String]? { document.field(field)?.array?.compactMap(\.string) }
}

/// The user's containers of a pod, in the controller's order.
struct ContainerPlan: Sendable {
    let inits: [UserContainer]
    let mains: [UserContainer]
    let sidecars: [UserContainer]

    /// - Throws: `ExecutorError` for a template that makes no pod.
    init(template: Template, settings: PodSettings) throws {
        let document = template.document
        inits = Self.list(document.field("initContainers"))
        sidecars = Self.list(document.field("sidecars"))
        switch template.kind {
        case .container:
            mains = [UserContainer(name: "main", document: document.field("container")?.object ?? JSONObject())]
        case .script:
            let hasSource = !(template.scriptSource ?? "").isEmpty
            mains = [
                UserContainer(
                    name: "main", document: document.field("script")?.object ?? JSONObject(),
                    extraArguments: hasSource ? ["/argo/staging/script"] : [])
            ]
        case .containerSet:
            let set = document.field("containerSet")
            let shared = set?.field("volumeMounts")?.array ?? []
            mains = Self.list(set?.field("containers")).map { member in
                var document = member.document
                let own = document.field("volumeMounts")?.array ?? []
                document["volumeMounts"] = .array(own + shared)
                return UserContainer(name: member.name, document: document)
            }
        default:
            throw ExecutorError.badRequest("template '\(template.name)' of type \(template.kind.rawValue) makes no pod here")
        }
    }

    private static func list(_ value: JSONValue?) -> [UserContainer] {
        (value?.array ?? []).compactMap(\.object).map {
            UserContainer(name: $0.field("name")?.string ?? "", document: $0)
        }
    }
}
