package import Artifacts
package import SystemSupport

/// What the environment says about Google Cloud, as values (Google Cloud, "How Application Default Credentials works").
package struct GoogleEnvironment: CloudSettings {
    /// The file that the user names; nil for none.
    package var credentialsFile: BytePath?
    /// Where gcloud puts its own, which need not exist.
    package var usualFile: BytePath?
    /// `host[:port]` of the metadata server.
    package var metadataHost = "169.254.169.254"
    /// Origin of the service, e.g. `https://storage.googleapis.com`.
    package var endpoint = "https://storage.googleapis.com"
    /// Whether the service is an emulator, which gets no token but from a secret.
    package var isEmulator = false
    /// How often an operation is tried (contract 02 §11, R6).
    package var schedule = RetrySchedule.cloud

    package init(_ environment: Environment) {
        credentialsFile = environment.nonEmpty(.googleApplicationCredentials).map { BytePath($0) }
        let folder =
            environment.nonEmpty(.cloudSDKConfig).map { BytePath($0) }
            ?? environment.nonEmpty(.home).map { BytePath($0).appending(BytePath(".config/gcloud")) }
        usualFile = folder?.appending(BytePath("application_default_credentials.json"))
        if let host = environment.nonEmpty(.gceMetadataHost) { metadataHost = host }
        if let host = environment.nonEmpty(.storageEmulatorHost) {
            let origin = host.contains("://") ? host : "http://" + host
            endpoint = origin.hasSuffix("/") ? String(origin.dropLast()) : origin
            isEmulator = true
        }
    }
}

extension DriverContext {
    /// What the environment says of Google Cloud.
    package var google: GoogleEnvironment {
        get { clouds[GoogleEnvironment.self] }
        set { clouds[GoogleEnvironment.self] = newValue }
    }
}
