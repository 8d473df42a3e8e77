import Foundation
import RequestSigning
import Synchronization
import SystemSupport
import TestSupport

@testable import Artifacts
@testable import S3Artifacts

/// Answers as AWS's services do: instance metadata, container credentials, the Security Token Service. The wire is that of their
/// documentation.
final class AWSStandIn: Sendable {
    struct Answer: Sendable {
        var status = 200
        var headers: [String] = []
        var body = ""
    }

    /// Given a request, its number from 1 on among all; nil leaves it without an answer until the client goes.
    typealias Script = @Sendable (ScriptedServer.SeenRequest, Int) -> Answer?

    private let server: ScriptedServer

    init(_ script: @escaping Script) throws {
        let count = Mutex(0)
        server = try ScriptedServer { conversation in
            while let request = conversation.readRequest() {
                let number = count.withLock {
                    $0 += 1
                    return $0
                }
                guard let answer = script(request, number) else { return conversation.waitForClose() }
                // The answer to HEAD tells of a body and has none.
                let isHead = request.line.hasPrefix("HEAD ")
                let fields = ["Content-Length: \(answer.body.utf8.count)"] + answer.headers
                conversation.send(
                    "HTTP/1.1 \(answer.status) Told\r\n\(fields.joined(separator: "\r\n"))\r\n\r\n"
                        + (isHead ? "" : answer.body))
            }
        }
    }

    deinit { server.stop() }

    var url: String { server.url }
    /// `host:port`.
    var endpoint: String { "127.0.0.1:\(server.port)" }
    var requests: [ScriptedServer.SeenRequest] { server.requests }
    /// Method and target of each request.
    var lines: [String] { requests.map { $0.line.replacingOccurrences(of: " HTTP/1.1", with: "") } }
    /// The form parameters of each request.
    var forms: [[String: String]] { requests.map { Self.form($0.body) } }

    static func form(_ body: [UInt8]) -> [String: String] {
        var parameters: [String: String] = [:]
        for pair in String(decoding: body, as: UTF8.self).split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            parameters[sides[0]] = sides.count > 1 ? sides[1].removingPercentEncoding : ""
        }
        return parameters
    }

    /// Keys as the metadata services give them, expiring in 6 hours.
    static func keys(_ name: String, code: String? = nil, lifetime: Int64 = 21600) -> String {
        let expiry = Timestamp(seconds: Timestamp.now.seconds + lifetime).rfc3339()
        let first =
            code.map { "\"Code\": \"\($0)\", \"LastUpdated\": \"2026-01-01T00:00:00Z\", \"Type\": \"AWS-HMAC\", " } ?? ""
        return
            "{\(first)\"AccessKeyId\": \"AK-\(name)\", \"SecretAccessKey\": \"SK-\(name)\", \"Token\": \"ST-\(name)\", \"Expiration\": \"\(expiry)\"}"
    }

    /// What the Security Token Service answers.
    static func role(_ action: String, _ name: String, lifetime: Int64 = 3600) -> Answer {
        let expiry = Timestamp(seconds: Timestamp.now.seconds + lifetime).rfc3339()
        return Answer(
            headers: ["Content-Type: text/xml"],
            body: """
                <\(action)Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
                  <\(action)Result>
                    <AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/r/s</Arn><AssumedRoleId>R:s</AssumedRoleId></AssumedRoleUser>
                    <Credentials>
                      <AccessKeyId>AK-\(name)</AccessKeyId><SecretAccessKey>SK-\(name)</SecretAccessKey>
                      <SessionToken>ST-\(name)</SessionToken><Expiration>\(expiry)</Expiration>
                    </Credentials>
                  </\(action)Result>
                  <ResponseMetadata><RequestId>id</RequestId></ResponseMetadata>
                </\(action)Response>
                """)
    }

    static func failure(_ status: Int, _ code: String, _ message: String = "no") -> Answer {
        Answer(
            status: status, headers: ["Content-Type: text/xml"],
            body: """
                <ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
                  <Error><Type>Sender</Type><Code>\(code)</Code><Message>\(message)</Message></Error><RequestId>id</RequestId>
                </ErrorResponse>
                """)
    }

    /// S3's own kind of error.
    static func refusal(_ status: Int, _ code: String, _ more: String = "") -> Answer {
        Answer(status: status, body: "<Error><Code>\(code)</Code><Message>told</Message>\(more)</Error>")
    }
}

extension ScriptedServer.SeenRequest {
    var method: String { String(line.prefix { $0 != " " }) }
    /// Path and query.
    var target: String { String(line.split(separator: " ")[1]) }
    /// The access key that signed it.
    var accessKey: String? { scope?.first }
    /// The region that it is signed for.
    var region: String? { scope.flatMap { $0.count > 2 ? $0[2] : nil } }

    private var scope: [String]? {
        header("Authorization")?.components(separatedBy: "Credential=").last?.prefix { $0 != "," }.split(separator: "/")
            .map(String.init)
    }
}

/// Access key, secret key and session token, for comparison.
func names(_ issued: IssuedCredential<SigV4.Credential>?) -> [String?] {
    [issued?.credential.accessKey, issued?.credential.secretKey.revealText(), issued?.credential.sessionToken?.revealText()]
}

/// The text of the error that is thrown.
func failureText(_ body: () throws -> Any?) -> String {
    do { return "no error: \(String(describing: try body()))" } catch { return errorText(error) }
}
