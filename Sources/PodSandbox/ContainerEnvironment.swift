import Documents
import SystemSupport

/// The variables of a container, in order: those of `envFrom`, then those of `env`, which replace others of their name.
struct ContainerEnvironment: Sendable {
    struct Variable: Sendable, Equatable {
        let name: String
        var value: [UInt8]
        /// It holds a secret, which is not to be seen on command lines.
        var isSecret = false
    }

    private(set) var variables: [Variable] = []

    /// Finds all values; what cannot be found is told to `problems`.
    init(
        of container: ContainerManifest, in fields: PodFields, objects: ObjectFolders, problems: inout PodFindings
    ) throws {
        for source in container.environmentSources {
            try addAll(source, objects, container.subject, &problems)
        }
        for entry in container.environment {
            guard let name = entry.field("name")?.string, !name.isEmpty, !name.utf8.contains(0), !name.utf8.contains(0x3D)
            else {
                problems.add(.error, container.subject, "a variable has no name")
                continue
            }
            let subject = "\(container.subject): variable \(name)"
            if let source = entry.field("valueFrom"), !source.isNull {
                if let found = try Self.value(source, of: container, fields, objects, subject, &problems) {
                    set(Variable(name: name, value: found.bytes, isSecret: found.isSecret))
                }
            } else {
                // Only what stands before can be referred to.
                set(Variable(name: name, value: expand(entry.field("value")?.string ?? "")))
            }
        }
        for variable in variables where variable.value.contains(0) {
            problems.add(.error, "\(container.subject): variable \(variable.name)", "its value has a NUL byte")
        }
    }

    subscript(name: String) -> [UInt8]? { variables.first { $0.name == name }?.value }

    /// Sets a variable in its place, or at the end.
    mutating func set(_ variable: Variable) {
        if let index = variables.firstIndex(where: { $0.name == variable.name }) {
            variables[index] = variable
        } else {
            variables.append(variable)
        }
    }

    /// Sets a variable that is not there yet.
    mutating func setDefault(_ name: String, _ value: [UInt8]) {
        if self[name] == nil { variables.append(Variable(name: name, value: value)) }
    }

    /// A text with the values of the variables that it refers to.
    func expand(_ text: String) -> [UInt8] {
        VariableExpansion.expand(Array(text.utf8)) { self[String(decoding: $0, as: UTF8.self)] }
    }

    /// As `expand`; nil where it refers to a variable that is not there.
    func expandStrictly(_ text: String) -> [UInt8]? {
        let names = VariableExpansion.names(in: Array(text.utf8))
        return names.allSatisfy { self[String(decoding: $0, as: UTF8.self)] != nil } ? expand(text) : nil
    }

    private mutating func addAll(
        _ source: JSONValue, _ objects: ObjectFolders, _ subject: String, _ problems: inout PodFindings
    ) throws {
        let prefix = source.field("prefix")?.string ?? ""
        for (field, kind) in [("configMapRef", ObjectFolders.Kind.configMap), ("secretRef", .secret)] {
            guard let reference = source.field(field) else { continue }
            let name = reference.field("name")?.string ?? ""
            guard let keys = try objects.keys(of: kind, name) else {
                if reference.field("optional")?.bool != true {
                    problems.add(.error, subject, "\(kind.rawValue) '\(name)' is missing: \(objects.place(of: kind, name))")
                }
                continue
            }
            for key in keys {
                // Kubernetes passes over keys that are no names of variables.
                guard let text = key.validText, !text.utf8.contains(0x3D),
                    let value = try objects.value(of: kind, name, key: key)
                else { continue }
                set(Variable(name: prefix + text, value: value, isSecret: kind == .secret))
            }
        }
    }

    private static func value(
        _ source: JSONValue, of container: ContainerManifest, _ fields: PodFields, _ objects: ObjectFolders,
        _ subject: String, _ problems: inout PodFindings
    ) throws -> (bytes: [UInt8], isSecret: Bool)? {
        if let reference = source.field("fieldRef") {
            let path = reference.field("fieldPath")?.string ?? ""
            if let value = fields.value(path) { return (Array(value.utf8), false) }
            problems.add(.error, subject, "a pod has no field \(path)")
            return nil
        }
        if let reference = source.field("resourceFieldRef") {
            if let value = fields.resource(reference, of: container) { return (Array(value.utf8), false) }
            problems.add(.error, subject, "its resourceFieldRef names no resource, or a divisor that is not a quantity")
            return nil
        }
        for (field, kind) in [("configMapKeyRef", ObjectFolders.Kind.configMap), ("secretKeyRef", .secret)] {
            guard let reference = source.field(field) else { continue }
            let name = reference.field("name")?.string ?? ""
            let key = reference.field("key")?.string ?? ""
            if let value = try objects.value(of: kind, name, key: BytePath(key)) { return (value, kind == .secret) }
            if reference.field("optional")?.bool == true { return nil }
            let exists = try objects.keys(of: kind, name) != nil
            problems.add(
                .error, subject,
                exists
                    ? "\(kind.rawValue) '\(name)' has no key '\(key)'"
                    : "\(kind.rawValue) '\(name)' is missing: \(objects.place(of: kind, name))")
            return nil
        }
        problems.add(.error, subject, "its valueFrom is of a kind that is not known here")
        return nil
    }
}
