package import SystemSupport

/// Who this run is.
package struct RunIdentity: Sendable, Equatable {
    /// The workflow's name, the root node's too.
    package let name: String
    package let namespace: String
    package let uid: String
    package let creationTimestamp: Timestamp

    package init(name: String, namespace: String, uid: String, creationTimestamp: Timestamp) {
        self.name = name
        self.namespace = namespace
        self.uid = uid
        self.creationTimestamp = creationTimestamp
    }
}
