import Documents
import KubernetesAPI
import WorkflowModel

/// Artifacts to be deleted, as the controller lists them in one object (contract 04 §6).
struct GarbageTask {
    /// One artifact in its node.
    struct Item {
        let node: Int
        let name: String
        let document: JSONValue
        /// Whether an earlier pod has told of an error.
        let hadError: Bool
    }

    let name: String
    /// Ids of all nodes, those without artifacts too.
    let nodes: [String]
    /// Where the artifacts of a node are that have no location of their own; nil for none.
    let archiveLocations: [JSONValue?]
    let items: [Item]

    /// - Parameter document: the object as the API server holds it.
    init(_ document: JSONValue) {
        name = document["metadata"]?["name"]?.string ?? ""
        let earlier = document["status"]?["artifactResultsByNode"]
        var nodes: [String] = []
        var locations: [JSONValue?] = []
        var items: [Item] = []
        for node in document["spec"]?["artifactsByNode"]?.object?.members ?? [] {
            locations.append(node.value["archiveLocation"].flatMap { $0.isNull ? nil : $0 })
            let results = earlier?[node.name]?["artifactResults"]
            for artifact in node.value["artifacts"]?.object?.members ?? []
            // What an earlier pod has deleted is not looked for again.
            where results?[artifact.name]?["success"]?.bool != true {
                items.append(
                    Item(
                        node: nodes.count, name: artifact.name, document: artifact.value,
                        hadError: results?[artifact.name]?["error"] != nil))
            }
            nodes.append(node.name)
        }
        self.nodes = nodes
        self.items = items
        archiveLocations = locations
    }

    /// Where an artifact is: itself where complete, else the node's archive location with its key.
    ///
    /// - Throws: `ModelError` where it has no location.
    func artifact(_ item: Item) throws(ModelError) -> (artifact: Artifact, location: ArtifactLocation) {
        let artifact = try Artifact(document: item.document)
        let archive = try archiveLocations[item.node].map { (document) throws(ModelError) in
            try ArtifactLocation(document: document)
        }
        return (artifact, try artifact.location.relocated(to: archive))
    }
}
