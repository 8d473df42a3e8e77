import Foundation
import HTTPTransport
import TestSupport

/// The shared fake-gcs-server, with a token endpoint that verifies assertions.
struct GCSServer: Sendable {
    /// `host:port`, plain HTTP.
    let endpoint: String
    /// A service account key that the token endpoint takes, as JSON.
    let account: String
    /// The same account with a private key that is not its own.
    let wrongAccount: String
    private let admin: String

    struct Refused: Error {
        let status: Int
    }

    static func shared() async throws -> GCSServer {
        let server = try await ServerPool.shared.server(.fakeGCS)
        return GCSServer(
            endpoint: server.endpoint, account: server.details?["account"] ?? "",
            wrongAccount: server.details?["wrongAccount"] ?? "", admin: server.admin)
    }

    /// Makes a bucket with a name of its own.
    func makeBucket() throws -> String {
        let name = "test-\(UUID().uuidString.lowercased())"
        try post("/storage/v1/b?project=p", Array(#"{"name":"\#(name)"}"#.utf8), type: "application/json")
        return name
    }

    /// Stores an object gzipped, as its metadata then tell.
    func putGzipped(_ bytes: [UInt8], bucket: String, key: String) throws {
        let metadata = #"{"name":"\#(key)","contentEncoding":"gzip","contentType":"text/plain"}"#
        let head = "--x\r\nContent-Type: application/json\r\n\r\n\(metadata)\r\n--x\r\nContent-Type: text/plain\r\n\r\n"
        try post(
            "/upload/storage/v1/b/\(bucket)/o?uploadType=multipart", Array(head.utf8) + bytes + Array("\r\n--x--\r\n".utf8),
            type: "multipart/related; boundary=x")
    }

    private func post(_ target: String, _ body: [UInt8], type: String) throws {
        var request = HTTPRequest("POST", admin + target)
        request.headers = ["Content-Type": type]
        let client = HTTPClient(configuration: HTTPClientConfiguration(trust: .system(file: nil)))
        let response = try client.perform(request, body: .bytes(body), bodyLimit: 1 << 20)
        guard response.status == 200 else { throw Refused(status: response.status) }
    }
}
