package import Artifacts
import HTTPTransport
import SystemSupport
package import WorkflowModel

extension HTTPDriver {
    /// A file in an Artifactory repository (contract 03 §6.6): always by user and password, both of which must be named. Its
    /// redirects to signed URLs of other hosts go without them.
    ///
    /// - Throws: `ArtifactError` (`invalid`) for a URL that is none and for credentials that are not named, `SystemError` for a
    ///   secret that is not there.
    package init(_ location: ArtifactoryLocation, context: DriverContext) throws {
        let secrets = SecretFiles(context.secretsDirectory)
        guard let user = try secrets.value(location.usernameSecret), let password = try secrets.value(location.passwordSecret)
        else {
            throw ArtifactError.invalid("use", "artifactory", "usernameSecret and passwordSecret are both required")
        }
        let resource = HTTPResource(
            url: try Self.url(location.url, field: "artifactory.url"),
            authorization: CredentialCache(fixed: HTTPResource.basic(user, password)), http: context.clients.client())
        self.init(resource, kind: "artifactory", context: context)
    }
}
