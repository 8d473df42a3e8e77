import SystemSupport

/// Why a node cannot go on although the workflow passed the checks; it becomes the node's message.
package struct StepError: ClassifiedError, Equatable {
    package let message: String

    /// What becomes of the steps around it.
    package enum Kind: Sendable {
        case general
        /// Too many templates have called each other; the node alone has failed.
        case depth
        /// Its time was over before it began.
        case timeout
    }

    package var kind = Kind.general

    package static func text(_ message: String) -> Self { .init(message: message) }

    /// A limit against templates that call each other by names made of tags.
    package static let tooDeep = Self(message: "maximum recursion depth exceeded", kind: .depth)
}
