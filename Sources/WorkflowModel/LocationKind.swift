/// The types of artifact locations, each by its name in the specification.
package enum LocationKind: String, Sendable, CaseIterable {
    case artifactory, azure, git, gcs, hdfs, http, oss, raw, s3, plugin

    /// The first of these that is present is the location's type, for its key and its completeness (contract 03 §5).
    static let resolutionOrder: [LocationKind] = [.artifactory, .azure, .git, .gcs, .hdfs, .http, .oss, .raw, .s3, .plugin]

    /// The first of these that is present chooses the driver (contract 03 §5).
    static let constructionOrder: [LocationKind] = [.s3, .http, .git, .artifactory, .hdfs, .raw, .oss, .gcs, .azure, .plugin]

    /// The field that holds the key as it is; nil where the key is part of a URL or does not exist.
    var keyField: String? {
        switch self {
        case .s3, .gcs, .oss, .plugin: "key"
        case .azure: "blob"
        case .hdfs: "path"
        case .http, .artifactory, .git, .raw: nil
        }
    }

    /// The text fields that are written even when empty, since the API server requires them (contract 04 §3.5, §4).
    var requiredFields: [String] {
        switch self {
        case .artifactory, .http: ["url"]
        case .azure: ["endpoint", "container", "blob"]
        case .gcs, .oss, .plugin: ["key"]
        case .git: ["repo"]
        case .hdfs: ["path"]
        case .raw: ["data"]
        case .s3: []
        }
    }
}
