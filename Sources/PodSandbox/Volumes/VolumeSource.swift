import Documents
import SystemSupport

/// What a volume is made of.
enum VolumeSource: Sendable {
    case emptyDirectory
    /// Files made of secrets, config maps and the pod's own fields; always mounted read-only.
    case files([Projection], defaultMode: UInt32)
    case claim(String)
    case hostPath(BytePath, type: String)
    /// An image's root file system.
    case image(String)

    /// One source of files.
    enum Projection: Sendable {
        case object(ObjectFolders.Kind, name: String, items: [Item]?, isOptional: Bool)
        /// Files with the pod's own fields.
        case fields([JSONValue])
        /// Something only a cluster has, such as a service account's token.
        case absent(String)
    }

    /// A key and the file that it becomes.
    struct Item: Sendable {
        let key: String
        let path: String
        let mode: UInt32?
    }

    /// - Throws: `ExecutorError` for a kind that a local run has nothing for.
    init(_ volume: JSONObject) throws {
        if let claim = volume.field("persistentVolumeClaim") {
            self = .claim(claim.field("claimName")?.string ?? "")
        } else if let host = volume.field("hostPath") {
            self = .hostPath(BytePath(host.field("path")?.string ?? ""), type: host.field("type")?.string ?? "")
        } else if let image = volume.field("image") {
            self = .image(image.field("reference")?.string ?? "")
        } else if let object = volume.field("secret") {
            let name = object.field("secretName")?.string ?? ""
            self = .files([Self.object(.secret, name, object)], defaultMode: Self.mode(object, "defaultMode") ?? 0o644)
        } else if let object = volume.field("configMap") {
            let name = object.field("name")?.string ?? ""
            self = .files([Self.object(.configMap, name, object)], defaultMode: Self.mode(object, "defaultMode") ?? 0o644)
        } else if let fields = volume.field("downwardAPI") {
            self = .files(
                [.fields(fields.field("items")?.array ?? [])], defaultMode: Self.mode(fields, "defaultMode") ?? 0o644)
        } else if let projected = volume.field("projected") {
            let sources = (projected.field("sources")?.array ?? []).map(Self.projection)
            self = .files(sources, defaultMode: Self.mode(projected, "defaultMode") ?? 0o644)
        } else {
            let kinds = volume.members.filter { $0.name != "name" && !$0.value.isNull }.map(\.name)
            // A volume of no kind is an emptyDir; a claim made for the pod alone is as good as one.
            guard kinds.allSatisfy({ ["emptyDir", "ephemeral"].contains($0) }) else {
                throw ExecutorError.badRequest("volumes of kind \(kinds.joined(separator: ", ")) do not exist in a local run")
            }
            self = .emptyDirectory
        }
    }

    private static func projection(_ source: JSONValue) -> Projection {
        if let object = source.field("secret") { return self.object(.secret, object.field("name")?.string ?? "", object) }
        if let object = source.field("configMap") {
            return self.object(.configMap, object.field("name")?.string ?? "", object)
        }
        if let fields = source.field("downwardAPI") { return .fields(fields.field("items")?.array ?? []) }
        return .absent(source.object?.members.first?.name ?? "nothing")
    }

    private static func object(_ kind: ObjectFolders.Kind, _ name: String, _ reference: JSONValue) -> Projection {
        let items = reference.field("items")?.array?.map { item in
            Item(
                key: item.field("key")?.string ?? "", path: item.field("path")?.string ?? "", mode: mode(item, "mode"))
        }
        let isOptional = reference.field("optional")?.bool ?? false
        // The API server's certificates are in every pod that it admits, and of no use here.
        if kind == .configMap, name == "kube-root-ca.crt" { return .object(kind, name: name, items: items, isOptional: true) }
        return .object(kind, name: name, items: items?.isEmpty == true ? nil : items, isOptional: isOptional)
    }

    private static func mode(_ value: JSONValue, _ field: String) -> UInt32? {
        value.field(field)?.int.flatMap { (0...0o777).contains($0) ? UInt32($0) : nil }
    }
}

/// A file of a volume that is made of other things' content.
struct VolumeFile: Sendable {
    let path: BytePath
    let bytes: [UInt8]
    let mode: UInt32

    /// All files of a volume, later ones over earlier ones of the same path; what is missing is told to `problems`.
    static func all(
        of projections: [VolumeSource.Projection], defaultMode: UInt32, fields: PodFields, objects: ObjectFolders,
        subject: String, problems: inout PodFindings
    ) throws -> [VolumeFile] {
        var files: [VolumeFile] = []
        func add(_ path: String, _ bytes: [UInt8], _ mode: UInt32?) {
            let place = BytePath(path)
            guard !place.components.isEmpty, !place.components.contains(".."), !place.isAbsolute else {
                problems.add(.error, subject, "the path '\(path)' is not one of a file inside the volume")
                return
            }
            files.removeAll { $0.path == place.cleaned }
            files.append(VolumeFile(path: place.cleaned, bytes: bytes, mode: mode ?? defaultMode))
        }
        for projection in projections {
            switch projection {
            case .object(let kind, let name, let items, let isOptional):
                guard let keys = try objects.keys(of: kind, name) else {
                    if !isOptional {
                        problems.add(
                            .error, subject, "\(kind.rawValue) '\(name)' is missing: \(objects.place(of: kind, name))")
                    }
                    continue
                }
                if let items {
                    for item in items {
                        if let bytes = try objects.value(of: kind, name, key: BytePath(item.key)) {
                            add(item.path, bytes, item.mode)
                        } else if !isOptional {
                            problems.add(.error, subject, "\(kind.rawValue) '\(name)' has no key '\(item.key)'")
                        }
                    }
                } else {
                    for key in keys {
                        guard let bytes = try objects.value(of: kind, name, key: key) else { continue }
                        files.removeAll { $0.path == key }
                        files.append(VolumeFile(path: key, bytes: bytes, mode: defaultMode))
                    }
                }
            case .fields(let items):
                for item in items {
                    let path = item.field("path")?.string ?? ""
                    let value =
                        item.field("fieldRef")?.field("fieldPath")?.string.flatMap(fields.value)
                        ?? item.field("resourceFieldRef").flatMap { fields.resource($0, of: nil) }
                    guard let value else {
                        problems.add(.error, subject, "the file '\(path)' is of a field that a pod does not have")
                        continue
                    }
                    let mode = item.field("mode")?.int.flatMap { (0...0o777).contains($0) ? UInt32($0) : nil }
                    add(path, Array(value.utf8), mode)
                }
            case .absent(let kind):
                problems.add(.note, subject, "\(kind) exists only in a cluster; left out of the volume")
            }
        }
        return files
    }
}
