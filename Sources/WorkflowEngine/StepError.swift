import SystemSupport

/// Why a node cannot go on although the workflow passed the checks; it becomes the node's message.
struct StepError: ClassifiedError, Equatable {
    let message: String

    static func text(_ message: String) -> Self { .init(message: message) }

    /// A limit against templates that call each other by names made of tags.
    static let tooDeep = Self(message: "maximum recursion depth exceeded")
}
