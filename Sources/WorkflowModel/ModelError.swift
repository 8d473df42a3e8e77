import SystemSupport

/// What is wrong with a document of the contract's, or with what is asked of it.
package struct ModelError: ClassifiedError, Equatable, Sendable {
    package let message: String
    package let isNotFound: Bool

    private init(_ message: String, isNotFound: Bool = false) {
        self.message = message
        self.isNotFound = isNotFound
    }

    /// A field holds something of the wrong kind.
    static func wrongKind(_ path: String, expected: String, found: String) -> Self {
        .init("read \(path): expected \(expected), found \(found)")
    }

    /// A field holds a value that is not allowed there.
    static func badValue(_ path: String, _ reason: String) -> Self { .init("read \(path): \(reason)") }

    /// A path that must not be used.
    static func badPath(_ path: String, _ reason: String) -> Self { .init("check path '\(path)': \(reason)") }

    /// A location whose type has no key, or none at all.
    static func noKey(_ operation: String, _ kind: LocationKind?) -> Self {
        .init("\(operation) the artifact's key: \(kind.map { "a \($0.rawValue) location has none" } ?? "it has no location")")
    }

    /// An artifact without a complete location, in a template without an archive location.
    static let noArchiveLocation = Self("locate the artifact: template artifact location not set")

    /// A URL that cannot be taken apart.
    static func badURL(_ url: String, _ reason: String) -> Self { .init("parse URL '\(url)': \(reason)") }

    /// A report that the API server would refuse.
    static func refused(_ subject: String, _ reason: String) -> Self { .init("report \(subject): \(reason)") }
}
