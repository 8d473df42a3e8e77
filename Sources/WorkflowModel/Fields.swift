import Documents

/// The fields of an object, read by the rules of Go's JSON reader: names match whatever their case, null counts as absent, a
/// value of the wrong kind is an error that names the field.
struct Fields {
    let object: JSONObject
    let path: String

    init(_ value: JSONValue, _ path: String) throws(ModelError) {
        guard let object = value.object else { throw .wrongKind(path, expected: "object", found: value.kindName) }
        self.object = object
        self.path = path
    }

    /// The value of a field; nil where it is absent or null.
    func value(_ name: String) -> JSONValue? {
        guard let value = object.field(name), !value.isNull else { return nil }
        return value
    }

    private func read<T>(_ name: String, _ expected: String, _ view: (JSONValue) -> T?) throws(ModelError) -> T? {
        guard let value = value(name) else { return nil }
        guard let result = view(value) else {
            throw .wrongKind("\(path).\(name)", expected: expected, found: value.kindName)
        }
        return result
    }

    func optionalString(_ name: String) throws(ModelError) -> String? { try read(name, "string") { $0.string } }

    func string(_ name: String) throws(ModelError) -> String { try optionalString(name) ?? "" }

    func anyString(_ name: String) -> String? { value(name).flatMap { AnyString.text(of: $0) } }

    func optionalFlag(_ name: String) throws(ModelError) -> Bool? { try read(name, "boolean") { $0.bool } }

    func flag(_ name: String) throws(ModelError) -> Bool { try optionalFlag(name) ?? false }

    func integer(_ name: String) throws(ModelError) -> Int? {
        try read(name, "integer") { $0.int.flatMap { Int(exactly: $0) } }
    }

    func array(_ name: String) throws(ModelError) -> [JSONValue] { try read(name, "array") { $0.array } ?? [] }

    func strings(_ name: String) throws(ModelError) -> [String] {
        var texts: [String] = []
        for element in try array(name) {
            guard let text = element.string ?? (element.isNull ? "" : nil) else {
                throw .wrongKind("\(path).\(name)[\(texts.count)]", expected: "string", found: element.kindName)
            }
            texts.append(text)
        }
        return texts
    }

    /// The object in a field, made into something; nil where it is absent or null.
    func object<T>(_ name: String, _ make: (Fields) throws(ModelError) -> T) throws(ModelError) -> T? {
        guard let value = value(name) else { return nil }
        return try make(try Fields(value, "\(path).\(name)"))
    }

    /// The objects of an array, each made into something; null counts as an empty object.
    func list<T>(_ name: String, _ make: (Fields) throws(ModelError) -> T) throws(ModelError) -> [T] {
        var result: [T] = []
        for element in try array(name) {
            let value = element.isNull ? JSONValue.object(JSONObject()) : element
            result.append(try make(try Fields(value, "\(path).\(name)[\(result.count)]")))
        }
        return result
    }
}
