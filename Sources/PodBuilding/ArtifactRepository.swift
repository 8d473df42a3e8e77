package import Documents
package import SystemSupport
package import WorkflowModel

/// Where a cluster keeps the artifacts that name no place of their own, as its configuration says it.
package struct ArtifactRepository: Sendable {
    /// Complete but for the key, which is the repository's key format: it still has tags (`{{workflow.name}}/{{pod.name}}`).
    package let location: ArtifactLocation
    /// Whether the logs of main containers are kept; nil where the configuration says nothing.
    package let archiveLogs: Bool?
    /// Where it was read from, for messages.
    package let source: String

    /// The key of artifacts where a repository says nothing of it.
    package static let defaultKeyFormat = "{{workflow.name}}/{{pod.name}}"

    package init(location: ArtifactLocation, archiveLogs: Bool?, source: String) {
        self.location = location
        self.archiveLogs = archiveLogs
        self.source = source
    }

    /// Reads a file: a config map with repositories (`artifact-repositories`, each key's value one), the controller's own config map
    /// (`artifactRepository`), or one repository alone, as a key's value has it.
    ///
    /// - Parameter key: which of several; nil for the one that the config map calls its default.
    /// - Throws: `SystemError` where the file cannot be read, `DocumentError` for what is no YAML, `ExecutorError` for what is no
    ///   repository.
    package static func read(_ file: BytePath, key: String? = nil) throws -> ArtifactRepository {
        let documents = try YAMLReader.file(SmallFile.read(file, limit: 1 << 20), name: file.text).filter { !$0.value.isNull }
        guard let document = documents.first, documents.count == 1 else {
            throw ExecutorError.badRequest(
                "read the artifact repository \(file): expected one document, found \(documents.count)")
        }
        guard document.value["kind"]?.string == "ConfigMap" else {
            if let key {
                throw ExecutorError.badRequest(
                    "read the artifact repository \(file): it is not a config map, which --key needs: '\(key)'")
            }
            return try ArtifactRepository(document.value, source: file.text)
        }
        let data = document.value["data"]?.object ?? [:]
        let annotation = "workflows.argoproj.io/default-artifact-repository"
        let wanted = key ?? document.value["metadata"]?["annotations"]?[annotation]?.string
        let name = try wanted ?? onlyKey(of: data, file)
        guard let text = data[name]?.string else {
            let place = document.valuePlace(of: DocumentPath(members: "data"))
            throw ExecutorError.badRequest("\(place): the config map has no repository '\(name)'")
        }
        let source = "\(file.text) (\(name))"
        let inner = try YAMLReader.file(Array(text.utf8), name: source).filter { !$0.value.isNull }
        guard let repository = inner.first, inner.count == 1 else {
            throw ExecutorError.badRequest("read the artifact repository \(source): it is empty")
        }
        return try ArtifactRepository(repository.value, source: source)
    }

    private static func onlyKey(of data: JSONObject, _ file: BytePath) throws -> String {
        if data["artifactRepository"] != nil { return "artifactRepository" }
        if data.count == 1, let only = data.members.first { return only.name }
        let names = data.members.map(\.name).joined(separator: ", ")
        throw ExecutorError.badRequest(
            "read the artifact repository \(file): the config map has several repositories and names no default: \(names)")
    }

    /// Reads one repository.
    ///
    /// - Parameter source: for messages.
    /// - Throws: `ExecutorError` for what is none.
    package init(_ document: JSONValue, source: String) throws {
        guard let fields = document.object else {
            throw ExecutorError.badRequest(
                "read the artifact repository \(source): expected a mapping, found \(document.kindName)")
        }
        let stores = fields.members.filter { member in LocationKind(rawValue: member.name) != nil && !member.value.isNull }
        guard let store = stores.first, let kind = LocationKind(rawValue: store.name), stores.count == 1 else {
            let found = stores.isEmpty ? "none" : stores.map(\.name).joined(separator: ", ")
            throw ExecutorError.badRequest("read the artifact repository \(source): expected one store, found \(found)")
        }
        let known = ["archiveLogs", store.name]
        if let unknown = fields.members.first(where: { !known.contains($0.name) && !$0.value.isNull }) {
            throw ExecutorError.badRequest("read the artifact repository \(source): unknown field '\(unknown.name)'")
        }
        do {
            let archiveLogs = fields["archiveLogs"]?.bool
            var location = JSONObject([(kind.rawValue, try Self.location(kind, store.value.object ?? [:]))])
            location["archiveLogs"] = archiveLogs.map { .bool($0) }
            self.init(location: try ArtifactLocation(document: .object(location)), archiveLogs: archiveLogs, source: source)
        } catch { throw ExecutorError.wrapping("read the artifact repository \(source)", error) }
    }

    /// A repository's fields as those of a location: the format of keys becomes the key.
    private static func location(_ kind: LocationKind, _ fields: JSONObject) throws -> JSONValue {
        var store = fields
        func take(_ name: String) -> String? {
            let text = store[name]?.string
            store[name] = nil
            return text.flatMap { $0.isEmpty ? nil : $0 }
        }
        switch kind {
        case .s3:
            let prefix = take("keyPrefix").map { $0 + "/" } ?? ""
            store["key"] = .string(take("keyFormat") ?? prefix + defaultKeyFormat)
        case .gcs, .oss, .plugin: store["key"] = .string(take("keyFormat") ?? defaultKeyFormat)
        case .azure: store["blob"] = .string(take("blobNameFormat") ?? defaultKeyFormat)
        case .hdfs: store["path"] = .string(take("pathFormat") ?? "/" + defaultKeyFormat)
        case .artifactory:
            guard let base = take("repoURL") else { throw ExecutorError.badRequest("artifactory: repoURL is missing") }
            store["url"] = .string(base + "/" + (take("keyFormat") ?? defaultKeyFormat))
        case .git, .http, .raw: throw ExecutorError.badRequest("\(kind.rawValue) cannot be a repository")
        }
        return .object(store)
    }
}
