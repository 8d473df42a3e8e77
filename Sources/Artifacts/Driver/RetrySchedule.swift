package import ExecutorCore

/// How often and how fast an operation is tried: slow attempts, each of them several quick ones.
package struct RetrySchedule: Sendable, Equatable {
    /// The contract's table (02 §11).
    package var slow: Backoff
    /// Attempts of a single request inside each slow one; nil for none.
    package var quick: Backoff?

    package init(_ slow: Backoff, quick: Backoff? = nil) {
        self.slow = slow
        self.quick = quick
    }

    /// A single attempt.
    package static let once = RetrySchedule(Backoff(duration: 0, factor: 1, jitter: 0, steps: 1))

    /// R5: removing at S3.
    package static let delete = RetrySchedule(Backoff(duration: 10_000_000, factor: 5, jitter: 0.1, steps: 4))

    /// R6: GCS and OSS.
    package static let cloud = RetrySchedule(Backoff(duration: 2_000_000_000, factor: 2, jitter: 0.1, steps: 5))
}

/// Tries operations again by a schedule, as long as their errors may go away.
package struct RetryLoop: Sendable {
    private let schedule: RetrySchedule
    private let context: DriverContext
    private let meter: TransferMeter?

    /// Damage is no matter of waiting: what is wrong three times will be wrong again.
    static let mostDamages = 3

    package init(_ schedule: RetrySchedule, context: DriverContext, meter: TransferMeter? = nil) {
        self.schedule = schedule
        self.context = context
        self.meter = meter
    }

    /// Runs `attempt` until it succeeds or there is no more hope.
    ///
    /// - Parameter madeProgress: asked after a failed attempt; if true the count of attempts begins anew.
    /// - Throws: the last error; with the contract's prefix when the attempts are used up.
    package func run<R>(madeProgress: () -> Bool = { false }, _ attempt: () throws -> R) throws -> R {
        var slow = BackoffPauses(schedule.slow)
        var quick = schedule.quick.map { BackoffPauses($0) }
        var damages = 0
        while true {
            do { return try attempt() } catch {
                guard isTransient(error) else { throw error }
                if context.cancellation.isCancelled { throw error }
                if (error as? ArtifactError)?.code == .damaged {
                    damages += 1
                    if damages >= min(Self.mostDamages, schedule.slow.steps) { throw ArtifactError.exhausted(error) }
                }
                if madeProgress() {
                    slow = BackoffPauses(schedule.slow)
                    quick = schedule.quick.map { BackoffPauses($0) }
                }
                let pause: Int64
                if let next = quick?.next() {
                    pause = next
                } else if let next = slow.next() {
                    pause = next
                    quick = schedule.quick.map { BackoffPauses($0) }
                } else {
                    throw ArtifactError.exhausted(error)
                }
                meter?.addRetry()
                context.log.debug(
                    "retrying", ["error": .error(error), "pauseMilliseconds": .integer(pause / 1_000_000)])
                guard context.cancellation.sleep(pause) else { throw error }
            }
        }
    }

    /// Whether another attempt may help: by the error's own kind, or by the user's pattern.
    package func isTransient(_ error: any Error) -> Bool {
        guard let classified = error as? any ClassifiedError else { return false }
        if let error = error as? ArtifactError, [.exhausted, .cancelled, .notFound].contains(error.code) { return false }
        return classified.isTransient || context.isTransientText(classified.message)
    }
}
