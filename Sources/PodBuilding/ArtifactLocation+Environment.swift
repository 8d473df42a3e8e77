import Documents
package import WorkflowModel

extension ArtifactLocation {
    /// The same store, for S3 with keys from where Amazon's tools look for them. Secrets that it names stay: without a folder of
    /// secrets the driver takes what the environment has in their place, and says what is missing where it has nothing.
    package func takingKeysFromEnvironment() throws -> ArtifactLocation {
        guard var s3 = document["s3"]?.object, driverKind == .s3 else { return self }
        s3["useSDKCreds"] = true
        var changed = document
        changed["s3"] = .object(s3)
        return try ArtifactLocation(document: .object(changed))
    }
}
