import Documents
import SystemSupport

/// A pod's document as far as it is run.
struct PodManifest: Sendable {
    let document: JSONValue
    let name: String
    let initContainers: [ContainerManifest]
    let containers: [ContainerManifest]
    let volumes: [JSONObject]

    /// - Throws: `ExecutorError` for what is no pod.
    init(_ document: JSONValue) throws {
        guard let spec = document.field("spec")?.object, let metadata = document.field("metadata")?.object else {
            throw ExecutorError.badRequest("read a pod: metadata or spec is missing")
        }
        self.document = document
        name = metadata.field("name")?.string ?? metadata.field("generateName")?.string ?? "pod"
        initContainers = Self.list(spec.field("initContainers")).map(ContainerManifest.init)
        containers = Self.list(spec.field("containers")).map(ContainerManifest.init)
        volumes = Self.list(spec.field("volumes"))
    }

    private static func list(_ value: JSONValue?) -> [JSONObject] { (value?.array ?? []).compactMap(\.object) }

    var spec: JSONObject { document.field("spec")?.object ?? JSONObject() }
    var metadata: JSONObject { document.field("metadata")?.object ?? JSONObject() }
    var allContainers: [ContainerManifest] { initContainers + containers }

    var securityContext: JSONObject { spec.field("securityContext")?.object ?? JSONObject() }

    /// Between SIGTERM and SIGKILL, in nanoseconds.
    var gracePeriod: Int64 { Self.nanoseconds(spec.field("terminationGracePeriodSeconds")?.int ?? 30) }

    /// How long the pod may take, in nanoseconds; nil for no limit.
    var activeDeadline: Int64? { spec.field("activeDeadlineSeconds")?.int.map(Self.nanoseconds) }

    private static func nanoseconds(_ seconds: Int64) -> Int64 { max(0, min(seconds, 1 << 32)) * 1_000_000_000 }

    /// The name by which the pod's containers know their machine.
    var hostname: String {
        let text = spec.field("hostname")?.string ?? name
        return String(decoding: Array(text.utf8.prefix(63)), as: UTF8.self)
    }

    /// The containers whose end the controller waits for (contract 01 §2): a container set's members, else `main`. In a pod that has
    /// neither, all but the executor's.
    ///
    /// - Parameter objects: hold the template where it was too large for the pod.
    func mainNames(_ objects: ObjectFolders) -> Set<String> {
        let names = containers.map(\.name)
        if let text = try? PodTemplate.text(of: document, objects: objects), let template = try? JSONValue(parsing: text) {
            let members = Self.list(template.field("containerSet")?.field("containers")).compactMap { $0.field("name")?.string }
            if !members.isEmpty { return Set(members).intersection(names) }
        }
        let executors = names.filter { ["wait", "supervisor"].contains($0) || $0.hasPrefix("artifact-plugin-") }
        return names.contains("main") ? ["main"] : Set(names).subtracting(executors)
    }

    /// The same pod with an id of its own, as an API server would have given it.
    func withUniqueID() -> JSONValue {
        if let uid = metadata.field("uid")?.string, !uid.isEmpty { return document }
        var copy = document
        var metadata = metadata
        metadata["uid"] = .string(RandomName.uuid())
        copy["metadata"] = .object(metadata)
        return copy
    }
}

/// One container of a pod.
struct ContainerManifest: Sendable {
    struct Mount: Sendable {
        let volume: String
        let path: BytePath
        let subPath: String?
        let subPathExpression: String?
        let isReadOnly: Bool
    }

    let document: JSONObject
    let name: String
    let image: String

    init(_ document: JSONObject) {
        self.document = document
        name = document.field("name")?.string ?? ""
        image = document.field("image")?.string ?? ""
    }

    /// For messages.
    var subject: String { "container '\(name)'" }

    /// Nil where the image's own entrypoint counts.
    var command: [String]? { words("command") }
    /// Nil where the image's own words count, if its entrypoint does.
    var arguments: [String]? { words("args") }

    private func words(_ field: String) -> [String]? {
        let words = document.field(field)?.array?.compactMap(\.string)
        return words?.isEmpty == true && field == "command" ? nil : words
    }

    var workingDirectory: BytePath? {
        document.field("workingDir")?.string.flatMap { $0.isEmpty ? nil : BytePath($0) }
    }

    var mounts: [Mount] {
        (document.field("volumeMounts")?.array ?? []).map { mount in
            let text = { (field: String) in mount.field(field)?.string.flatMap { $0.isEmpty ? nil : $0 } }
            return Mount(
                volume: text("name") ?? "", path: BytePath("/").appending(BytePath(text("mountPath") ?? "")).cleaned,
                subPath: text("subPath"), subPathExpression: text("subPathExpr"),
                isReadOnly: mount.field("readOnly")?.bool ?? false)
        }
    }

    var environment: [JSONValue] { document.field("env")?.array ?? [] }
    var environmentSources: [JSONValue] { document.field("envFrom")?.array ?? [] }

    /// The plain value of a variable.
    func variable(_ name: String) -> String? {
        environment.last { $0.field("name")?.string == name }?.field("value")?.string
    }

    var securityContext: JSONObject { document.field("securityContext")?.object ?? JSONObject() }

    /// Whether an init container keeps running beside the others.
    var isSidecar: Bool { document.field("restartPolicy")?.string == "Always" }

    var terminationMessagePath: BytePath {
        document.field("terminationMessagePath")?.string.flatMap { $0.isEmpty ? nil : BytePath($0) } ?? "/dev/termination-log"
    }

    /// Whether the end of the log stands in for a missing termination message of a failed container.
    var fallsBackToLog: Bool { document.field("terminationMessagePolicy")?.string == "FallbackToLogsOnError" }
}
