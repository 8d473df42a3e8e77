import Artifacts
import HTTPTransport
import SystemSupport
import WorkflowModel

/// Where a store is reached, and what its certificate must come from.
struct StoreAddress {
    let url: String
    /// Nil for the authorities of the system.
    let trust: TrustAnchors?

    /// Nil for stores that are not reached by HTTP.
    ///
    /// - Throws: `ArtifactError` for an address that makes no sense, `SystemError` where the authority's secret is not there.
    init?(_ location: ArtifactLocation, secrets: BytePath) throws {
        var authority: SecretKeySelector?
        switch location.driverKind {
        case .s3:
            guard let s3 = location.s3 else { return nil }
            let isSecure = !(s3.insecure ?? false)
            let style: S3Endpoint.Style =
                switch s3.addressingStyle {
                case .automatic: .automatic
                case .path: .path
                case .virtualHosted: .virtualHosted
                }
            let endpoint = try S3Endpoint(endpoint: s3.endpoint, bucket: s3.bucket, isSecure: isSecure, style: style)
            let region = s3.region.isEmpty ? endpoint.regionOfHost ?? "us-east-1" : s3.region
            url = "\(isSecure ? "https" : "http")://\(endpoint.authority(region: region))/"
            authority = isSecure ? s3.caSecret : nil
        case .gcs: url = "https://storage.googleapis.com/"
        case .azure: url = location.azure?.endpoint ?? ""
        case .oss:
            let endpoint = location.oss?.endpoint ?? ""
            url = endpoint.contains("://") ? endpoint : "https://\(endpoint)/"
        case .http: url = try HTTPURL(location.http?.url ?? "").origin + "/"
        case .artifactory: url = try HTTPURL(location.artifactory?.url ?? "").origin + "/"
        case .git, .hdfs, .plugin, .raw, nil: return nil
        }
        trust = try authority.flatMap { selector in
            guard selector.isNamed else { return nil }
            return .certificates(try SecretFiles(secrets).read(name: selector.name, key: selector.key).reveal())
        }
    }
}
