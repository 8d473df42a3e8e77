package import SystemSupport
package import WorkflowModel

/// A folder that stands in for a store of buckets, in a run on one machine.
package struct LocalStore: Sendable {
    /// Holds objects as `BUCKET/KEY`.
    package let folder: BytePath
    /// The location whose store it stands in for: a template's archive location. Nil: it stands in for all stores of buckets.
    package let original: ArtifactLocation?
    /// Where unpacked archives are kept for those that load them next; nil for nowhere.
    package let cache: BytePath?

    package init(folder: BytePath, original: ArtifactLocation? = nil, cache: BytePath? = nil) {
        self.folder = folder
        self.cache = cache
        self.original = original
    }

    /// Whether a location's objects are here: other stores, named by complete locations, stay what they are.
    package func standsIn(for location: ArtifactLocation) -> Bool {
        guard let original else { return Self.place(of: location) != nil }
        guard let place = Self.place(of: location), let home = Self.place(of: original) else { return false }
        return location.driverKind == original.driverKind && place.bucket == home.bucket && place.endpoint == home.endpoint
    }

    /// A location's endpoint, bucket and key; nil where its store has none.
    package static func place(of location: ArtifactLocation) -> (endpoint: String, bucket: String, key: String)? {
        switch location.driverKind {
        case .s3: location.s3.map { ($0.endpoint, $0.bucket, $0.key) }
        case .gcs: location.gcs.map { ("", $0.bucket, $0.key) }
        case .azure: location.azure.map { ($0.endpoint, $0.container, $0.blob) }
        case .oss: location.oss.map { ($0.endpoint, $0.bucket, $0.key) }
        case .artifactory, .git, .hdfs, .http, .raw, .plugin, nil: nil
        }
    }
}
