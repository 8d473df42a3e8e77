import Documents
import FileTrees
import SystemSupport

/// What an image says on running it.
struct ImageConfiguration: Sendable, Equatable {
    var entrypoint: [String] = []
    var command: [String] = []
    /// `NAME=value` words.
    var environment: [String] = []
    /// A name or number, with or without a group; nil for root.
    var user: String?
    var workingDirectory: BytePath?

    /// Of an unpacked root file system, which says nothing.
    init() {}

    /// From the `config` of an OCI image's configuration.
    init(_ document: JSONValue) {
        let config = document.field("config")
        let words = { (field: String) in (config?.field(field)?.array ?? []).compactMap(\.string) }
        let text = { (field: String) in config?.field(field)?.string.flatMap { $0.isEmpty ? nil : $0 } }
        entrypoint = words("Entrypoint")
        command = words("Cmd")
        environment = words("Env")
        user = text("User")
        workingDirectory = text("WorkingDir").map { BytePath($0) }
    }
}

/// An image that stands on this machine: an unpacked root file system, or an OCI image layout.
struct GivenImage: Sendable {
    enum Form: Sendable {
        case folder(BytePath)
        case layout(OCIImage)
    }

    let form: Form
    let configuration: ImageConfiguration

    /// Reads what stands at a path: a folder; or an image layout, after which `:TAG` may choose one of several images.
    ///
    /// - Throws: `ExecutorError` for what is neither.
    init(_ path: BytePath) throws {
        if let (layout, tag) = Self.layout(path) {
            let image = try OCIImage(layout: layout, tag: tag)
            form = .layout(image)
            configuration = image.configuration
            return
        }
        guard let status = try? FileStatus.of(path, followingLinks: true) else {
            throw ExecutorError.notFound("read the image \(path): it does not exist")
        }
        guard status.kind == .directory else {
            throw ExecutorError.badRequest("read the image \(path): it is not a folder; unpack it, or give an OCI image layout")
        }
        form = .folder(path)
        configuration = ImageConfiguration()
    }

    /// The folder of an image layout and a tag in it.
    private static func layout(_ path: BytePath) -> (BytePath, tag: String?)? {
        let isLayout = { (folder: BytePath) in
            ["index.json", "blobs"].allSatisfy {
                (try? FileStatus.of(folder.appending($0), followingLinks: true)) != nil
            }
        }
        if isLayout(path) { return (path, nil) }
        guard let colon = path.bytes.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        let folder = BytePath(bytes: path.bytes[..<colon])
        let tag = String(decoding: path.bytes[(colon + 1)...], as: UTF8.self)
        return isLayout(folder) ? (folder, tag) : nil
    }
}
