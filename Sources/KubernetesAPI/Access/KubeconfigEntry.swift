import Documents
import Encodings
import SystemSupport

/// One context, cluster or user of a kubeconfig: its fields, read when they are asked for, with the place of every fault.
struct KubeconfigEntry {
    let document: MarkedDocument
    /// Of the object that holds the fields.
    let path: DocumentPath
    /// What relative paths are relative to.
    let folder: BytePath

    /// The value of a field; nil for null, too.
    func value(_ name: String) -> JSONValue? {
        guard let value = document.value[path.member(name)], !value.isNull else { return nil }
        return value
    }

    /// The text of a field; nil where it is empty.
    func text(_ name: String) throws -> String? {
        guard let value = value(name) else { return nil }
        guard let text = value.string else { throw fault(name, "must be a text, not \(value.kindName)") }
        return text.isEmpty ? nil : text
    }

    func flag(_ name: String) throws -> Bool {
        guard let value = value(name) else { return false }
        guard let flag = value.bool else { throw fault(name, "must be true or false, not \(value.kindName)") }
        return flag
    }

    func texts(_ name: String) throws -> [String] {
        guard let value = value(name) else { return [] }
        guard let elements = value.array else { throw fault(name, "must be a list, not \(value.kindName)") }
        return try elements.enumerated().map { index, element in
            guard let text = element.string else {
                throw fault(path.member(name).element(index), "must be a text, not \(element.kindName)")
            }
            return text
        }
    }

    /// Objects of a list.
    func entries(_ name: String) throws -> [KubeconfigEntry] {
        guard let value = value(name) else { return [] }
        guard let elements = value.array else { throw fault(name, "must be a list, not \(value.kindName)") }
        return elements.indices.map { entry(path.member(name).element($0)) }
    }

    /// An object in this one; nil where it is not there.
    func entry(_ name: String) throws -> KubeconfigEntry? {
        guard let value = value(name) else { return nil }
        if value.object == nil { throw fault(name, "must be an object, not \(value.kindName)") }
        return entry(path.member(name))
    }

    /// The path in a field, made absolute.
    func file(_ name: String) throws -> BytePath? {
        try text(name).map { BytePath($0).isAbsolute ? BytePath($0) : folder.appending(BytePath($0)).cleaned }
    }

    /// A PEM file: `NAME-data` in base64, which goes first, or the path in `NAME`.
    func pem(_ name: String) throws -> PEMSource? {
        guard let text = try text(name + "-data") else { return try file(name).map { .file($0) } }
        guard let bytes = Base64.decode(text.filter { !$0.isWhitespace }) else {
            throw fault(name + "-data", "is not valid base64")
        }
        return .content(Secret(bytes))
    }

    /// What is wrong with a field. Never quotes the value: it may be a secret.
    func fault(_ name: String, _ reason: String) -> DocumentError { fault(path.member(name), reason) }

    private func fault(_ path: DocumentPath, _ reason: String) -> DocumentError {
        DocumentError(place: document.place(of: path), reason: "\(path) \(reason)")
    }

    private func entry(_ path: DocumentPath) -> KubeconfigEntry {
        KubeconfigEntry(document: document, path: path, folder: folder)
    }
}
