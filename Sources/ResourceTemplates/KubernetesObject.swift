import Documents
import SystemSupport

/// Which object kubectl has acted on.
package struct KubernetesObject: Sendable, Equatable {
    /// `VERSION` or `GROUP/VERSION`.
    package let apiVersion: String
    package let kind: String
    /// Empty for an object of the cluster.
    package let namespace: String
    package let name: String

    package init(apiVersion: String, kind: String, namespace: String, name: String) {
        self.apiVersion = apiVersion
        self.kind = kind
        self.namespace = namespace
        self.name = name
    }

    /// Empty for the core group.
    package var group: String {
        guard let slash = apiVersion.firstIndex(of: "/") else { return "" }
        return String(apiVersion[..<slash])
    }

    var version: String { apiVersion.split(separator: "/").last.map(String.init) ?? "" }

    /// As kubectl is told of it: `KIND.GROUP/NAME`.
    var fullName: String { "\(kind.lowercased()).\(group)/\(name)" }

    /// Reads what kubectl printed of the one object.
    ///
    /// - Throws: `ExecutorError` where it is none, or several.
    init(kubectlOutput output: [UInt8], of action: String) throws {
        let document: JSONValue
        do throws(JSONError) { document = try JSONValue(parsing: output) } catch {
            if Self.isSeveral(output) { throw Self.several(action) }
            throw ExecutorError.wrapping("read what kubectl \(action) printed", error)
        }
        let metadata = document["metadata"]
        apiVersion = document["apiVersion"]?.string ?? ""
        kind = document["kind"]?.string ?? ""
        namespace = metadata?["namespace"]?.string ?? ""
        name = metadata?["name"]?.string ?? ""
        if name.isEmpty, document["items"]?.array != nil { throw Self.several(action) }
        if name.isEmpty || kind.isEmpty {
            throw ExecutorError.badRequest(
                "read what kubectl \(action) printed: kind and metadata.name are both needed, one of them is missing")
        }
    }

    private static func several(_ action: String) -> ExecutorError {
        .badRequest("\(action) a resource: kubectl acted on a list of objects; a resource template is for a single one")
    }

    /// Several objects are printed one after the other, each from `{` to `}` at the beginning of a line.
    private static func isSeveral(_ output: [UInt8]) -> Bool {
        output.split(separator: 0x0A).count { $0.elementsEqual([UInt8(ascii: "{")]) } > 1
    }
}
