package import Documents

extension JSONValue {
    /// What a JSON merge patch makes of this document (RFC 7386): objects merge, null removes, all else replaces.
    package func merged(with patch: JSONValue) -> JSONValue {
        guard let changes = patch.object else { return patch }
        var result = object ?? JSONObject()
        for change in changes.members {
            result[change.name] = change.value.isNull ? nil : (result[change.name] ?? .null).merged(with: change.value)
        }
        return .object(result)
    }
}
