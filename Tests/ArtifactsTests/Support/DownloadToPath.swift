import Artifacts
import FileTrees
import SystemSupport

extension ArtifactDownload {
    /// Writes an object into a file of the test's own; one that is there already goes.
    @discardableResult
    func file(_ object: any StoredObject, at path: BytePath) throws -> TransferRecord {
        let folder = try SharedPlace(path.directory)
        try folder.remove(path.base)
        return try file(object, at: path.base, in: folder.directory)
    }
}
