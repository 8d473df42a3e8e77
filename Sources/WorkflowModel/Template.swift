package import Documents

/// The types of templates, by the names that the reference prints.
package enum TemplateKind: String, Sendable {
    case container = "Container"
    case containerSet = "ContainerSet"
    case steps = "Steps"
    case dag = "DAG"
    case script = "Script"
    case resource = "Resource"
    case data = "Data"
    case suspend = "Suspend"
    case http = "HTTP"
    case plugin = "Plugin"
    case unknown = "Unknown"

    /// The fields whose presence decides, the first one wins (contract 02 §2.3).
    package static let fields: [(String, TemplateKind)] = [
        ("container", .container), ("containerSet", .containerSet), ("steps", .steps), ("dag", .dag), ("script", .script),
        ("resource", .resource), ("data", .data), ("suspend", .suspend), ("http", .http), ("plugin", .plugin),
    ]
}

/// A mount of a volume in the user's container.
package struct VolumeMount: Sendable, Equatable {
    package let name: String
    package let mountPath: String
    /// Whether the user's container may only read there.
    package let isReadOnly: Bool

    package init(name: String, mountPath: String, isReadOnly: Bool = false) {
        self.name = name
        self.mountPath = mountPath
        self.isReadOnly = isReadOnly
    }

    init(_ fields: Fields) throws(ModelError) {
        self.init(
            name: try fields.string("name"), mountPath: try fields.string("mountPath"),
            isReadOnly: try fields.flag("readOnly"))
    }
}

/// The spec of the step that the pod was made for (contract 04 §8). What we do not know in it stays in its document.
package struct Template: Sendable, Equatable {
    /// As it was read.
    package private(set) var document: JSONValue
    package let name: String
    package let kind: TemplateKind
    package let inputArtifacts: [Artifact]
    package let outputs: Outputs
    /// The program text of a script template.
    package let scriptSource: String?
    package let resource: ResourceTemplate?
    package let containerSet: ContainerSet?
    package let sidecarNames: [String]
    /// Where artifacts go that have no location of their own; complete, with the step's own key.
    package private(set) var archiveLocation: ArtifactLocation?
    /// The user's volumes that count for paths: those of container, script or container set, not of its members.
    package let declaredVolumeMounts: [VolumeMount]
    package let dataTemplate: JSONValue?
    package let http: JSONValue?
    /// One member, named after the plugin.
    package let plugin: JSONValue?

    /// Reads the text of a template.
    ///
    /// - Throws: `JSONError` where it is no JSON, `ModelError` where a field is of the wrong kind.
    package static func load(from bytes: [UInt8]) throws -> Template {
        try Template(document: try JSONValue(parsing: bytes))
    }

    /// - Throws: `ModelError` where a field is of the wrong kind.
    package init(document: JSONValue) throws(ModelError) {
        let fields = try Fields(document, "template")
        self.document = document
        name = try fields.string("name")
        kind = TemplateKind.fields.first { fields.value($0.0) != nil }?.1 ?? .unknown
        inputArtifacts =
            try fields.object("inputs") { (fields) throws(ModelError) in
                try fields.list("artifacts") { (fields) throws(ModelError) in try Artifact(fields) }
            } ?? []
        outputs = try fields.object("outputs") { (fields) throws(ModelError) in try Outputs(fields) } ?? Outputs()
        let container = try fields.object("container") { $0 }
        let script = try fields.object("script") { $0 }
        let set = try fields.object("containerSet") { $0 }
        scriptSource = try script?.string("source")
        resource = try fields.object("resource") { (fields) throws(ModelError) in try ResourceTemplate(fields) }
        containerSet = try fields.object("containerSet") { (fields) throws(ModelError) in try ContainerSet(fields) }
        sidecarNames = try fields.list("sidecars") { (fields) throws(ModelError) in try fields.string("name") }
        archiveLocation = try fields.object("archiveLocation") { (fields) throws(ModelError) in try ArtifactLocation(fields) }
        declaredVolumeMounts =
            try (container ?? script ?? set)?.list("volumeMounts") { (fields) throws(ModelError) in
                try VolumeMount(fields)
            } ?? []
        dataTemplate = fields.value("data")
        http = fields.value("http")
        plugin = fields.value("plugin")
        if let plugin {
            let count = try Fields(plugin, "template.plugin").object.count
            if count != 1 { throw .badValue("template.plugin", "expected exactly one member, found \(count)") }
        }
    }

    /// The same with another place for its artifacts.
    ///
    /// - Throws: `ModelError` where a field of the location is of the wrong kind.
    package func settingArchiveLocation(_ location: JSONValue) throws(ModelError) -> Template {
        var changed = self
        changed.document["archiveLocation"] = location
        let fields = try Fields(changed.document, "template")
        changed.archiveLocation = try fields.object("archiveLocation") { (fields) throws(ModelError) in
            try ArtifactLocation(fields)
        }
        return changed
    }

    /// Whether the logs of the main containers are kept.
    package var archivesLogs: Bool { archiveLocation?.archiveLogs ?? false }

    /// The containers whose end is the step's end.
    package var mainContainerNames: [String] { containerSet?.members.map(\.name) ?? ["main"] }

    /// All that the template mounts in the container `main`.
    package var mainVolumeMounts: [VolumeMount] {
        declaredVolumeMounts + (containerSet?.member(named: "main")?.volumeMounts ?? [])
    }

    /// Whether a template of this type has a result to capture, provided that the pod asks for it (contract 02 §6.1).
    package var capturesResult: Bool {
        switch kind {
        case .container, .script, .data, .http, .plugin: true
        case .containerSet: containerSet?.member(named: "main") != nil
        case .steps, .dag, .resource, .suspend, .unknown: false
        }
    }
}
