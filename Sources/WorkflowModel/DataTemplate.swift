package import Documents

/// What a data template produces (contract 02 §8, 04 §8): a list from a source, changed by expressions.
package struct DataTemplate: Sendable, Equatable {
    /// The artifact whose keys are the data; nil where the template has no source that we know.
    package let artifactPaths: Artifact?
    /// Applied in order, each to the result of the one before; empty ones count for nothing.
    package let transformations: [String]

    /// - Throws: `ModelError` where a field is of the wrong kind.
    package init(document: JSONValue) throws(ModelError) {
        let fields = try Fields(document, "template.data")
        artifactPaths =
            try fields.object("source") { (fields) throws(ModelError) in
                try fields.object("artifactPaths") { (fields) throws(ModelError) in try Artifact(fields) }
            } ?? nil
        transformations = try fields.list("transformation") { (fields) throws(ModelError) in try fields.string("expression") }
    }
}
