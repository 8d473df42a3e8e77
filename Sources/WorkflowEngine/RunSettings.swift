package import Documents

/// What whoever starts a run says beside the files.
package struct RunSettings: Sendable {
    /// In place of the workflow's own.
    package var entrypoint: String?
    /// Values for the workflow's parameters, by name; the last of a name counts.
    package var parameters: [(name: String, value: String)]
    /// Locations for the workflow's artifacts, by name: the fields of a location (`{"s3": {"key": …}}`).
    package var artifacts: [(name: String, location: JSONObject)]
    /// Whether warnings are errors.
    package var isStrict: Bool
    /// The value of a config map's key; nil where there is none.
    package var configMapValue: @Sendable (_ name: String, _ key: String) -> String?

    package init(
        entrypoint: String? = nil, parameters: [(name: String, value: String)] = [],
        artifacts: [(name: String, location: JSONObject)] = [], isStrict: Bool = false,
        configMapValue: @escaping @Sendable (_ name: String, _ key: String) -> String? = { _, _ in nil }
    ) {
        self.entrypoint = entrypoint
        self.parameters = parameters
        self.artifacts = artifacts
        self.isStrict = isStrict
        self.configMapValue = configMapValue
    }
}
