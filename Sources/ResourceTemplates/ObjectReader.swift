package import Documents
package import KubernetesAPI
package import SystemSupport

/// Where an object's present state is read.
package protocol ObjectReader: Sendable {
    /// - Throws: `APIError`; its status 404 means that the object is gone.
    func read(_ object: KubernetesObject) throws -> JSONValue
}

/// Reads objects at the API server: one GET each, and before the first one what the server calls objects of that kind.
package final class ClusterObjectReader: ObjectReader {
    private let client: KubernetesClient
    private let log: Log
    private let plurals = Monitor<[String: String]>([:])

    package init(_ client: KubernetesClient, log: Log) {
        self.client = client
        self.log = log
    }

    package func read(_ object: KubernetesObject) throws -> JSONValue {
        let plural = try plural(of: object)
        var path = Self.root(object)
        if !object.namespace.isEmpty { path += ["namespaces", object.namespace] }
        return try client.get(
            path + [plural, object.name], expecting: object.kind, resource: plural, group: object.group,
            namespace: object.namespace)
    }

    private static func root(_ object: KubernetesObject) -> [String] {
        let version = object.apiVersion.split(separator: "/").map(String.init)
        return version.count == 1 ? ["api"] + version : ["apis"] + version
    }

    /// As the server tells it; by the rules of English only where it does not let us ask (contract 05 C26).
    private func plural(of object: KubernetesObject) throws -> String {
        let key = "\(object.apiVersion)/\(object.kind)"
        if let known = plurals.current[key] { return known }
        var found = EnglishPlural.of(object.kind.lowercased())
        do {
            let list = try client.get(
                Self.root(object), expecting: "APIResourceList", resource: "resources", group: object.group, namespace: "")
            let resources = list["resources"]?.array ?? []
            // Not its parts, such as `pods/status`.
            let own = resources.first {
                $0["kind"]?.string == object.kind && $0["name"]?.string?.utf8.contains(UInt8(ascii: "/")) == false
            }
            if let name = own?["name"]?.string { found = name }
        } catch let error as APIError where !error.isTransient && error.status != 0 {
            log.warn(
                "the API server tells no name for objects of the kind, so it is guessed",
                ["kind": .text(object.kind), "name": .text(found), "error": .error(error)])
        }
        plurals.update { $0[key] = found }
        return found
    }
}

/// The plural of a kind's name by the rules that the reference guesses by (contract 02 §7).
enum EnglishPlural {
    static func of(_ name: String) -> String {
        let vowels = "aeiou"
        if name.hasSuffix("s") || name.hasSuffix("x") || name.hasSuffix("z") || name.hasSuffix("ch") || name.hasSuffix("sh") {
            return name + "es"
        }
        if name.hasSuffix("y"), let before = name.dropLast().last, !vowels.contains(before) { return name.dropLast() + "ies" }
        if name.hasSuffix("f") { return name.dropLast() + "ves" }
        if name.hasSuffix("fe") { return name.dropLast(2) + "ves" }
        return name + "s"
    }
}
