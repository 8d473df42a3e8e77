package import Documents
package import SystemSupport

/// Options of a run that are not in the workflow files.
package struct RunSettings: Sendable {
    /// In place of the workflow's own.
    package var entrypoint: String?
    /// The flag that gave the entrypoint, for messages.
    package var entrypointFlag = "--entrypoint"
    /// Which document is run, by its name or `generateName`; nil: the only one there is.
    package var workflow: String?
    /// The most nodes that the run may have.
    package var maximumNodes = RunSettings.defaultMaximumNodes
    /// Where config maps are looked for, for messages about one that is missing.
    package var configMapPlace: (@Sendable (_ name: String) -> String)?
    /// Values for the workflow's parameters, by name; the last of a name counts.
    package var parameters: [(name: String, value: String)]
    /// Locations for the workflow's artifacts, by name: the fields of a location (`{"s3": {"key": …}}`).
    package var artifacts: [(name: String, location: JSONObject)]
    /// Whether warnings are errors.
    package var isStrict: Bool
    /// The value of a config map's key; nil where there is none.
    package var configMapValue: @Sendable (_ name: String, _ key: String) -> String?

    /// What an earlier run has kept of a template's outputs, and when; nil where there is nothing.
    package var recall: @Sendable (_ cache: String, _ key: String) -> (outputs: JSONObject, time: Timestamp)? = { _, _ in nil }

    package static let defaultMaximumNodes = 10_000

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
