package import Documents
import SystemSupport
package import WorkflowFiles
import WorkflowModel

/// A secret or config map that a container or volume of a workflow needs.
package struct ObjectReference: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case secret = "secret"
        case configMap = "config map"
    }

    package let kind: Kind
    package let name: String
    /// Nil: the whole object, or what of it is asked for in several places.
    package let key: String?
    package let isOptional: Bool
    package let place: SourcePlace
    /// Where it is spoken of.
    package let path: String

    /// What to say where it is not there.
    package var missing: Finding {
        let what = key.map { "key '\($0)' of \(kind.rawValue) '\(name)'" } ?? "\(kind.rawValue) '\(name)'"
        return Finding(.error, place: place, path: path, "\(what) is not there")
    }

    /// Nil where tags decide about the name.
    fileprivate init?(_ kind: Kind, _ part: DocumentPart, name: String, key: String? = nil) {
        guard let text = part.value[name]?.string, !text.isEmpty, !text.contains("{{") else { return nil }
        let keyText = key.flatMap { part.value[$0]?.string }
        if keyText?.contains("{{") == true { return nil }
        self.kind = kind
        self.name = text
        self.key = keyText
        isOptional = part.value["optional"]?.bool ?? false
        let finding = part.member(name).finding(.error, "")
        guard let place = finding.place else { return nil }
        self.place = place
        path = finding.path
    }
}

extension [ObjectReference] {
    /// What a container's variables need.
    package static func container(_ container: DocumentPart) -> [ObjectReference] {
        var found: [ObjectReference?] = []
        for variable in container.member("env").elements {
            let source = variable.member("valueFrom")
            found.append(ObjectReference(.secret, source.member("secretKeyRef"), name: "name", key: "key"))
            found.append(ObjectReference(.configMap, source.member("configMapKeyRef"), name: "name", key: "key"))
        }
        for source in container.member("envFrom").elements {
            found.append(ObjectReference(.secret, source.member("secretRef"), name: "name"))
            found.append(ObjectReference(.configMap, source.member("configMapRef"), name: "name"))
        }
        return found.compactMap { $0 }
    }

    /// What a volume needs.
    package static func volume(_ volume: DocumentPart) -> [ObjectReference] {
        var found = [
            ObjectReference(.secret, volume.member("secret"), name: "secretName"),
            ObjectReference(.configMap, volume.member("configMap"), name: "name"),
        ]
        for source in volume.member("projected").member("sources").elements {
            found.append(ObjectReference(.secret, source.member("secret"), name: "name"))
            found.append(ObjectReference(.configMap, source.member("configMap"), name: "name"))
        }
        return found.compactMap { $0 }
    }
}
