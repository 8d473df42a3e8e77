import Documents
import ProcessControl
import SystemSupport

/// The pod's own fields as variables and files give them to containers (the downward API).
struct PodFields: Sendable {
    let pod: PodManifest

    /// The value of a `fieldRef`; nil for a path that a container cannot ask for.
    func value(_ path: String) -> String? {
        if let (group, key) = Self.subscripted(path) {
            return pod.metadata.field(group)?.object?[key]?.string ?? ""
        }
        switch path {
        case "metadata.name": return pod.name
        case "metadata.namespace": return pod.metadata.field("namespace")?.string ?? "default"
        case "metadata.uid": return pod.metadata.field("uid")?.string ?? ""
        case "metadata.labels", "metadata.annotations":
            let members = pod.metadata.field(String(path.dropFirst("metadata.".count)))?.object?.members ?? []
            let lines = members.map { (Array($0.name.utf8), Array(($0.value.string ?? "").utf8)) }
                .sorted { $0.0.lexicographicallyPrecedes($1.0) }
            return lines.map { "\(String(decoding: $0.0, as: UTF8.self))=\(GoText.quoted($0.1))" }.joined(separator: "\n")
        case "spec.nodeName": return pod.spec.field("nodeName")?.string ?? "localhost"
        case "spec.serviceAccountName": return pod.spec.field("serviceAccountName")?.string ?? "default"
        // Containers share this machine's network.
        case "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs": return "127.0.0.1"
        default: return nil
        }
    }

    /// `metadata.labels['KEY']` in its two parts.
    private static func subscripted(_ path: String) -> (String, String)? {
        for group in ["labels", "annotations"] where path.hasPrefix("metadata.\(group)['") && path.hasSuffix("']") {
            let key = path.utf8.dropFirst("metadata.\(group)['".utf8.count).dropLast(2)
            return (group, String(decoding: Array(key), as: UTF8.self))
        }
        return nil
    }

    /// The value of a `resourceFieldRef`, a whole number; nil for one that makes no sense.
    ///
    /// A limit that is not set is all that the machine has, as on a node; a request that is not set is the limit's.
    func resource(_ reference: JSONValue, of container: ContainerManifest?) -> String? {
        let named = reference.field("containerName")?.string
        let container = named.flatMap { name in pod.allContainers.first { $0.name == name } } ?? container
        guard let container, let resource = reference.field("resource")?.string else { return nil }
        let parts = resource.split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2, ["limits", "requests"].contains(parts[0]) else { return nil }
        let resources = container.document.field("resources")
        let set = { (group: String) in
            resources?.field(group)?.field(parts[1]).flatMap(AnyString.text).flatMap(Quantity.init)
        }
        let limit = set("limits")
        let unset = parts[0] == "limits" ? Self.machine(parts[1]) : Quantity(thousandths: 0)
        guard let amount = set(parts[0]) ?? limit ?? unset,
            let divisor = Quantity(reference.field("divisor").flatMap(AnyString.text) ?? "1")
        else { return nil }
        // Kubernetes takes a divisor of 0 for 1.
        let number = amount.divided(by: divisor.thousandths == 0 ? Quantity(thousandths: 1000) : divisor)
        return number.map { String($0) }
    }

    private static func machine(_ resource: String) -> Quantity? {
        switch resource {
        case "cpu": return Quantity(thousandths: Int128(CPULimit.cores) * 1000)
        case "memory":
            guard let text = try? SmallFile.read("/proc/meminfo", limit: 1 << 16) else { return nil }
            let words = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isWhitespace)
            guard words.count > 1, words[0] == "MemTotal:", let kilobytes = Int128(words[1]) else { return nil }
            return Quantity(thousandths: kilobytes * 1024 * 1000)
        default: return Quantity(thousandths: 0)
        }
    }
}
