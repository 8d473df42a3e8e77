package import Documents
import HTTPTransport
import SystemSupport
import WorkflowModel

/// Says whether a condition, an expression of the expr language, holds for the variables of an object.
///
/// What it throws is the message of the node whose condition it is.
package typealias ConditionEvaluator = @Sendable (_ condition: String, _ variables: JSONValue) throws -> Bool

/// The variables of a success condition: `request` and `response` (contract 02 §13).
struct ConditionScope {
    let template: HTTPTemplate
    let requestBody: [UInt8]
    /// Its status and headers.
    let response: HTTPResponse
    /// Its body.
    let answer: String

    /// - Parameter condition: what is not named in it may be left out where that saves memory.
    func variables(for condition: String) -> JSONValue {
        var sent = JSONObject()
        // A secret's value is not for a condition to see.
        for header in template.headers where !header.hasSource { sent[header.name] = [.string(header.value)] }
        var request: JSONObject = [
            "method": .string(template.method), "url": .string(template.url), "body": .string(template.body),
            "headers": .object(sent),
        ]
        if condition.utf8.count >= 9, contains(condition, "bodyBytes") {
            // Those of `bodyFrom` alone.
            let bytes = template.bodyBase64 == nil ? [] : requestBody
            request["bodyBytes"] = .array(bytes.map { .integer(Int($0)) })
        }
        return [
            "request": .object(request),
            "response": [
                "statusCode": .integer(response.status), "body": .string(answer),
                "headers": .object(Self.received(response.headers)),
            ],
        ]
    }

    private func contains(_ text: String, _ part: String) -> Bool { text.firstRange(of: part) != nil }

    /// Lists of values by canonical name.
    private static func received(_ headers: HTTPHeaders) -> JSONObject {
        var lists = JSONObject()
        for field in headers.fields {
            let name = canonical(field.name)
            // How the body came is not for the taker of the body.
            if name == "Transfer-Encoding" || name == "Trailer" { continue }
            lists[name] = .array((lists[name]?.array ?? []) + [.string(field.value)])
        }
        return lists
    }

    /// `content-type` as `Content-Type`; a name that is no token stays as it is (Go: textproto.CanonicalMIMEHeaderKey).
    static func canonical(_ name: String) -> String {
        var startsWord = true
        var bytes: [UInt8] = []
        for byte in name.utf8 {
            switch byte {
            case 0x61...0x7A: bytes.append(startsWord ? byte - 0x20 : byte)
            case 0x41...0x5A: bytes.append(startsWord ? byte : byte + 0x20)
            case 0x30...0x39: bytes.append(byte)
            default:
                guard "!#$%&'*+-.^_`|~".utf8.contains(byte) else { return name }
                bytes.append(byte)
            }
            startsWord = byte == UInt8(ascii: "-")
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
