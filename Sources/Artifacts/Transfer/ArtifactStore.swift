import SystemSupport

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
    package func find() throws -> FoundArtifact {
        func search() throws -> FoundArtifact { try retry(.load).run { try driver.find() } }
        return try context.idleNotice.map { try $0.run(subject, search) } ?? search()
    }

    package func isDirectory() throws -> Bool { try retry(.load).run { try driver.isDirectory() } }

    /// Full keys of all objects below the location.
    package func list() throws -> [String] {
        var keys: [String] = []
        var position = PagePosition()
        repeat {
            let page = try retry(.list).run { try driver.list(after: position.token) }
            keys += page.keys
            try position.advance(to: page.next, "list", subject)
        } while position.token != nil
        return keys
    }

    /// Removes the artifact. What is absent already is no error.
    ///
    /// - Parameter schedule: nil for the driver's own.
    package func delete(_ schedule: RetrySchedule? = nil) throws {
        let retry = schedule.map { RetryLoop($0, context: context) } ?? retry(.delete)
        var position = PagePosition()
        repeat {
            let next = try retry.run { try driver.delete(after: position.token) }
            try position.advance(to: next, "delete", subject)
        } while position.token != nil
    }

    /// Loads what `find` found.
    package var download: ArtifactDownload { ArtifactDownload(store: self) }

    /// Saves files, streams and directories.
    package var upload: ArtifactUpload { ArtifactUpload(store: self) }

    /// Runs a whole transfer, and once or twice again where what it brought was damaged: nothing of it may be kept then.
    ///
    /// - Parameter transfer: makes one transfer and throws `ArtifactError` (`damaged`) where its bytes are wrong.
    /// - Throws: the last error, no longer transient.
    package func repeatingDamage<R>(
        _ meter: TransferMeter? = nil, _ transfer: (TransferEvidence) throws -> R
    ) throws -> R {
        let schedule = driver.schedule(for: .load)
        let limit = min(RetryLoop.mostDamages, schedule.slow.steps)
        var pauses = BackoffPauses(schedule.quick ?? schedule.slow)
        let evidence = TransferEvidence()
        while true {
            let count = evidence.begin()
            do { return try transfer(evidence) } catch let error as ArtifactError where error.code == .damaged {
                guard error.isTransient, evidence.isOpen || count < limit, !context.cancellation.isCancelled else {
                    throw error.asFinal
                }
                let pause = pauses.next() ?? 0
                meter?.addRetry()
                context.log.info("loading again", ["error": .error(error), "pauseMilliseconds": .integer(pause / 1_000_000)])
                guard context.cancellation.sleep(pause) else { throw error }
            }
        }
    }

    func retry(_ verb: ArtifactVerb, _ meter: TransferMeter? = nil) -> RetryLoop {
        RetryLoop(driver.schedule(for: verb), context: context, meter: meter)
    }

    func watched<R>(
        _ activity: TransferWatch.Activity, _ subject: String, _ meter: TransferMeter, total: Int64?, _ body: () throws -> R
    ) throws -> R {
        let watch = TransferWatch(
            log: context.log, activity: activity, subject: subject, meter: meter, total: total,
            interval: context.progressInterval)
        // What is saved counts by parts, which may take longer.
        guard activity == .loading, let notice = context.idleNotice else { return try watch.run(body) }
        return try notice.run(subject, bytes: { meter.record.bytes }) { try watch.run(body) }
    }
}

/// How far a list that comes in pages has been read.
struct PagePosition {
    /// Asks for the page that is next; nil at the start, and at the end.
    private(set) var token: String?
    private var seen: Set<String> = []

    /// - Throws: where the list has been there before: it would never end.
    mutating func advance(to next: String?, _ operation: String, _ subject: String) throws {
        if let next, !seen.insert(next).inserted {
            throw ArtifactError.unintelligible(operation, subject, "the store repeated a continuation token")
        }
        token = next
    }
}
