package import Documents

/// An input or output artifact of a template (contract 04 §4).
package struct Artifact: Sendable, Equatable {
    /// The artifact as it is reported: unknown fields and the order kept, required fields of locations added.
    package private(set) var document: JSONValue
    package let name: String
    /// Where it is in the user's container; as written, not cleaned.
    package private(set) var path: String
    /// Permission bits; zero differs from absent.
    package let mode: Int?
    package let recurseMode: Bool
    package let optional: Bool
    package let archive: ArchiveStrategy?
    package let globalName: String
    package let subPath: String
    package let from: String
    package let fromExpression: String
    package let deleted: Bool
    package private(set) var location: ArtifactLocation

    /// - Throws: `ModelError` where a field is of the wrong kind.
    package init(document: JSONValue) throws(ModelError) { try self.init(try Fields(document, "artifact")) }

    /// An artifact that has a name only, as logs have before they are given a location.
    package init(name: String) {
        document = ["name": .string(name)]
        self.name = name
        path = ""
        mode = nil
        recurseMode = false
        optional = false
        archive = nil
        globalName = ""
        subPath = ""
        from = ""
        fromExpression = ""
        deleted = false
        location = .empty
    }

    init(_ fields: Fields) throws(ModelError) {
        name = try fields.string("name")
        path = try fields.string("path")
        mode = try fields.integer("mode")
        recurseMode = try fields.flag("recurseMode")
        optional = try fields.flag("optional")
        archive = try fields.object("archive") { (fields) throws(ModelError) in try ArchiveStrategy(fields) }
        globalName = try fields.string("globalName")
        subPath = try fields.string("subPath")
        from = try fields.string("from")
        fromExpression = try fields.string("fromExpression")
        deleted = try fields.flag("deleted")
        location = try ArtifactLocation(fields)
        document = .object(Self.placing(location, in: fields.object))
    }

    /// The same artifact at another path.
    package func withPath(_ path: String) -> Artifact {
        var changed = self
        changed.path = path
        var object = document.object ?? JSONObject()
        object.setField("path", to: .string(path))
        changed.document = .object(object)
        return changed
    }

    /// The same artifact kept elsewhere: its whole location is replaced.
    package func withLocation(_ location: ArtifactLocation) -> Artifact {
        var changed = self
        changed.location = location
        changed.document = .object(Self.placing(location, in: document.object ?? JSONObject()))
        return changed
    }

    /// An object with its location's fields exchanged: those that stay keep their place, new ones follow at the end.
    private static func placing(_ location: ArtifactLocation, in object: JSONObject) -> JSONObject {
        var result = JSONObject()
        for member in object.members where !member.value.isNull {
            if let name = LocationForm.fieldNames.first(where: { JSONObject.isSameField($0, member.name) }) {
                if let value = location.document[name] { result[name] = value }
            } else {
                result[member.name] = member.value
            }
        }
        for member in location.document.members where result[member.name] == nil { result[member.name] = member.value }
        if result.field("name") == nil { result["name"] = "" }
        return result
    }
}
