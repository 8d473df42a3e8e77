/// A kind of resource of the API server.
package struct APIResource: Sendable, Equatable {
    /// Empty for the core group.
    package let group: String
    package let version: String
    /// As it stands in URLs, e.g. `workflowtasksets`.
    package let plural: String
    package let kind: String
    package let isNamespaced: Bool
    /// What a role must grant for all that we do with the resource; empty: the verb of each call (contract 04 §9).
    let roleVerbs: [String]

    package init(
        group: String = "", version: String, plural: String, kind: String, isNamespaced: Bool = true, roleVerbs: [String] = []
    ) {
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind
        self.isNamespaced = isNamespaced
        self.roleVerbs = roleVerbs
    }

    private static func argo(_ plural: String, _ kind: String, _ roleVerbs: [String]) -> APIResource {
        APIResource(group: "argoproj.io", version: "v1alpha1", plural: plural, kind: kind, roleVerbs: roleVerbs)
    }

    /// What the server tells of the resources of a group's version.
    static func discovery(group: String, version: String) -> APIResource {
        APIResource(group: group, version: version, plural: "", kind: "APIResourceList", isNamespaced: false)
    }

    package static let taskResults = argo("workflowtaskresults", "WorkflowTaskResult", ["create", "patch"])
    package static let taskSets = argo("workflowtasksets", "WorkflowTaskSet", ["list", "watch"])
    package static let artifactGCTasks = argo("workflowartifactgctasks", "WorkflowArtifactGCTask", ["list", "watch"])
    package static let secrets = APIResource(version: "v1", plural: "secrets", kind: "Secret")
    package static let configMaps = APIResource(version: "v1", plural: "configmaps", kind: "ConfigMap")
    package static let pods = APIResource(version: "v1", plural: "pods", kind: "Pod")
}

/// Where a request goes: all objects of a resource, one of them, or a part of one.
package struct ResourcePath: Sendable, Equatable {
    package var resource: APIResource
    /// Nil for the namespace of the client configuration. Of no meaning to resources that have no namespace.
    package var namespace: String?
    /// Nil for all objects.
    package var name: String?
    /// E.g. `status`.
    package var subresource: String?

    package init(_ resource: APIResource, name: String? = nil, subresource: String? = nil, namespace: String? = nil) {
        self.resource = resource
        self.name = name
        self.subresource = subresource
        self.namespace = namespace
    }

    /// The resource as roles name it, e.g. `workflowtasksets/status`.
    var roleName: String { (resource.plural.isEmpty ? "resources" : resource.plural) + (subresource.map { "/\($0)" } ?? "") }
}

/// Which objects of a resource are meant.
package struct ResourceSelection: Sendable, Equatable {
    package var path: ResourcePath
    /// Empty for no condition.
    package var labels: String
    /// Empty for no condition.
    package var fields: String

    package init(_ path: ResourcePath, labels: String = "", fields: String = "") {
        self.path = path
        self.labels = labels
        self.fields = fields
    }

    var query: [(name: String, value: String)] {
        (labels.isEmpty ? [] : [("labelSelector", labels)]) + (fields.isEmpty ? [] : [("fieldSelector", fields)])
    }
}
