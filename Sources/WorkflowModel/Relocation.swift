import Documents

extension ArtifactLocation {
    /// Where the artifact really is: itself where complete, else the archive location with this key (contract 03 §5).
    ///
    /// A key-only location need not have the archive location's type, and the archive location's own key is no prefix of it.
    ///
    /// - Throws: `ModelError` where there is no archive location, or no key to take over.
    package func relocated(to archiveLocation: ArtifactLocation?) throws(ModelError) -> ArtifactLocation {
        if hasLocation { return self }
        guard let archiveLocation else { throw .noArchiveLocation }
        return try archiveLocation.settingKey(try key())
    }

    /// An empty location of the archive location's type, in place of whatever is here; to be given a key.
    ///
    /// Of HTTP the whole archive location is taken: with the path alone it would pass for a complete location.
    ///
    /// - Throws: `ModelError` for types without a key.
    package func settingType(like archiveLocation: ArtifactLocation) throws(ModelError) -> ArtifactLocation {
        guard let kind = archiveLocation.kind, kind != .git, kind != .raw else {
            throw .noKey("set", archiveLocation.kind)
        }
        var changed = JSONObject()
        if let archiveLogs { changed["archiveLogs"] = .bool(archiveLogs) }
        changed[kind.rawValue] = kind == .http ? archiveLocation.document[kind.rawValue] : [:]
        return try ArtifactLocation(document: .object(changed))
    }

    /// The location to report for an output: itself where it has a key, else the archive location's type with the key
    /// `<archive location's key>/<file name>` (contract 03 §3.3, step 1).
    ///
    /// - Throws: `ModelError` where a key is needed and the archive location is absent or of a type without one.
    package func withDefaultKey(in archiveLocation: ArtifactLocation?, fileName: String) throws(ModelError) -> ArtifactLocation
    {
        if hasKey { return self }
        guard let archiveLocation else { throw .noArchiveLocation }
        let key = OutputFileName.joinKey(try archiveLocation.key(), fileName)
        return try settingType(like: archiveLocation).settingKey(key)
    }
}
