import Encodings
package import SystemSupport

/// Where the emissary of `main` leaves outputs for the executor of the same pod: a private format of ours (contract 01 §7).
///
/// Every file and tree is written aside and renamed when whole.
extension RunDirectory {
    /// The copy of the file at an output parameter's path: `outputs/parameters/<cleaned path>`, mode 0666.
    package func parameterHandOver(_ path: BytePath) -> BytePath {
        outputs.appending("parameters").appending(BytePath(bytes: BytePath("/").appending(path).cleaned.bytes.dropFirst()))
    }

    /// What the emissary left for an output artifact. One folder an artifact, so that nested paths do not meet.
    package func artifactHandOver(name: String) -> ArtifactHandOver {
        ArtifactHandOver(directory: outputs.appending("artifacts").appending(Self.fileName(for: name)))
    }

    /// A name's bytes as one path component: those but letters, digits, `-`, `_` and `.` are percent-encoded, as is a leading
    /// dot; what would be too long for a file name is cut and told apart by a hash of the whole.
    private static func fileName(for name: String) -> BytePath {
        let tilde = UInt8(ascii: "~")
        let text = PercentEncoding.encode(Array(name.utf8)) { PercentEncoding.isUnreserved($0) && $0 != tilde }
        var encoded = Array((text.hasPrefix(".") ? "%2E" + text.dropFirst() : text).utf8)
        if encoded.isEmpty { encoded = Array("%".utf8) }
        if encoded.count > 200 {
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a
            for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            encoded = encoded.prefix(180) + Array("%\(String(hash, radix: 16))".utf8)
        }
        return BytePath(bytes: encoded)
    }
}

/// The folder with one artifact's data; exactly one of the three forms is there once it is saved.
package struct ArtifactHandOver: Sendable {
    /// Removed as a whole after the upload.
    package let directory: BytePath

    /// For archive strategy tar: the final gzipped tar, at the artifact's compression level.
    package var tarball: BytePath { directory.appending("data.tgz") }
    /// For archive strategy zip: the final zip.
    package var zip: BytePath { directory.appending("data.zip") }
    /// For archive strategy none: the file itself, mode 0666, or a tree of folders 0777, files 0666 and symbolic links.
    package var plain: BytePath { directory.appending("data") }
}
