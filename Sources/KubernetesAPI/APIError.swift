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
            status: 0, reason: "", message: text,
            isTransient: error.isTransient || error.code != .aborted && (TransientTexts.match(text) || isTransientText(text)))
    }

    /// What is wrong with an answer whose status is that of a success; nil where it holds the object that it must.
    static func inSuccess(
        _ answer: HTTPResponse, of call: APICall, with credential: ClusterCredential, isTransientText: (String) -> Bool
    ) -> Self? {
        switch APIObject(answer, call.kind) {
        case .expected: return nil
        case .failure: return refusal(answer, of: call, with: credential, isTransientText: isTransientText)
        case .other(let cause):
            let excerpt = APIObject.excerpt(answer, hiding: credential.proof)
            let said = excerpt.isEmpty ? "" : "; the answer begins with: \(excerpt)"
            let text = "\(call.text): the server answered \(answer.status), but \(cause)\(said)"
            return .init(status: answer.status, reason: "", message: text, isTransient: isTransientText(text))
        }
    }

    /// A refusal of a request that was made with a credential.
    static func refusal(
        _ answer: HTTPResponse, of call: APICall, with credential: ClusterCredential, isTransientText: (String) -> Bool
    ) -> Self {
        let status = APIStatus(answer, call, hiding: credential.proof)
        let text = status.message.split(whereSeparator: \.isNewline).joined(separator: " ")
        return .init(
            status: status.code, reason: status.reason,
            message: text + (status.isMissingPermission ? "; \(call.missingRule)" : ""),
            isTransient: status.isTransient || TransientTexts.match(text) || isTransientText(text))
    }
}
