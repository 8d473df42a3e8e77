package import Artifacts
import GCSArtifacts
import GitArtifacts
import HTTPArtifacts
import LocalStoreArtifacts
import PluginArtifacts
import RawArtifacts
import S3Artifacts
package import WorkflowModel

/// All drivers there are: the one place that knows which location is whose.
package struct ArtifactDrivers: DriverRegistry {
    package init() {}

    /// The driver for each kind of location; nil where there is none.
    private static func driverType(for kind: LocationKind) -> (any RegisteredDriver.Type)? {
        switch kind {
        case .artifactory, .http: HTTPDriver.self
        case .git: GitDriver.self
        case .plugin: PluginDriver.self
        case .raw: RawDriver.self
        case .s3: S3Driver.self
        case .gcs: GCSDriver.self
        case .azure, .hdfs, .oss: nil
        }
    }

    /// Whether locations of a kind can be reached from anywhere, and not in a pod alone, as plugins can.
    package static func canReach(_ kind: LocationKind) -> Bool { driverType(for: kind) != nil && kind != .plugin }

    package func driver(
        for location: ArtifactLocation, artifactName: String, context: DriverContext
    ) throws -> any ArtifactDriver {
        if let place = LocalStore.place(of: location), place.key.utf8.contains(0) {
            throw ArtifactError.invalid("use the location of", artifactName, "its key has a NUL, as no file's name can")
        }
        if let local = LocalStoreDriver.serving(location, context: context) { return local }
        if let type = location.driverKind.flatMap(Self.driverType), let driver = try type.serving(location, context: context) {
            return driver
        }
        throw ArtifactError.unsupported("Unsupported artifact driver for \(artifactName)")
    }

    package func address(of location: ArtifactLocation, context: DriverContext) throws -> StoreAddress? {
        try location.driverKind.flatMap(Self.driverType)?.address(of: location, context: context)
    }
}
