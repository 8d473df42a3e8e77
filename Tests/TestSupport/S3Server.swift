internal import Foundation

/// A running S3 server, with what a test needs to prepare and inspect it.
package struct S3Server: Sendable {
    /// `host:port`, spoken to in plain HTTP unless there is an `authority`.
    package let endpoint: String
    package let accessKey: String
    package let secretKey: String
    /// PEM of the only authority that vouches for it; nil for plain HTTP.
    package let authority: String?
    private let admin: URL

    /// The shared server of a kind; `seaweedFS` runs everywhere.
    package static func shared(_ kind: ServerKind = .seaweedFS) async throws -> S3Server {
        let server = try await ServerPool.shared.server(kind)
        guard let accessKey = server.accessKey, let secretKey = server.secretKey, let admin = URL(string: server.admin) else {
            throw ServerUnavailable(description: "\(kind.rawValue) is no S3 server")
        }
        let authority = try server.authority.map { try String(contentsOfFile: $0, encoding: .utf8) }
        return S3Server(
            endpoint: server.endpoint, accessKey: accessKey, secretKey: secretKey, authority: authority, admin: admin)
    }

    /// The same server reached by another address, e.g. through a relay.
    package func reached(at endpoint: String) -> S3Server {
        S3Server(endpoint: endpoint, accessKey: accessKey, secretKey: secretKey, authority: authority, admin: admin)
    }

    /// Makes a bucket with a name of its own.
    package func makeBucket() async throws -> String {
        let name = "test-\(UUID().uuidString.lowercased())"
        try await request("PUT", [name], body: nil)
        return name
    }

    /// Stores an object.
    package func put(_ bytes: [UInt8], bucket: String, key: String) async throws {
        try await request("PUT", [bucket, key], body: Data(bytes))
    }

    /// An object's bytes; nil where there is none.
    package func get(bucket: String, key: String) async throws -> [UInt8]? {
        do { return [UInt8](try await request("GET", [bucket, key], body: nil)) } catch let error as UnexpectedStatus
            where error.status == 404
        {
            return nil
        }
    }

    /// The keys of a bucket, sorted.
    package func keys(bucket: String, prefix: String = "") async throws -> [String] {
        let body = try await request("GET", [bucket], body: nil, query: "list-type=2&prefix=\(prefix)")
        let text = String(decoding: body, as: UTF8.self)
        return text.split(separator: "<Key>").dropFirst().compactMap { $0.split(separator: "</Key>").first.map(String.init) }
            .sorted()
    }

    /// What it tells of an object, as headers in lower case; nil where there is none.
    package func head(bucket: String, key: String) async throws -> [String: String]? {
        do { return try await AdminRequest.headers("HEAD", admin.appending(path: bucket).appending(path: key)) } catch let error
            as UnexpectedStatus where error.status == 404
        {
            return nil
        }
    }

    /// An answer about a bucket, e.g. to the query `encryption`.
    package func ask(bucket: String, _ query: String) async throws -> String {
        String(decoding: try await request("GET", [bucket], body: nil, query: query), as: UTF8.self)
    }

    /// Keeps every object of a bucket with object locking for some days from its save on.
    package func setRetention(bucket: String, days: Int) async throws {
        let rule =
            "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>\(days)</Days></DefaultRetention></Rule></ObjectLockConfiguration>"
        try await request("PUT", [bucket], body: Data(rule.utf8), query: "object-lock=")
    }

    @discardableResult
    private func request(_ method: String, _ path: [String], body: Data?, query: String? = nil) async throws -> Data {
        let url = path.reduce(admin) { $0.appending(path: $1) }
        return try await AdminRequest.send(method, query.map { URL(string: "\(url.absoluteString)?\($0)")! } ?? url, body: body)
    }
}
