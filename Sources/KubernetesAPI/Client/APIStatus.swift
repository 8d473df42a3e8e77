import Documents
import HTTPTransport
import SystemSupport

/// What a refusing answer of the API server says: its `Status` object, or what the status code alone tells.
struct APIStatus {
    /// The answer's own, or what a `Status` in a success tells.
    private(set) var code: Int
    let reason: String
    let message: String

    /// - Parameter secret: what was sent to prove who we are: an answer that repeats it is not shown.
    init(_ answer: HTTPResponse, _ call: APICall, hiding secret: Secret?) {
        code = answer.status
        if secret?.occurs(in: String(decoding: answer.body, as: UTF8.self)) == true {
            reason = Self.reason(code, isPost: call.method == "POST")
            message = "\(call.text): the server answered \(code)"
            return
        }
        if let body = try? JSONValue(parsing: answer.body), body.field("kind")?.string == "Status" {
            if APIObject.isSuccess(code), let told = body["code"]?.int { code = Int(clamping: told) }
            reason = body["reason"]?.string ?? ""
            message = body["message"]?.string ?? "\(call.text): the server answered \(code)"
            return
        }
        reason = Self.reason(code, isPost: call.method == "POST")
        // Something between us and the server may have answered: a line of its text helps to find out who.
        let excerpt = String(decoding: answer.body.prefix(256), as: UTF8.self)
        message = "\(call.text): the server answered \(code)" + (excerpt.isEmpty ? "" : ": \(excerpt)")
    }

    /// - Parameter status: a `Status` that came by itself, as in a watch.
    init(_ status: JSONValue) {
        code = Int(clamping: status["code"]?.int ?? 0)
        reason = status["reason"]?.string ?? Self.reason(code, isPost: false)
        message = status["message"]?.string ?? "the server tells of a failure without words"
    }

    /// The reason that stands for a status (contract 02 §12).
    private static func reason(_ code: Int, isPost: Bool) -> String {
        switch code {
        case 400: "BadRequest"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "NotFound"
        case 409: isPost ? "AlreadyExists" : "Conflict"
        case 429: "TooManyRequests"
        case 503: "ServiceUnavailable"
        case 504: "Timeout"
        case 500...: "InternalError"
        default: ""
        }
    }

    /// Contract 02 §12, the classes that are told by status and reason.
    var isTransient: Bool {
        switch reason {
        case "TooManyRequests", "ServerTimeout", "Timeout", "ServiceUnavailable": true
        case "Forbidden": message.contains("exceeded quota")
        case "Conflict": message.contains("Operation cannot be fulfilled on resourcequota")
        case "InternalError": message.contains("resource quota evaluation timed out")
        default: code == 429
        }
    }

    /// A role is missing: not a quota that is used up, nor an admission rule.
    var isMissingPermission: Bool { code == 403 && message.contains(" cannot ") }
}
