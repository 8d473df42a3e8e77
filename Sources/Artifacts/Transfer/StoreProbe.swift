import FileTrees
package import SystemSupport

/// Looks whether a store works: with a few bytes, by single requests, and without making what must be there first.
package struct StoreProbe {
    private let store: ArtifactStore

    package init(_ driver: any ArtifactDriver, _ context: DriverContext) {
        store = ArtifactStore(driver: driver, context: context)
    }

    package func put(_ bytes: [UInt8], fileName: BytePath) throws {
        if let needs = store.driver.needs.path {
            return try PathUpload(store: store, needs: needs, meter: TransferMeter()).stream(MemorySource(bytes), fileName)
        }
        try store.driver.put(ObjectContent(.bytes(bytes), fileName: fileName), at: nil)
    }

    /// The bytes that stand at the location; nil for a directory.
    ///
    /// - Throws: an error with `isNotFound` where nothing does.
    package func get() throws -> [UInt8]? {
        switch try store.driver.find() {
        case .directory: return nil
        case .object(let object):
            let sink = MemorySink()
            try object.read(from: 0, length: nil, validator: nil) { _ in sink }
            return sink.bytes
        case .tree(let tree):
            let workshop = try Workshop(in: SharedPlace(store.context.spoolDirectory).directory)
            defer { workshop.remove() }
            try store.download.tree(tree, at: "probe", in: workshop.directory)
            guard try workshop.directory.status("probe").kind == .file else { return nil }
            return try SharedPlace(workshop.directory).read("probe", limit: Self.limit)
        }
    }

    /// Bytes of a file that may be read.
    private static let limit = 1 << 20
}
