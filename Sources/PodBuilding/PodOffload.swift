package import Documents
import SystemSupport

/// A pod, with the config map that holds what is too large for it.
package struct BuiltPod: Sendable {
    package var pod: JSONValue
    /// Named like the pod; nil where all fits.
    package var configMap: JSONValue?
}

/// Moves a template, and arguments, that are too long for a process to take into a config map of the pod's own (contract 01 §4).
struct PodOffload: Sendable {
    /// Bytes; Linux takes no longer word.
    private static let limit = 131_072
    private static let volume = "argo-env-config"
    private static let folder = "/argo/config"
    private static let template = "ARGO_TEMPLATE"
    private static let arguments = "ARGO_CONTAINER_ARGS_FILE"

    private(set) var inits: [JSONValue]
    private(set) var regular: [JSONValue]
    private(set) var volumes: [JSONValue]
    private var data = JSONObject()

    init(inits: [JSONValue], regular: [JSONValue], volumes: [JSONValue], podName: String) {
        self.inits = inits
        self.regular = regular
        self.volumes = volumes
        moveTemplate()
        moveArguments()
        if data.members.isEmpty { return }
        self.volumes.append(["name": .string(Self.volume), "configMap": ["name": .string(podName)]])
    }

    /// The config map; nil where nothing was moved.
    func configMap(named name: String, in namespace: String) -> JSONValue? {
        if data.members.isEmpty { return nil }
        return [
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(name), "namespace": .string(namespace)],
            "data": .object(data),
        ]
    }

    private mutating func moveTemplate() {
        let all = inits + regular
        guard let text = all.compactMap({ Self.variable(Self.template, of: $0) }).first, text.utf8.count > Self.limit else {
            return
        }
        data[Self.template] = .string(text)
        inits = inits.map(Self.withoutTemplate)
        regular = regular.map(Self.withoutTemplate)
    }

    private static func withoutTemplate(_ container: JSONValue) -> JSONValue {
        guard variable(template, of: container) != nil else { return container }
        var container = container
        container["env"] = .array(
            (container["env"]?.array ?? []).map { variable in
                variable["name"]?.string == template ? ["name": .string(template), "value": "offloaded"] : variable
            })
        return mounted(container)
    }

    /// Only the first container whose arguments are too long, as the controller does.
    private mutating func moveArguments() {
        for (index, container) in regular.enumerated() {
            guard let arguments = container["args"], case let text = arguments.serializedText(), text.utf8.count > Self.limit
            else {
                continue
            }
            data[Self.arguments] = .string(text)
            var container = container
            container["args"] = nil
            let file: JSONValue = ["name": .string(Self.arguments), "value": .string("\(Self.folder)/\(Self.arguments)")]
            container["env"] = .array((container["env"]?.array ?? []) + [file])
            regular[index] = Self.mounted(container)
            return
        }
    }

    private static func mounted(_ container: JSONValue) -> JSONValue {
        var container = container
        let mount: JSONValue = ["name": .string(volume), "mountPath": .string(folder)]
        container["volumeMounts"] = .array((container["volumeMounts"]?.array ?? []) + [mount])
        return container
    }

    private static func variable(_ name: String, of container: JSONValue) -> String? {
        container["env"]?.array?.first { $0["name"]?.string == name }?["value"]?.string
    }
}
