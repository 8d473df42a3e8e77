package import Documents

/// Where an artifact is kept: one store and a key in it (contract 03 §5). Either may be incomplete.
package struct ArtifactLocation: Sendable, Equatable {
    /// The location's own fields as they are reported: unknown fields inside them kept, those that the API server requires added.
    package let document: JSONObject
    /// Whether the step's logs are kept in this location; only meaningful in a template's archive location.
    package let archiveLogs: Bool?
    private let stores: Stores?

    package var artifactory: ArtifactoryLocation? { stores?.artifactory }
    package var azure: AzureLocation? { stores?.azure }
    package var git: GitLocation? { stores?.git }
    package var gcs: GCSLocation? { stores?.gcs }
    package var hdfs: HDFSLocation? { stores?.hdfs }
    package var http: HTTPLocation? { stores?.http }
    package var oss: OSSLocation? { stores?.oss }
    package var raw: RawLocation? { stores?.raw }
    package var s3: S3Location? { stores?.s3 }
    package var plugin: PluginLocation? { stores?.plugin }

    /// Takes the location's fields from an object, which may have others.
    ///
    /// - Throws: `ModelError` where a field is of the wrong kind.
    package init(document: JSONValue) throws(ModelError) { try self.init(try Fields(document, "location")) }

    /// A location of no type.
    package static let empty = ArtifactLocation()

    private init() {
        document = JSONObject()
        archiveLogs = nil
        stores = nil
    }

    init(_ fields: Fields) throws(ModelError) {
        document = LocationForm.normalized(fields.object)
        archiveLogs = try fields.optionalFlag("archiveLogs")
        stores = try Stores(fields)
    }

    /// The type that counts for the key and for completeness; nil where there is none.
    package var kind: LocationKind? { LocationKind.resolutionOrder.first { document[$0.rawValue] != nil } }

    /// The type that chooses the driver; differs from `kind` only where several types are present.
    package var driverKind: LocationKind? { LocationKind.constructionOrder.first { document[$0.rawValue] != nil } }

    /// Whether it is complete: everything needed to find the artifact is here.
    package var hasLocation: Bool {
        switch kind {
        case .artifactory: artifactory.map { !$0.url.isEmpty && $0.usernameSecret != nil } ?? false
        case .azure: azure.map { !$0.endpoint.isEmpty && !$0.container.isEmpty && !$0.blob.isEmpty } ?? false
        case .git: git.map { !$0.repo.isEmpty } ?? false
        case .gcs: gcs.map { !$0.bucket.isEmpty && !$0.key.isEmpty } ?? false
        case .hdfs: hdfs.map { !$0.addresses.isEmpty } ?? false
        case .http: http.map { !$0.url.isEmpty } ?? false
        case .oss: oss.map { !$0.bucket.isEmpty && !$0.endpoint.isEmpty && !$0.key.isEmpty } ?? false
        case .raw: true
        case .s3: s3.map { !$0.endpoint.isEmpty && !$0.bucket.isEmpty && !$0.key.isEmpty } ?? false
        case .plugin: plugin.map { !$0.name.isEmpty && !$0.configuration.isEmpty && !$0.key.isEmpty } ?? false
        case nil: false
        }
    }

    /// Whether there is a readable key that is not empty.
    package var hasKey: Bool { (try? key()).map { !$0.isEmpty } ?? false }

    package var hasLocationOrKey: Bool { hasLocation || hasKey }

    /// The key; for HTTP and Artifactory the path of the URL, decoded, with its leading slash. May be empty.
    ///
    /// - Throws: `ModelError` for git and raw, which have none, and where there is no location at all.
    package func key() throws(ModelError) -> String {
        switch kind {
        case .s3: return s3?.key ?? ""
        case .gcs: return gcs?.key ?? ""
        case .azure: return azure?.blob ?? ""
        case .oss: return oss?.key ?? ""
        case .hdfs: return hdfs?.path ?? ""
        case .plugin: return plugin?.key ?? ""
        case .http: return try URLPath.of(http?.url ?? "")
        case .artifactory: return try URLPath.of(artifactory?.url ?? "")
        case .git, .raw, nil: throw .noKey("get", kind)
        }
    }

    /// The same location with another key; for HTTP and Artifactory the URL's whole path is replaced.
    ///
    /// - Throws: `ModelError` for git and raw, which have no key, and where there is no location at all.
    package func settingKey(_ key: String) throws(ModelError) -> ArtifactLocation {
        guard let kind, var store = document[kind.rawValue]?.object else { throw .noKey("set", kind) }
        if let field = kind.keyField {
            store.setField(field, to: .string(key))
        } else if let url = http?.url ?? artifactory?.url, kind == .http || kind == .artifactory {
            store.setField("url", to: .string(try URLPath.replacing(in: url, by: key)))
        } else {
            throw .noKey("set", kind)
        }
        var changed = document
        changed[kind.rawValue] = .object(store)
        return try ArtifactLocation(document: .object(changed))
    }
}

/// The fields of each type, behind a reference: a location is a part of much that is copied, and all of these by value would make
/// the code of every such copy tens of kilobytes long.
private final class Stores: Sendable, Equatable {
    let artifactory: ArtifactoryLocation?
    let azure: AzureLocation?
    let git: GitLocation?
    let gcs: GCSLocation?
    let hdfs: HDFSLocation?
    let http: HTTPLocation?
    let oss: OSSLocation?
    let raw: RawLocation?
    let s3: S3Location?
    let plugin: PluginLocation?

    init(_ fields: Fields) throws(ModelError) {
        artifactory = try fields.object("artifactory") { (fields) throws(ModelError) in try ArtifactoryLocation(fields) }
        azure = try fields.object("azure") { (fields) throws(ModelError) in try AzureLocation(fields) }
        git = try fields.object("git") { (fields) throws(ModelError) in try GitLocation(fields) }
        gcs = try fields.object("gcs") { (fields) throws(ModelError) in try GCSLocation(fields) }
        hdfs = try fields.object("hdfs") { (fields) throws(ModelError) in try HDFSLocation(fields) }
        http = try fields.object("http") { (fields) throws(ModelError) in try HTTPLocation(fields) }
        oss = try fields.object("oss") { (fields) throws(ModelError) in try OSSLocation(fields) }
        raw = try fields.object("raw") { (fields) throws(ModelError) in try RawLocation(fields) }
        s3 = try fields.object("s3") { (fields) throws(ModelError) in try S3Location(fields) }
        plugin = try fields.object("plugin") { (fields) throws(ModelError) in try PluginLocation(fields) }
    }

    static func == (left: Stores, right: Stores) -> Bool {
        left === right
            || left.artifactory == right.artifactory && left.azure == right.azure && left.git == right.git
                && left.gcs == right.gcs && left.hdfs == right.hdfs && left.http == right.http && left.oss == right.oss
                && left.raw == right.raw && left.s3 == right.s3 && left.plugin == right.plugin
    }
}
