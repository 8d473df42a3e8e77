import Archiving
import Glibc
import SystemSupport

/// One layer of an image layout.
enum ImageLayer {
    /// Unpacks it onto the root file system of the layers below.
    static func apply(_ layer: OCIImage.Blob, to root: BytePath, log: Log) throws {
        do {
            let file = try Descriptor.open(layer.path, O_RDONLY)
            let kind = try kind(of: file.raw, layer)
            try LayerUnpacker.apply(DescriptorSource(file.raw, subject: layer.path.text), as: kind, to: root, log: log)
        } catch { throw ExecutorError.wrapping("unpack the image's layer \(layer.name)", error) }
    }

    /// By the first bytes: media types are not always right.
    private static func kind(of file: Int32, _ layer: OCIImage.Blob) throws(SystemError) -> ArchiveKind {
        var start = [UInt8](repeating: 0, count: 4)
        var span = start.mutableSpan
        _ = try DescriptorIO.read(file, into: &span, at: 0, subject: layer.path.text)
        if start.starts(with: [0x1F, 0x8B]) { return .tarGzip }
        return start == [0x28, 0xB5, 0x2F, 0xFD] ? .tarZstd : .tar
    }
}
