import Documents

/// How an artifact is packed (contract 03 §2, §3.2). Absent differs from present but empty.
package enum ArchiveStrategy: Sendable, Equatable {
    /// `none`: as it is. (A case of that name would be taken for an absent optional.)
    case asIs
    /// A gzip'd tar; nil: the default compression level.
    case tar(compressionLevel: Int?)
    case zip
    /// `{}`: no strategy named.
    case empty

    init(_ fields: Fields) throws(ModelError) {
        if fields.value("none") != nil {
            self = .asIs
        } else if let tar = try fields.object("tar", { $0 }) {
            self = .tar(compressionLevel: try tar.integer("compressionLevel"))
        } else if fields.value("zip") != nil {
            self = .zip
        } else {
            self = .empty
        }
    }
}
