package import SystemSupport

/// A place that credentials come from, e.g. a file, a metadata service, a token endpoint. `CredentialCache` asks it, one thread
/// at a time, with attempts by the common schedule: a source itself asks once.
package protocol CredentialSource<Credential>: Sendable {
    associatedtype Credential: Sendable

    /// For messages, e.g. `instance metadata`; without secrets.
    var name: String { get }

    /// Asks the place anew; blocks.
    ///
    /// - Returns: nil where the source is not configured, so that the next one is asked.
    /// - Throws: where it is configured and gives none; a `ClassifiedError` that says `isTransient` is worth another attempt.
    ///   Its text holds no secret, and nothing of an answer that might be one.
    func fetch() throws -> IssuedCredential<Credential>?
}

/// What a source gives: a credential, and how long it is good for.
package struct IssuedCredential<Credential: Sendable>: Sendable {
    package let credential: Credential
    /// nil: for ever.
    package let expiry: Timestamp?

    package init(_ credential: Credential, expiry: Timestamp?) {
        self.credential = credential
        self.expiry = expiry
    }
}

/// Sources tried in order. The first that is configured wins and is asked from then on; where it fails, no other is asked.
package final class CredentialChain<Credential: Sendable>: CredentialSource {
    private let sources: [any CredentialSource<Credential>]
    private let chosen = Monitor<Int?>(nil)

    package init(_ sources: [any CredentialSource<Credential>]) { self.sources = sources }

    /// The name of the source that won, else of all.
    package var name: String {
        chosen.current.map { sources[$0].name } ?? sources.map(\.name).joined(separator: ", ")
    }

    package func fetch() throws -> IssuedCredential<Credential>? {
        if let index = chosen.current { return try sources[index].fetch() }
        for (index, source) in sources.enumerated() {
            do {
                guard let issued = try source.fetch() else { continue }
                chosen.update { $0 = index }
                return issued
            } catch {
                chosen.update { $0 = index }
                throw error
            }
        }
        return nil
    }
}
