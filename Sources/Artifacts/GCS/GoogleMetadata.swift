import Artifacts
import HTTPTransport
import SystemSupport

/// The token of the service account attached to an instance, or to a pod by GKE's workload identity (Compute Engine, "Access the
/// metadata server").
struct GoogleMetadata: CredentialSource {
    let host: String
    let http: HTTPClient

    var name: String { "metadata server" }

    func fetch() throws -> IssuedCredential<Secret>? {
        var request = HTTPRequest(
            "GET",
            "http://\(host)/computeMetadata/v1/instance/service-accounts/default/token?scopes=\(GoogleTokenEndpoint.scope)")
        request.headers = ["Metadata-Flavor": "Google"]
        // Outside of Google's networks nothing answers. In a new pod the server may take seconds to be ready.
        request.connectTimeout = 3
        request.totalTimeout = 20
        return try GoogleTokenEndpoint(http: http).token(request, [], hiding: [])
    }
}
