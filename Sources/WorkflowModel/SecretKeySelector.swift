/// Names one value of a Secret or a ConfigMap of the pod's namespace.
package struct SecretKeySelector: Sendable, Hashable {
    package let name: String
    package let key: String
    package let optional: Bool?

    package init(name: String, key: String, optional: Bool? = nil) {
        self.name = name
        self.key = key
        self.optional = optional
    }

    /// Whether it names an object at all; where the contract says "named", others count as absent.
    package var isNamed: Bool { !name.isEmpty }
}

extension SecretKeySelector {
    init(_ fields: Fields) throws(ModelError) {
        self.init(
            name: try fields.string("name"), key: try fields.string("key"), optional: try fields.optionalFlag("optional"))
    }
}

extension Fields {
    func selector(_ name: String) throws(ModelError) -> SecretKeySelector? {
        try object(name) { (fields) throws(ModelError) in try SecretKeySelector(fields) }
    }
}
