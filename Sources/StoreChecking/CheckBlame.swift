import Artifacts
import SystemSupport
import WorkflowModel

/// Whose fault a store's refusal is, by the words of the stores.
enum CheckBlame: Equatable {
    case credentials, clock, region, bucket, permission
    /// The store cannot do such a thing.
    case unsupported
    case other

    init(_ error: any Error) {
        if error is CredentialFailure || error is MissingSecret {
            self = .credentials
            return
        }
        guard let error = error as? ArtifactError else {
            self = error is SystemError ? .credentials : .other
            return
        }
        switch error.code {
        case .unsupported: self = .unsupported
        case .refused(let status, let word): self = Self.of(status, word)
        default: self = .other
        }
    }

    private static func of(_ status: Int, _ word: String) -> CheckBlame {
        switch word {
        case "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "TokenRefreshRequired",
            "InvalidSecurity", "NotSignedUp", "AuthenticationFailed", "InvalidAuthenticationInfo", "InvalidSecurityToken",
            "SecurityTokenExpired":
            .credentials
        case "RequestTimeTooSkewed", "RequestExpired": .clock
        case "AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect", "InvalidRegion",
            "IllegalLocationConstraintException":
            .region
        case "NoSuchBucket", "InvalidBucketName", "ContainerNotFound", "AccountNotFound", "NotFound": .bucket
        case "AccessDenied", "AllAccessDisabled", "AccountProblem", "AuthorizationFailure", "AuthorizationPermissionMismatch":
            .permission
        default:
            switch status {
            case 301, 307: .region
            case 401: .credentials
            case 403: .permission
            case 404: .bucket
            default: .other
            }
        }
    }
}

/// What to do about a failure.
struct CheckAdvice {
    let location: ArtifactLocation
    /// Whether a folder with secrets was given.
    let hasSecrets: Bool

    private var isS3: Bool { location.driverKind == .s3 }

    func unresolved(_ host: String) -> String {
        "look for a typing error in the endpoint '\(host)'; names that only a cluster knows (.svc) are not known here"
    }

    func unreachable(_ address: String, proxy: String?) -> String {
        if let proxy { return "see whether the proxy \(proxy) is right: it comes from HTTPS_PROXY, HTTP_PROXY and NO_PROXY" }
        return "see whether the store runs and listens at \(address), and whether a firewall or a proxy stands between"
    }

    func tls(_ text: String) -> String {
        if text.contains("wrong version number") || text.contains("packet length too long") || text.contains("record too") {
            return "the port speaks no TLS: set 'insecure: true', or use the port for TLS"
        }
        if text.contains("unknown authority") {
            return isS3
                ? "name the store's certificate authority: 'caSecret' with a PEM file, or SSL_CERT_FILE for the executor"
                : "add the store's certificate authority to the executor's: SSL_CERT_FILE or SSL_CERT_DIR"
        }
        if text.contains("expired or is not yet valid") { return "renew the store's certificate, or set this machine's clock" }
        if text.contains("not valid for") { return "use the name that stands in the certificate as the endpoint" }
        return "see whether the port speaks TLS 1.2 or later"
    }

    var plainOnSecurePort: String { "the port speaks TLS: remove 'insecure: true', or use the port without TLS" }

    var otherServer: String {
        "see whether the endpoint's host and port are those of the store's S3 API, not of its web pages or of another server"
    }

    var clock: String { "set the clock: stores refuse signatures that are more than 15 minutes off" }

    /// Of the credentials' own step.
    func credentials(_ error: any Error) -> String {
        // It says itself what to give.
        if error is MissingSecret { return "" }
        if error is SystemError || error is CredentialFailure {
            return hasSecrets
                ? "put a file NAME/KEY for each secret that the configuration names into the folder of --secrets"
                : "give the keys: --secrets DIR with NAME/KEY files, or \(environmentKeys)"
        }
        guard case .refused(_, let word) = (error as? ArtifactError)?.code else { return "compare the keys with the store's" }
        switch word {
        case "InvalidAccessKeyId": return "the store does not know this access key: compare accessKeySecret, and the endpoint"
        case "SignatureDoesNotMatch": return "the secret key does not belong to the access key: compare secretKeySecret"
        case "ExpiredToken", "InvalidToken", "TokenRefreshRequired":
            return "get a new session token: this one has expired or is another account's"
        default: return "compare the keys with the store's"
        }
    }

    /// What the environment may hold in the place of secrets.
    private var environmentKeys: String {
        switch location.driverKind {
        case .gcs: "GOOGLE_APPLICATION_CREDENTIALS with a service account key, or `gcloud auth application-default login`"
        default: "for S3 AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        }
    }

    func refusal(_ blame: CheckBlame, _ step: CheckStep.Name) -> String {
        switch blame {
        case .region: return "set 'region' to the bucket's own, or remove it so that it is looked up"
        case .bucket:
            if location.s3?.createBucketIfNotPresent != nil {
                return "it will be made by the first save (createBucketIfNotPresent); make it now to check the rest"
            }
            return "make the bucket, or correct its name"
        case .clock: return clock
        case .permission: return permission(step)
        case .credentials: return "compare the keys with the store's"
        case .unsupported, .other: return ""
        }
    }

    private func googleRight(_ step: CheckStep.Name) -> String {
        switch step {
        case .put: "storage.objects.create and storage.objects.delete (roles/storage.objectUser)"
        case .get: "storage.objects.get (roles/storage.objectViewer)"
        case .delete: "storage.objects.delete (roles/storage.objectUser)"
        default: "storage.objects.list (roles/storage.objectViewer)"
        }
    }

    private func permission(_ step: CheckStep.Name) -> String {
        let right: String? =
            switch step {
            case .put: "s3:PutObject"
            case .get: "s3:GetObject"
            case .list, .bucket: "s3:ListBucket"
            case .delete: "s3:DeleteObject"
            default: nil
            }
        let why: String =
            switch step {
            case .put: "outputs are saved with it"
            case .get: "inputs are loaded with it"
            case .list: "directories are loaded with it, and a missing artifact is told from a forbidden one"
            case .delete: "artifact garbage collection needs it"
            default: "everything needs it"
            }
        switch location.driverKind {
        case .s3: return "allow \(right ?? "the bucket") to these keys: \(why)"
        case .gcs: return "allow \(googleRight(step)) to this account: \(why)"
        default: return "allow it to these keys: \(why)"
        }
    }
}
