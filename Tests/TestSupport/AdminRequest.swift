internal import Foundation
internal import FoundationNetworking

/// A request to a server's plain HTTP door for tests.
enum AdminRequest {
    /// The answer's body.
    ///
    /// - Throws: `UnexpectedStatus` for an answer outside 200 to 299; Foundation's error where there is none.
    static func send(_ method: String, _ url: URL, body: Data? = nil, type: String = "application/octet-stream") async throws
        -> Data
    {
        var request = URLRequest(url: url)
        request.httpMethod = method
        request.httpBody = body
        if body != nil { request.setValue(type, forHTTPHeaderField: "Content-Type") }
        let (data, response) = try await URLSession.shared.data(for: request)
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        guard (200..<300).contains(status) else {
            throw UnexpectedStatus(status: status, text: "\(method) \(url): \(status) \(String(decoding: data, as: UTF8.self))")
        }
        return data
    }
}

/// An answer that tells of a failure.
package struct UnexpectedStatus: Error, CustomStringConvertible {
    package let status: Int
    let text: String
    package var description: String { text }
}
