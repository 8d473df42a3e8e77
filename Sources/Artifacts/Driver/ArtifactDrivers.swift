import SystemSupport
package import WorkflowModel

/// All drivers there are: the one place that knows which location is whose.
package enum ArtifactDrivers {
    /// The driver for an artifact's location; reads the secrets that the location names.
    ///
    /// - Parameter artifactName: for messages.
    /// - Throws: `ArtifactError` (`unsupported`) where no driver serves the location.
    package static func driver(
        for location: ArtifactLocation, artifactName: String, context: DriverContext
    ) throws -> any ArtifactDriver {
        if let place = LocalStore.place(of: location), place.key.utf8.contains(0) {
            throw ArtifactError.invalid("use the location of", artifactName, "its key has a NUL, as no file's name can")
        }
        if let store = context.localStore, store.standsIn(for: location), let place = LocalStore.place(of: location) {
            return LocalStoreDriver(folder: store.folder, bucket: place.bucket, key: place.key)
        }
        switch location.driverKind {
        case .s3: if let s3 = location.s3 { return try S3Driver(s3, context: context) }
        case .raw: if let raw = location.raw { return RawDriver(data: raw.data) }
        case .http: if let http = location.http { return try HTTPDriver(http, context: context) }
        case .artifactory: if let artifactory = location.artifactory { return try HTTPDriver(artifactory, context: context) }
        case .azure, .git, .gcs, .hdfs, .oss, .plugin, nil: break
        }
        throw ArtifactError.unsupported("Unsupported artifact driver for \(artifactName)")
    }

    /// Whether there is a driver for locations of a kind.
    package static func canReach(_ kind: LocationKind) -> Bool {
        switch kind {
        case .artifactory, .http, .raw, .s3: true
        case .azure, .git, .gcs, .hdfs, .oss, .plugin: false
        }
    }

    /// The store for an artifact's location: its driver with attempts, checks and parallel transfers.
    package static func store(
        for location: ArtifactLocation, artifactName: String, context: DriverContext
    ) throws -> ArtifactStore {
        ArtifactStore(driver: try driver(for: location, artifactName: artifactName, context: context), context: context)
    }
}
