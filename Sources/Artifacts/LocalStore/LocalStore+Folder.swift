package import Artifacts
import FileTrees
package import SystemSupport

extension LocalStore {
    /// Removes what killed executors have left half written.
    package func sweep() {
        guard let place = try? SharedPlace(folder) else { return }
        Leftovers.sweepTree(place.directory, LocalStoreDriver.aside)
    }

    /// The path of a key below its bucket's folder: what a file system cannot name is percent-encoded.
    package static func path(ofKey key: [UInt8]) -> BytePath {
        let parts = key.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return parts.reduce(BytePath("")) { $0.appending(BytePath(bytes: LocalStoreNames.encode($1))) }
    }
}
