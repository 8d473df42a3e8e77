package import SystemSupport

/// What goes wrong between us and a store.
package struct ArtifactError: ClassifiedError, Sendable {
    package enum Code: Sendable, Equatable {
        /// There is nothing at the location.
        case notFound
        /// The store answered with an error; its status, and its own code word where it has one.
        case refused(status: Int, word: String)
        /// The driver cannot do that.
        case unsupported
        /// The location, or something local, is not fit.
        case invalid
        /// The object is no longer the one that was begun with.
        case changed
        /// What came is not what the store says it holds, or what it holds is not what was sent.
        case damaged
        /// An answer ended before its end.
        case truncated
        /// The store's answer is none to what was asked, and will be none another time.
        case unintelligible
        /// Another program that does the work failed.
        case failed
        /// All attempts are used up.
        case exhausted
        /// The transfer was called off.
        case cancelled
    }

    package let code: Code
    package let message: String
    package let isTransient: Bool
    package var isNotFound: Bool { code == .notFound }
    /// For a refusal: whether it was said in the words of that kind of store, and not by some other server.
    package private(set) var isInStoresWords = true

    private init(_ code: Code, _ message: String, isTransient: Bool = false) {
        self.code = code
        self.message = message
        self.isTransient = isTransient
    }

    /// The same error, after which nothing is tried again.
    var asFinal: Self { .init(code, message) }

    /// Nothing stands there.
    package static func notFound(_ operation: String, _ subject: String, _ cause: String) -> Self {
        .init(.notFound, "\(operation) \(subject): \(cause)")
    }

    /// The store said no.
    ///
    /// - Parameters:
    ///   - word: the store's code word, e.g. `AccessDenied`; may be empty.
    ///   - text: the store's sentence; may be empty.
    ///   - secrets: what was sent: a word or sentence that repeats one of them is left out.
    package static func refused(
        _ operation: String, _ subject: String, status: Int, word: String, text: String, hiding secrets: [Secret] = [],
        isTransient: Bool
    ) -> Self {
        let word = secrets.contains { $0.occurs(in: word) } ? "" : word
        let text = secrets.contains { $0.occurs(in: text) } ? "" : text
        let cause = [String(status), word].filter { !$0.isEmpty }.joined(separator: " ")
        let sentence = oneLine(text)
        return .init(
            .refused(status: status, word: word),
            "\(operation) \(subject): \(cause)" + (sentence.isEmpty ? "" : ": \(sentence)"), isTransient: isTransient)
    }

    /// The same refusal, known to be in another server's words.
    package var foreign: Self {
        var error = self
        error.isInStoresWords = false
        return error
    }

    /// What another program says of its own failure, on one line.
    package static func told(_ operation: String, _ subject: String, _ text: String) -> Self {
        let line = oneLine(text)
        return .init(.failed, "\(operation) \(subject): " + (line.count > 1000 ? line.prefix(1000) + "…" : line))
    }

    /// - Parameter what: e.g. `raw artifacts cannot be saved`.
    package static func unsupported(_ what: String) -> Self { .init(.unsupported, what) }

    /// The location or the local data is not fit for the store.
    package static func invalid(_ operation: String, _ subject: String, _ cause: String) -> Self {
        .init(.invalid, "\(operation) \(subject): \(cause)")
    }

    /// The object was replaced while it was being read.
    package static func changed(_ operation: String, _ subject: String) -> Self {
        .init(.changed, "\(operation) \(subject): the object changed during the transfer")
    }

    /// Length or checksum differ: another transfer may bring the right bytes.
    ///
    /// - Parameter isFinal: whether it is known that none will.
    package static func damaged(_ operation: String, _ subject: String, _ cause: String, isFinal: Bool = false) -> Self {
        .init(.damaged, "\(operation) \(subject): \(cause)", isTransient: !isFinal)
    }

    /// The answer makes no sense, and not because a part of it was lost.
    package static func unintelligible(_ operation: String, _ subject: String, _ cause: String) -> Self {
        .init(.unintelligible, "\(operation) \(subject): \(cause)")
    }

    /// A listing brought a key that was not asked for.
    package static func strayKey(_ key: String, below prefix: [UInt8], of subject: String) -> Self {
        .unintelligible(
            "list", subject,
            "the store lists the key '\(key.prefix(200))', which does not begin with '\(String(decoding: prefix, as: UTF8.self))' as was asked for"
        )
    }

    /// No file can have such a name, and what follows the NUL must not be cut off in silence.
    ///
    /// - Parameter place: the object's, for the message.
    package static func keyWithNUL(at place: String, of subject: String) -> Self {
        let shown = place.split(separator: "\0", omittingEmptySubsequences: false).joined(separator: "\\0")
        return .invalid("load", subject, "the key '\(shown)' has a NUL, as no file's name can")
    }

    /// The answer was cut.
    package static func cut(_ operation: String, _ subject: String, _ cause: String) -> Self {
        .init(.truncated, "\(operation) \(subject): \(cause)", isTransient: true)
    }

    /// The body ended early without the connection's saying so.
    package static func truncated(_ operation: String, _ subject: String, received: Int64, of length: Int64) -> Self {
        .init(
            .truncated, "\(operation) \(subject): unexpected EOF: \(received) of \(length) bytes came", isTransient: true)
    }

    /// All attempts failed with errors that might have gone away (contract 02 §11).
    package static func exhausted(_ cause: any Error) -> Self {
        .init(.exhausted, "timed out waiting for the condition: \(errorText(cause))", isTransient: true)
    }

    /// The transfer was called off, e.g. by SIGTERM in `init`.
    package static func cancelled(_ operation: String, _ subject: String) -> Self {
        .init(.cancelled, "\(operation) \(subject): context canceled")
    }

    /// Text from outside on one line.
    private static func oneLine(_ text: String) -> String {
        text.split { $0.isWhitespace || $0.isNewline }.joined(separator: " ")
    }
}
