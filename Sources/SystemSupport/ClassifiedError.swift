/// What every error of ours can say about itself, whatever its layer.
///
/// The message says operation, subject, cause, in that order, on one line. It becomes the termination message and part of the
/// node's message, on which the controller applies text tests (contract 02 §12).
package protocol ClassifiedError: Error, CustomStringConvertible {
    /// One line: operation, subject, cause.
    var message: String { get }
    /// Whether the thing asked for does not exist; only this makes `optional` effective (contract 03).
    var isNotFound: Bool { get }
    /// Whether a retry may help.
    var isTransient: Bool { get }
}

extension ClassifiedError {
    package var description: String { message }
    package var isNotFound: Bool { false }
    package var isTransient: Bool { false }
}

/// An error of the executor's own logic, or one with context put before a cause.
package struct ExecutorError: ClassifiedError, Sendable {
    package let message: String
    package let isNotFound: Bool
    package let isTransient: Bool

    private init(message: String, isNotFound: Bool, isTransient: Bool) {
        self.message = message
        self.isNotFound = isNotFound
        self.isTransient = isTransient
    }

    /// Something required is absent.
    package static func notFound(_ message: String) -> Self { .init(message: message, isNotFound: true, isTransient: false) }

    /// The input is wrong: a retry cannot help.
    package static func badRequest(_ message: String) -> Self { .init(message: message, isNotFound: false, isTransient: false) }

    /// Something went wrong that may go away.
    package static func transient(_ message: String) -> Self { .init(message: message, isNotFound: false, isTransient: true) }

    /// Something went wrong that will not go away.
    package static func failed(_ message: String) -> Self { .init(message: message, isNotFound: false, isTransient: false) }

    /// `context` put before the cause's own text; the cause's classification is kept.
    package static func wrapping(_ context: String, _ cause: any Error) -> Self {
        let classified = cause as? any ClassifiedError
        return .init(
            message: "\(context): \(errorText(cause))", isNotFound: classified?.isNotFound ?? false,
            isTransient: classified?.isTransient ?? false)
    }
}

/// The one-line text of any error.
package func errorText(_ error: any Error) -> String {
    (error as? any ClassifiedError)?.message ?? String(describing: error)
}
