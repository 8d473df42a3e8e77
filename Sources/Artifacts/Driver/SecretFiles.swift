package import ExecutorCore

/// The secrets mounted into the executor: one file for each key (contract 03 §6).
package struct SecretFiles: Sendable {
    private let directory: BytePath

    package init(_ directory: BytePath) { self.directory = directory }

    /// The bytes of a key, as they are.
    package func read(name: String, key: String) throws -> Secret {
        for part in [name, key] where part.isEmpty || part.utf8.contains(UInt8(ascii: "/")) || part == "." || part == ".." {
            throw ArtifactError.invalid("read secret", "\(name)/\(key)", "a secret's name and key must be plain file names")
        }
        return Secret(try SmallFile.read(directory.appending(BytePath(name)).appending(BytePath(key)), limit: 1 << 20))
    }
}
