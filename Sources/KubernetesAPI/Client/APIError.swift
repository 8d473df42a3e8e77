import Documents
import HTTPTransport
import SystemSupport

/// An API request that failed: the server's refusal, or a transfer without an answer.
package struct APIError: ClassifiedError, Sendable {
    /// HTTP status; 0 where there was no answer.
    package let status: Int
    /// The server's word for the kind of failure, e.g. `Forbidden`; empty for none.
    package let reason: String
    package let message: String
    package let isTransient: Bool
    /// Never: that a resource is missing is no missing artifact. `status` tells of 404.
    package var isNotFound: Bool { false }

    private init(status: Int, reason: String, message: String, isTransient: Bool) {
        self.status = status
        self.reason = reason
        self.message = message
        self.isTransient = isTransient
    }

    /// A transfer without an answer.
    ///
    /// - Parameter isTransientText: the user's own pattern.
    static func transfer(_ error: TransferError, isTransientText: (String) -> Bool) -> Self {
        let text = error.message
        return .init(
            status: 0, reason: error.code == .aborted ? cancelledReason : "", message: text,
            isTransient: error.isTransient || error.code != .aborted && (TransientTexts.match(text) || isTransientText(text)))
    }

    /// An answer whose status is that of a success, and whose body is not what was asked for.
    static func misanswered(
        _ answer: HTTPResponse, _ cause: String, of call: APICall, with credential: ClusterCredential,
        isTransientText: (String) -> Bool
    ) -> Self {
        let excerpt = APIObject.excerpt(answer, hiding: credential.proof)
        let said = excerpt.isEmpty ? "" : "; the answer begins with: \(excerpt)"
        let text = "\(call.text): the server answered \(answer.status), but \(cause)\(said)"
        return .init(status: answer.status, reason: "", message: text, isTransient: isTransientText(text))
    }

    /// What cannot be asked for.
    static func invalid(_ message: String) -> Self {
        .init(status: 0, reason: "BadRequest", message: message, isTransient: false)
    }

    /// An event of a watch that tells of a failure instead of a change.
    ///
    /// - Parameter status: its `Status`.
    static func event(_ status: JSONValue, isTransientText: (String) -> Bool) -> Self {
        let status = APIStatus(status)
        return refusal(status, "", isTransientText: isTransientText)
    }

    private static let cancelledReason = "ClientCancelled"

    /// Whether our own side has called the request off.
    package var isCancelled: Bool { status == 0 && reason == Self.cancelledReason }

    /// Whether what was asked to go on from is no longer kept: a list, or a watch, must begin anew.
    package var isExpired: Bool { status == 410 || reason == "Expired" || reason == "Gone" }

    /// Whether the object has changed meanwhile; the same status says of a new one that it exists already.
    /// The server's cache has not come to where its storage is; told by the text, as Kubernetes' own clients do for old servers.
    var isServerBehind: Bool { reason == "Timeout" && message.contains("Too large resource version") }
    var isConflict: Bool { status == 409 && reason == "Conflict" }

    /// A refusal of a request that was made with a credential.
    static func refusal(
        _ answer: HTTPResponse, of call: APICall, with credential: ClusterCredential, isTransientText: (String) -> Bool
    ) -> Self {
        let status = APIStatus(answer, call, hiding: credential.proof)
        return refusal(
            status, status.isMissingPermission ? "; \(call.missingRule)" : "", isTransientText: isTransientText)
    }

    private static func refusal(_ status: APIStatus, _ advice: String, isTransientText: (String) -> Bool) -> Self {
        let text = status.message.split(whereSeparator: \.isNewline).joined(separator: " ")
        return .init(
            status: status.code, reason: status.reason, message: text + advice,
            isTransient: status.isTransient || TransientTexts.match(text) || isTransientText(text))
    }
}
