package import SystemSupport

/// The images that are given as root file systems (`--image NAME=PATH`).
package struct ImageRoots: Sendable {
    private let given: [(name: ImageReference, path: BytePath)]

    /// - Parameter given: names as a container's `image` has them; one without a tag stands for all tags.
    package init(_ given: [(name: String, path: BytePath)] = []) {
        self.given = given.map { (ImageReference($0.name), $0.path) }
    }

    /// Where an image's root is given; nil for one that this machine's own programs stand in for.
    package func path(for image: String) -> BytePath? {
        let wanted = ImageReference(image)
        let exact = given.first { $0.name.repository == wanted.repository && $0.name.tagOrDefault == wanted.tagOrDefault }
        let any = given.first { $0.name.repository == wanted.repository && $0.name.tag == nil }
        return (exact ?? any)?.path
    }

    /// What an image runs where a container says nothing; nil where nothing is given for it.
    ///
    /// - Throws: `ExecutorError` for an image that cannot be read.
    package func command(of image: String) throws -> (entrypoint: [String], command: [String])? {
        guard let path = path(for: image) else { return nil }
        let configuration = try GivenImage(path).configuration
        return (configuration.entrypoint, configuration.command)
    }
}

/// The name of an image in its parts.
struct ImageReference: Sendable, Equatable {
    /// With the registry, `docker.io` where none is written.
    let repository: String
    /// A tag, or a digest with its algorithm; nil where neither is written.
    let tag: String?

    init(_ text: String) {
        var name = text[...]
        var tag: String?
        if let at = name.lastIndex(of: "@") {
            tag = String(name[name.index(after: at)...])
            name = name[..<at]
        }
        if let colon = name.lastIndex(of: ":"), !name[colon...].contains("/") {
            // With a digest the tag does not count.
            tag = tag ?? String(name[name.index(after: colon)...])
            name = name[..<colon]
        }
        let parts = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let hasRegistry = parts.count > 1 && (parts[0].contains { ".:".contains($0) } || parts[0] == "localhost")
        switch (hasRegistry, parts.count) {
        case (true, _): repository = parts[0] == "index.docker.io" ? "docker.io/\(parts[1])" : String(name)
        case (false, 1): repository = "docker.io/library/\(name)"
        default: repository = "docker.io/\(name)"
        }
        self.tag = tag
    }

    var tagOrDefault: String { tag ?? "latest" }
}
