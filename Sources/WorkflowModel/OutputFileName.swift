import SystemSupport

/// The names under which outputs are stored (contract 03 §3.2, §3.3).
package enum OutputFileName {
    /// The last component of an output's key.
    ///
    /// - Parameter path: the cleaned path of the artifact.
    package static func of(
        artifactName: String, path: String, archive: ArchiveStrategy?, origin: OutputOrigin
    ) -> String {
        switch (archive, origin) {
        case (.asIs, _), (.empty, .baseImage): BytePath(path).base.text
        case (.zip, _): artifactName + ".zip"
        case (nil, _), (.tar, _), (.empty, .mirror): artifactName + ".tgz"
        }
    }

    /// The last component of the key under which a container's log is stored.
    package static func ofLog(containerName: String) -> String { containerName + ".log" }

    /// Two parts of a key joined by a slash and cleaned, as Go's `path.Join` does; empty parts are left out.
    package static func joinKey(_ left: String, _ right: String) -> String {
        let joined = BytePath(left).appending(BytePath(right))
        return joined.isEmpty ? "" : joined.cleaned.text
    }
}
