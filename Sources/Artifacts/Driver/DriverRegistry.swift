package import HTTPTransport
package import WorkflowModel

/// Knows which driver serves a location. There is one in the product, which knows all drivers.
package protocol DriverRegistry: Sendable {
    /// The driver for an artifact's location; reads the secrets that the location names.
    ///
    /// - Parameter artifactName: for messages.
    /// - Throws: `ArtifactError` (`unsupported`) where no driver serves the location, and what the driver throws.
    func driver(
        for location: ArtifactLocation, artifactName: String, context: DriverContext
    ) throws -> any ArtifactDriver

    /// Where the store of a location is reached, as far as that is known without its credentials; nil where no connection says
    /// anything of it.
    ///
    /// - Throws: `ArtifactError` for an address that makes no sense, `SystemError` where the authority's secret is not there.
    func address(of location: ArtifactLocation, context: DriverContext) throws -> StoreAddress?
}

/// A driver as the registry makes it.
package protocol RegisteredDriver: ArtifactDriver {
    /// - Returns: nil where the location is of another kind.
    /// - Throws: `ArtifactError` for fields that make no sense or are not served, `SystemError` for a secret that is not there.
    static func serving(_ location: ArtifactLocation, context: DriverContext) throws -> Self?

    /// As `DriverRegistry.address(of:context:)` has it.
    static func address(of location: ArtifactLocation, context: DriverContext) throws -> StoreAddress?
}

extension RegisteredDriver {
    package static func address(of location: ArtifactLocation, context: DriverContext) -> StoreAddress? { nil }
}

/// Where a store is reached, and what its certificate must come from.
package struct StoreAddress: Sendable {
    package let url: String
    /// Nil for the authorities of the system.
    package let trust: TrustAnchors?

    package init(url: String, trust: TrustAnchors? = nil) {
        self.url = url
        self.trust = trust
    }
}

extension DriverContext {
    /// As `DriverRegistry.driver(for:artifactName:context:)` has it.
    package func driver(for location: ArtifactLocation, artifactName: String) throws -> any ArtifactDriver {
        var context = self
        if artifact.name != artifactName { context.artifact = Artifact(name: artifactName) }
        return try registry.driver(for: location, artifactName: artifactName, context: context)
    }

    /// The store for an artifact's location: its driver with attempts, checks and parallel transfers.
    package func store(for location: ArtifactLocation, artifactName: String) throws -> ArtifactStore {
        ArtifactStore(driver: try driver(for: location, artifactName: artifactName), context: self)
    }

    /// As `DriverRegistry.address(of:context:)` has it.
    package func address(of location: ArtifactLocation) throws -> StoreAddress? {
        try registry.address(of: location, context: self)
    }
}
