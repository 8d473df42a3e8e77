package import Documents
import Encodings
import Synchronization
package import SystemSupport

/// Config maps and secrets that are written beside the workflow, in its own files.
package final class WrittenObjects: Sendable {
    /// By kind and name: the values by their keys.
    private let objects = Mutex<[String: [String: Secret]]>([:])

    /// Takes a document of the kind ConfigMap or Secret.
    ///
    /// - Parameter namespace: the workflow's; an object of another one is left out.
    /// - Throws: `ExecutorError` for data that is no Base64.
    package func add(_ document: MarkedDocument, for namespace: String) throws(ExecutorError) {
        let value = document.value
        guard let name = value["metadata"]?["name"]?.string else { return }
        let own = value["metadata"]?["namespace"]?.string ?? ""
        if !own.isEmpty, !namespace.isEmpty, own != namespace { return }
        let kind: ObjectFolders.Kind = value["kind"]?.string == "Secret" ? .secret : .configMap
        let encoded = kind == .secret ? "data" : "binaryData"
        var values: [String: Secret] = [:]
        for member in value[encoded]?.object?.members ?? [] {
            guard let bytes = Base64.decode((member.value.string ?? "").filter { !$0.isWhitespace }) else {
                let path = DocumentPath(members: encoded, member.name)
                throw ExecutorError.badRequest("\(document.valuePlace(of: path)): \(path): not valid Base64")
            }
            values[member.name] = Secret(bytes)
        }
        for member in value[kind == .secret ? "stringData" : "data"]?.object?.members ?? [] {
            values[member.name] = Secret(AnyString.text(of: member.value) ?? "")
        }
        objects.withLock { $0[Self.key(kind, name)] = values }
    }

    /// The keys of an object in bytewise order; nil where there is no such object.
    func keys(of kind: ObjectFolders.Kind, _ name: String) -> [BytePath]? {
        objects.withLock { $0[Self.key(kind, name)]?.keys.map { BytePath($0) }.sorted() }
    }

    func value(of kind: ObjectFolders.Kind, _ name: String, key: BytePath) -> [UInt8]? {
        objects.withLock { $0[Self.key(kind, name)]?[key.text]?.reveal() }
    }

    private static func key(_ kind: ObjectFolders.Kind, _ name: String) -> String { "\(kind.rawValue)/\(name)" }
}
