import Documents
import SystemSupport

/// Several kubeconfig files as one, by client-go's rules: of entries with one name, and of current contexts, the first counts.
struct Kubeconfig {
    /// A kind of entry: the list that holds it, and the field of the list's elements that holds the entry's own.
    enum Kind: String, CaseIterable {
        case context
        case cluster
        case user

        var list: String { rawValue + "s" }
    }

    /// The files read, for messages.
    private(set) var files: [BytePath] = []
    /// Of the first file that names one.
    private(set) var currentContext: String?
    /// Keys that stand in one object twice, each with its place.
    private(set) var warnings: [String] = []
    private var entries: [Kind: [String: KubeconfigEntry]] = [:]

    func entry(_ kind: Kind, _ name: String) -> KubeconfigEntry? { entries[kind]?[name] }

    /// The entry of that name.
    ///
    /// - Throws: `ExecutorError` where there is none.
    func required(_ kind: Kind, _ name: String) throws -> KubeconfigEntry {
        if let entry = entry(kind, name) { return entry }
        let place = files.isEmpty ? "there is no kubeconfig file" : "in " + files.map(\.text).joined(separator: ", ")
        throw AccessSettings.fault("the \(kind.rawValue) \"\(name)\" does not exist: \(place)")
    }

    /// Adds a file behind those that are there.
    ///
    /// - Throws: `SystemError` where it cannot be read; `DocumentError` for what is wrong in it.
    mutating func add(_ file: BytePath) throws {
        let bytes = try SmallFile.read(file, limit: 16 << 20)
        files.append(file)
        guard let document = try YAMLReader.foreignFile(bytes, name: file.text).first, !document.value.isNull else { return }
        warnings += document.repeatedKeys.map(\.message)
        let root = KubeconfigEntry(document: document, path: .root, folder: file.directory)
        guard document.value.object != nil else {
            throw DocumentError(place: document.place(of: .root), reason: "a kubeconfig must be an object")
        }
        if let kind = try root.text("kind"), kind != "Config" { throw root.fault("kind", "must be Config") }
        currentContext = try currentContext ?? root.text("current-context")
        for kind in Kind.allCases {
            var names: Set<String> = []
            for element in try root.entries(kind.list) {
                guard let name = try element.text("name") else { throw element.fault("name", "is missing") }
                guard names.insert(name).inserted else { throw element.fault("name", "is a duplicate: \"\(name)\"") }
                guard let entry = try element.entry(kind.rawValue), self.entry(kind, name) == nil else { continue }
                entries[kind, default: [:]][name] = entry
            }
        }
    }
}
