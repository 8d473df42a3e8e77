package import SystemSupport

/// How large objects are cut into parts (contract 01 §5.2).
package struct UploadSettings: Sendable, Equatable {
    /// Parts of one object sent side by side at first, at least 1.
    package var threads: Int
    /// Whether more of them may be sent side by side where each takes long: not where the user has named their number.
    package var widens: Bool
    /// Bytes of a part as the user wants it; nil for our own choice.
    package var partSize: Int64?
    /// Parts that an object may have: 10,000 at Amazon, 1,000 at some others.
    package var maximumParts: Int

    /// - Parameter threads: nil for our own choice.
    package init(threads: Int? = nil, partSize: Int64? = nil, maximumParts: Int = 10_000) {
        self.threads = threads ?? Self.usualThreads
        widens = threads == nil
        self.partSize = partSize
        self.maximumParts = maximumParts
    }

    private static let usualThreads = 4
    /// How many parts of one object are ever sent side by side on our own account.
    static let mostThreads = 16

    /// Reads `ARTIFACT_S3_UPLOAD_THREADS`, `ARTIFACT_S3_UPLOAD_PART_SIZE_MIB` and `ARGOEXEC_S3_MAX_PARTS`; what is not valid is
    /// ignored with a warning.
    package init(environment: Environment, log: Log) {
        self.init()
        if let text = environment.nonEmpty(.s3UploadThreads) {
            if let threads = Int(text), threads >= 1 {
                self.threads = threads
                widens = false
            } else {
                log.warn("ignoring invalid number of upload threads", ["value": .text(text)])
            }
        }
        if let text = environment.nonEmpty(.s3UploadPartSize) {
            if let size = Int64(text), (5...5120).contains(size) {
                partSize = size << 20
            } else {
                log.warn("ignoring invalid upload part size, want 5 to 5120 MiB", ["value": .text(text)])
            }
        }
        if let text = environment.nonEmpty(.s3MaximumParts) {
            if let count = Int(text), (1...10_000).contains(count) {
                maximumParts = count
            } else {
                log.warn("ignoring invalid number of parts, want 1 to 10000", ["value": .text(text)])
            }
        }
    }
}
