package import SystemSupport
package import WorkflowModel

/// The secrets mounted into the executor: one file for each key (contract 03 §6).
package struct SecretFiles: Sendable {
    private let directory: BytePath

    package init(_ directory: BytePath) { self.directory = directory }

    /// In the place of a folder, where a person has given none.
    package static let noFolder: BytePath = ""

    /// Whether there is no folder at all.
    package var isAbsent: Bool { directory == Self.noFolder }

    /// The bytes of a key, as they are.
    ///
    /// - Throws: `MissingSecret` where there is no folder at all, `SystemError` for a secret that is not there.
    package func read(name: String, key: String) throws -> Secret {
        for part in [name, key] where part.isEmpty || part.utf8.contains(UInt8(ascii: "/")) || part == "." || part == ".." {
            throw ArtifactError.invalid("read secret", "\(name)/\(key)", "a secret's name and key must be plain file names")
        }
        if isAbsent { throw MissingSecret(name: name, purpose: "key '\(key)'") }
        return Secret(try SmallFile.read(directory.appending(BytePath(name)).appending(BytePath(key)), limit: 1 << 20))
    }

    /// The same for the key that a selector names.
    package func read(_ selector: SecretKeySelector) throws -> Secret { try read(name: selector.name, key: selector.key) }

    /// The value that a selector names; nil where it names none.
    ///
    /// - Parameter trimmed: whether white space at its ends is left out (contract 05 C37).
    package func value(_ selector: SecretKeySelector?, trimmed: Bool = true) throws -> Secret? {
        guard let selector, selector.isNamed else { return nil }
        let value = try read(selector)
        return trimmed ? value.trimmed : value
    }
}

/// A secret that a location names where a person has given no folder of secrets.
package struct MissingSecret: ClassifiedError, Sendable, Equatable {
    package let name: String
    /// What it is needed for.
    package let purpose: String
    /// What would do instead of the folder; empty for nothing.
    package let alternative: String

    package init(name: String, purpose: String, alternative: String = "") {
        self.name = name
        self.purpose = purpose
        self.alternative = alternative
    }

    package var message: String {
        "secret '\(name)' is needed for \(purpose): give --secrets DIR" + (alternative.isEmpty ? "" : ", or \(alternative)")
    }
}
