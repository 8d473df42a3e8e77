import Documents

/// The form in which locations are reported (contract 04 §3.5, §4).
enum LocationForm {
    /// The fields that make up a location.
    static let fieldNames = ["archiveLogs"] + LocationKind.allCases.map(\.rawValue)

    /// The location's fields of an object, by their proper names, without nulls, with what the API server requires.
    static func normalized(_ object: JSONObject) -> JSONObject {
        var result = JSONObject()
        for member in object.members {
            guard let name = fieldNames.first(where: { JSONObject.isSameField($0, member.name) }),
                let value = object.field(name), !value.isNull, result[name] == nil
            else { continue }
            guard let kind = LocationKind(rawValue: name), var store = value.object else {
                result[name] = value
                continue
            }
            store = withoutNulls(store)
            for required in kind.requiredFields { require(required, "", in: &store) }
            if kind == .http { completeHTTP(&store) }
            result[name] = completeSelectors(.object(store))
        }
        return result
    }

    private static func require(_ name: String, _ value: JSONValue, in object: inout JSONObject) {
        if object.field(name) == nil { object[name] = value }
    }

    private static func withoutNulls(_ object: JSONObject) -> JSONObject {
        JSONObject(object.members.lazy.filter { !$0.value.isNull }.map { ($0.name, $0.value) })
    }

    private static func completeHTTP(_ http: inout JSONObject) {
        if let headers = http.field("headers")?.array {
            http.setField("headers", to: .array(headers.map { completed($0, ["name", "value"], "") }))
        }
        guard let auth = http.field("auth"), auth.object != nil else { return }
        var complete = completed(auth, ["clientCert", "oauth2", "basicAuth"], [:])
        if var object = complete.object, let oauth = object.field("oauth2"), var fields = oauth.object,
            let parameters = fields.field("endpointParams")?.array
        {
            fields.setField("endpointParams", to: .array(parameters.map { completed($0, ["key"], "") }))
            object.setField("oauth2", to: .object(fields))
            complete = .object(object)
        }
        http.setField("auth", to: complete)
    }

    private static func completed(_ value: JSONValue, _ names: [String], _ filling: JSONValue) -> JSONValue {
        guard var object = value.object else { return value }
        object = withoutNulls(object)
        for name in names { require(name, filling, in: &object) }
        return .object(object)
    }

    /// Every selector of a secret or a config map must have a key.
    private static func completeSelectors(_ value: JSONValue) -> JSONValue {
        guard let object = value.object else { return value }
        return .object(
            JSONObject(
                object.members.lazy.map { member in
                    let isSelector = member.name.hasSuffix("Secret") || member.name.hasSuffix("ConfigMap")
                    return (member.name, isSelector ? completed(member.value, ["key"], "") : completeSelectors(member.value))
                }))
    }
}
