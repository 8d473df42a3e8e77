package import SystemSupport

/// Why there is no credential. Never says `isNotFound`: a lost token file must not make an optional artifact count as absent.
package struct CredentialFailure: ClassifiedError, Sendable {
    package let message: String
    package let isTransient: Bool

    private init(_ message: String, isTransient: Bool = false) {
        self.message = message
        self.isTransient = isTransient
    }

    /// A source is configured in a way that cannot work, or what it gave is no credential.
    package static func invalid(_ cause: String) -> Self { .init(cause) }

    /// A source failed in a way that may go away.
    package static func transient(_ cause: String) -> Self { .init(cause, isTransient: true) }

    /// A source refused.
    ///
    /// - Parameters:
    ///   - word: its own code word, e.g. `AccessDenied`; may be empty.
    ///   - text: its sentence; may be empty.
    ///   - secrets: what was sent: a word or sentence that repeats one of them is left out.
    package static func refused(
        _ operation: String, status: Int, word: String = "", text: String = "", hiding secrets: [Secret] = [],
        isTransient: Bool
    ) -> Self {
        let safe = [word, text].map { text in secrets.contains { $0.occurs(in: text) } ? "" : text }
        let cause = [String(status), safe[0]].filter { !$0.isEmpty }.joined(separator: " ")
        let sentence = safe[1].split { $0.isWhitespace }.joined(separator: " ")
        return .init("\(operation): \(cause)" + (sentence.isEmpty ? "" : ": \(sentence)"), isTransient: isTransient)
    }

    /// A cause with the source's name before it.
    package static func inSource(_ name: String, _ cause: any Error) -> Self {
        .init("\(name): \(errorText(cause))", isTransient: (cause as? any ClassifiedError)?.isTransient ?? false)
    }

    /// All of the sources were asked, and none is configured.
    package static func noneConfigured(_ names: String) -> Self { .init("no source is configured; asked were \(names)") }

    /// The same with the operation put before it.
    func getting(for subject: String) -> Self {
        .init("get credentials for \(subject): \(message)", isTransient: isTransient)
    }
}
