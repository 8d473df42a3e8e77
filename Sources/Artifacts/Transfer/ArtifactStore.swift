/// A driver with all that a single request lacks: attempts by the driver's schedule, many requests side by side, checks of what
/// came. This is what the executor calls.
package struct ArtifactStore: Sendable {
    package let driver: any ArtifactDriver
    package let context: DriverContext

    package init(driver: any ArtifactDriver, context: DriverContext) {
        self.driver = driver
        self.context = context
    }

    package var subject: String { driver.subject }

    /// What stands at the location.
    ///
    /// - Throws: an error with `isNotFound` when nothing does.
    package func find() throws -> FoundArtifact { try retry(.load).run { try driver.find() } }

    package func isDirectory() throws -> Bool { try retry(.load).run { try driver.isDirectory() } }

    /// Full keys of all objects below the location.
    package func list() throws -> [String] {
        var keys: [String] = []
        var next: String?
        repeat {
            let page = try retry(.list).run { try driver.list(after: next) }
            keys += page.keys
            next = page.next
        } while next != nil
        return keys
    }

    /// Removes the artifact. What is absent already is no error.
    package func delete() throws {
        var next: String?
        repeat { next = try retry(.delete).run { try driver.delete(after: next) } } while next != nil
    }

    /// Loads what `find` found.
    package var download: ArtifactDownload { ArtifactDownload(store: self) }

    /// Saves files, streams and directories.
    package var upload: ArtifactUpload { ArtifactUpload(store: self) }

    func retry(_ verb: ArtifactVerb, _ meter: TransferMeter? = nil) -> RetryLoop {
        RetryLoop(driver.schedule(for: verb), context: context, meter: meter)
    }

    func watched<R>(
        _ activity: TransferWatch.Activity, _ subject: String, _ meter: TransferMeter, total: Int64?, _ body: () throws -> R
    ) throws -> R {
        try TransferWatch(
            log: context.log, activity: activity, subject: subject, meter: meter, total: total,
            interval: context.progressInterval
        ).run(body)
    }
}
