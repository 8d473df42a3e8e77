import Documents
import SystemSupport
import WorkflowModel

/// What is checked: the store of a repository, or of the archive location of a template or a pod.
struct CheckSource {
    /// With the probe's key in the place of the format of keys.
    let location: ArtifactLocation
    /// The folder of the probe, with a slash at its end.
    let folder: String

    /// - Parameters:
    ///   - key: which repository of a config map with several; nil for its default.
    ///   - name: of the probe's folder.
    /// - Throws: `SystemError`, `DocumentError` or `ExecutorError` for a file that says nothing of a store.
    init(_ file: BytePath, key: String?, name: String) throws {
        let original = try Self.location(in: file, key: key)
        let format = (try? original.key()) ?? ""
        // Rights may be limited to what every key begins with.
        let fixed = Self.fixedPart(of: format)
        folder = fixed + name + "/"
        do { location = try original.settingKey(folder + "probe") } catch {
            throw ExecutorError.wrapping("check \(file)", error)
        }
    }

    /// The folders that a format of keys names before its first tag.
    private static func fixedPart(of format: String) -> String {
        var characters = Array(format.utf8)
        if let tag = characters.indices.first(where: { characters[$0...].starts(with: [0x7B, 0x7B]) }) {
            characters.removeSubrange(tag...)
        }
        guard let slash = characters.lastIndex(of: UInt8(ascii: "/")) else { return "" }
        return String(decoding: characters[...slash], as: UTF8.self)
    }

    private static func location(in file: BytePath, key: String?) throws -> ArtifactLocation {
        let bytes = try SmallFile.read(file, limit: 64 << 20)
        let documents = try YAMLReader.file(bytes, name: file.text).filter { !$0.value.isNull }
        if key == nil, let document = documents.first?.value, documents.count == 1 {
            if document["kind"]?.string == "Pod" {
                return try archiveLocation(of: StepPod(document, objects: ObjectFolders()).template, file)
            }
            if document["archiveLocation"] != nil || document["container"] != nil || document["script"] != nil {
                return try archiveLocation(of: Template(document: document), file)
            }
        }
        return try ArtifactRepository.read(file, key: key).location
    }

    private static func archiveLocation(of template: Template, _ file: BytePath) throws -> ArtifactLocation {
        if let location = template.archiveLocation, location.kind != nil { return location }
        throw ExecutorError.badRequest("check \(file): the template has no archiveLocation")
    }
}
