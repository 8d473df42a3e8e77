import Documents
import Glibc
import SystemSupport

/// One image of an OCI image layout, as `skopeo copy … oci:PATH` writes it.
struct OCIImage: Sendable {
    /// A blob of the layout.
    struct Blob: Sendable, Equatable {
        let path: BytePath
        let mediaType: String
        /// The digest as a name of a file: `sha256-` and hexadecimal digits.
        let name: String
    }

    /// The manifest's digest as a name of a file.
    let name: String
    let configuration: ImageConfiguration
    /// The lowest first.
    let layers: [Blob]

    /// - Parameter tag: the `org.opencontainers.image.ref.name` of the image that is meant; nil where it is the only one.
    /// - Throws: `ExecutorError` for a layout that is damaged or leaves open which image is meant.
    init(layout: BytePath, tag: String?) throws {
        let reader = LayoutReader(folder: layout)
        var entries = try reader.manifests(of: try reader.document(layout.appending("index.json")))
        if let tag {
            entries = entries.filter {
                $0.field("annotations")?.object?["org.opencontainers.image.ref.name"]?.string == tag
            }
            if entries.isEmpty { throw reader.failure("no image with tag '\(tag)'") }
        }
        let blob = try reader.choose(entries)
        let manifest = try reader.document(blob.path)
        guard let config = manifest.field("config"), let layers = manifest.field("layers")?.array else {
            throw reader.failure("the manifest \(blob.name) has no config or no layers")
        }
        name = blob.name
        configuration = ImageConfiguration(try reader.document(try reader.blob(config).path))
        self.layers = try layers.map(reader.blob)
    }
}

/// Reads the documents of an image layout.
private struct LayoutReader {
    let folder: BytePath

    private static let indexTypes = [
        "application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json",
    ]

    #if arch(arm64)
        private static let architecture = "arm64"
    #else
        private static let architecture = "amd64"
    #endif

    func failure(_ cause: String) -> ExecutorError { ExecutorError.badRequest("read the image \(folder): \(cause)") }

    func document(_ path: BytePath) throws -> JSONValue {
        do { return try JSONValue(parsing: try SmallFile.read(path, limit: 16 << 20)) } catch {
            throw ExecutorError.wrapping("read the image \(folder)", error)
        }
    }

    func manifests(of index: JSONValue) throws -> [JSONValue] {
        guard let manifests = index.field("manifests")?.array, !manifests.isEmpty else { throw failure("its index is empty") }
        return manifests
    }

    /// The file that a descriptor names.
    func blob(_ descriptor: JSONValue) throws -> OCIImage.Blob {
        let digest = descriptor.field("digest")?.string ?? ""
        let parts = digest.split(separator: ":").map(String.init)
        let isPlain = { (text: String) in
            !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) }
        }
        guard parts.count == 2, isPlain(parts[0]), isPlain(parts[1]) else { throw failure("'\(digest)' is not a digest") }
        return OCIImage.Blob(
            path: folder.appending("blobs").appending(BytePath(parts[0])).appending(BytePath(parts[1])),
            mediaType: descriptor.field("mediaType")?.string ?? "", name: parts.joined(separator: "-"))
    }

    /// The manifest for this machine among several: one that names its platform, else the only one.
    func choose(_ entries: [JSONValue], depth: Int = 0) throws -> OCIImage.Blob {
        let fitting = entries.filter { entry in
            guard let platform = entry.field("platform") else { return true }
            let isOurs =
                platform.field("os")?.string == "linux" && platform.field("architecture")?.string == Self.architecture
            return isOurs || platform.isNull
        }
        if fitting.isEmpty { throw failure("no image for linux/\(Self.architecture)") }
        guard fitting.count == 1, let entry = fitting.first else {
            let tags = fitting.compactMap { $0.field("annotations")?.object?["org.opencontainers.image.ref.name"]?.string }
            throw failure("it holds several images; choose one by PATH:TAG (\(tags.sorted().joined(separator: ", ")))")
        }
        let blob = try blob(entry)
        guard Self.indexTypes.contains(blob.mediaType) else { return blob }
        if depth > 4 { throw failure("its indexes are nested too deep") }
        return try choose(try manifests(of: try document(blob.path)), depth: depth + 1)
    }
}
