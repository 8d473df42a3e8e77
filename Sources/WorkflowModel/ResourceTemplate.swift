/// What is done to a Kubernetes object (contract 02 §7).
package struct ResourceTemplate: Sendable, Equatable {
    /// kubectl's verb: create, apply, patch, replace, get, delete.
    package let action: String
    /// For `patch`; empty: strategic.
    package let mergeStrategy: String
    package let manifest: String
    /// The name of the input artifact that holds the manifest.
    package let manifestFromArtifact: String?
    package let successCondition: String
    package let failureCondition: String
    /// Further arguments for kubectl.
    package let flags: [String]

    init(_ fields: Fields) throws(ModelError) {
        action = try fields.string("action")
        mergeStrategy = try fields.string("mergeStrategy")
        manifest = try fields.string("manifest")
        successCondition = try fields.string("successCondition")
        failureCondition = try fields.string("failureCondition")
        flags = try fields.strings("flags")
        let source = try fields.object("manifestFrom") { $0 }
        manifestFromArtifact = try source?.object("artifact") { (fields) throws(ModelError) in try fields.string("name") }
    }
}
