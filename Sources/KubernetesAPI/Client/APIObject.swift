import Documents
import HTTPTransport
import SystemSupport

/// What an answer that claims success holds. A proxy or a page to sign in may answer in the server's place: that nothing has
/// been stored is told by the body alone. The words are those of the Kubernetes client library, which decodes every answer.
enum APIObject {
    /// The object that was asked for.
    case expected(JSONValue)
    /// A `Status` that tells of a failure.
    case failure
    /// Anything else, with the cause.
    case other(String)

    static func isSuccess(_ status: Int) -> Bool { (200...206).contains(status) }

    /// - Parameter wanted: what must be there.
    init(_ answer: HTTPResponse, _ wanted: ExpectedAnswer) {
        let type = answer.headers["Content-Type"] ?? ""
        if answer.body.isEmpty {
            self = .other("0-length response with status code: \(answer.status) and content type: \(type)")
            return
        }
        let body: JSONValue
        do throws(JSONError) { body = try JSONValue(parsing: answer.body) } catch {
            self = .other("couldn't get version/kind; json parse error: \(Self.cause(error, answer.body))")
            return
        }
        guard body.object != nil else {
            self = .other("couldn't get version/kind; json parse error: a JSON \(body.kindName) is not an object")
            return
        }
        let told = body.field("kind")?.string ?? ""
        if told == wanted.kind || wanted.kind == nil {
            self = .expected(body)
        } else if told == "Status", body.field("status")?.string != "Success" {
            self = .failure
        } else if told == "Status", case .deletion = wanted {
            self = .expected(body)
        } else {
            self = .other(told.isEmpty ? "Object 'Kind' is missing" : "with the kind \(told) in place of \(wanted.kind ?? "")")
        }
    }

    private static func cause(_ error: JSONError, _ body: [UInt8]) -> String {
        let first = body.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } ?? 0x20
        let begins = (0x30...0x39).contains(first) || "{[\"-tfn".utf8.contains(first)
        if begins || !(0x21...0x7E).contains(first) { return error.reason }
        return "invalid character '\(Character(Unicode.Scalar(first)))' looking for beginning of value"
    }

    /// The beginning of a body, on one line: it helps to find out who has answered. Empty where it repeats what proves who we
    /// are.
    static func excerpt(_ answer: HTTPResponse, hiding secret: Secret?) -> String {
        let text = String(decoding: answer.body, as: UTF8.self)
        if secret?.occurs(in: text) == true { return "" }
        return String(decoding: answer.body.prefix(256), as: UTF8.self).split { $0.isWhitespace }.joined(separator: " ")
    }
}
