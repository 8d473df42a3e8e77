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
        return try await answer(request).data
    }

    /// The answer's headers, their names in lower case.
    static func headers(_ method: String, _ url: URL) async throws -> [String: String] {
        var request = URLRequest(url: url)
        request.httpMethod = method
        let fields = try await answer(request).response.allHeaderFields
        return Dictionary(
            fields.map { ("\($0.key)".lowercased(), "\($0.value)") }, uniquingKeysWith: { first, _ in first })
    }

    private static func answer(_ request: URLRequest) async throws -> (data: Data, response: HTTPURLResponse) {
        let (data, response) = try await URLSession.shared.data(for: request)
        guard let response = response as? HTTPURLResponse, (200..<300).contains(response.statusCode) else {
            let status = (response as? HTTPURLResponse)?.statusCode ?? 0
            let text = "\(request.httpMethod ?? "") \(request.url!): \(status) \(String(decoding: data, as: UTF8.self))"
            throw UnexpectedStatus(status: status, text: text)
        }
        return (data, response)
    }
}

/// An answer that tells of a failure.
package struct UnexpectedStatus: Error, CustomStringConvertible {
    package let status: Int
    let text: String
    package var description: String { text }
}
