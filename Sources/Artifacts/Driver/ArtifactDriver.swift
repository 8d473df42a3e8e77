package import SystemSupport

/// Code for one kind of store, made for one location. Every call is at most a few requests and never retries: the transfers of
/// this target (`ArtifactDownload`, `ArtifactUpload`, `ArtifactStore`) do that, by the driver's own schedule.
///
/// Errors are `ArtifactError` or another `ClassifiedError`. Only what truly is absent says `isNotFound` (contract 03 §7).
package protocol ArtifactDriver: Sendable {
    /// The location for messages, e.g. `s3://bucket/key`; without secrets.
    var subject: String { get }
    /// Whether what was saved can be removed again: without that nothing is put there on trial.
    var canDelete: Bool { get }
    /// What the driver cannot do without when it saves.
    var needs: DriverNeeds { get }
    /// The permissions of what is loaded, before the artifact's own `mode` (contract 03 §2).
    var loadedModes: LoadedModes { get }
    /// How often an operation is tried (contract 02 §11).
    func schedule(for verb: ArtifactVerb) -> RetrySchedule

    /// What stands at the location: one object, a directory of them, or a tree that the driver writes by itself.
    ///
    /// - Throws: an error with `isNotFound` when there is nothing; a store that tells it by a read only has the object's first read
    ///   throw it.
    func find() throws -> FoundArtifact

    /// What must be there before the first object of a save, e.g. the bucket.
    func prepareSave() throws

    /// Stores one object with one request.
    ///
    /// - Parameter relative: nil for the location itself, else a path below it (a file of a directory).
    func put(_ content: ObjectContent, at relative: BytePath?) throws

    /// Saves what lies at a path; the driver of a store whose `needs` ask for a path is asked for nothing else.
    ///
    /// - Parameter path: a file or a directory for this save alone, which is removed afterwards.
    func save(from path: BytePath) throws

    /// How to store one large object in parts; nil where the store has no such thing.
    func multipart(at relative: BytePath?, fileName: BytePath) throws -> (any MultipartTarget)?

    /// Removes the artifact, object or directory, or a page of it. What is absent already is no error.
    ///
    /// - Parameter continuation: nil at first, else what the call before returned.
    /// - Returns: nil when all is done.
    func delete(after continuation: String?) throws -> String?

    /// A page of the full keys of all objects below the location (contract 03 §6, ListObjects).
    ///
    /// - Parameter continuation: nil at first, else `KeyPage.next` of the page before.
    func list(after continuation: String?) throws -> KeyPage

    /// Whether objects stand below the location.
    func isDirectory() throws -> Bool
}

/// Permissions of loaded files and directories, less the umask.
package struct LoadedModes: Sendable, Equatable {
    package var file: UInt32
    package var directory: UInt32

    package init(file: UInt32, directory: UInt32) {
        self.file = file
        self.directory = directory
    }

    /// For the owner only: S3, and what stands in its place.
    package static let ownerOnly = LoadedModes(file: 0o600, directory: 0o700)
}

/// The operations of a store.
package enum ArtifactVerb: String, Sendable {
    case load, save, delete, list
}

/// What a driver cannot do without when it saves.
package struct DriverNeeds: Sendable, Equatable {
    /// The length must be known before the first byte is sent.
    package var length: Bool
    /// There is room for one file only, not for a directory.
    package var singleFile: Bool
    /// Files and directories at a path, for a program that reads them by itself; nil where bytes are taken.
    package var path: PathNeeds?

    package init(length: Bool, singleFile: Bool = false, path: PathNeeds? = nil) {
        self.length = length
        self.singleFile = singleFile
        self.path = path
    }

    /// Where such a path must be.
    package struct PathNeeds: Sendable, Equatable {
        /// A folder that the reading program sees by the same name; nil for any.
        package var folder: BytePath?
        /// Whether that program may run as another user.
        package var isReadByOthers: Bool

        package init(in folder: BytePath? = nil, isReadByOthers: Bool = false) {
            self.folder = folder
            self.isReadByOthers = isReadByOthers
        }
    }
}

/// Some keys of a list.
package struct KeyPage: Sendable, Equatable {
    package var keys: [String]
    /// Asks for the next page; nil at the end.
    package var next: String?

    package init(keys: [String], next: String?) {
        self.keys = keys
        self.next = next
    }
}

extension ArtifactDriver {
    package var loadedModes: LoadedModes { LoadedModes(file: 0o666, directory: 0o755) }
    package var canDelete: Bool { true }
    package func prepareSave() throws {}
    package func save(from path: BytePath) throws { throw ArtifactError.unsupported("\(subject) is not saved from a path") }
    package func multipart(at relative: BytePath?, fileName: BytePath) throws -> (any MultipartTarget)? { nil }
}
