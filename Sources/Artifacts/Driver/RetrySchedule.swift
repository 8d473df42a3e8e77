package import SystemSupport

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

    /// The most attempts that are made, as long as none makes progress.
    package var attempts: Int {
        let (product, overflow) = max(1, slow.steps).multipliedReportingOverflow(by: max(1, quick?.steps ?? 1))
        return overflow ? .max : product
    }

    /// A single attempt.
    package static let once = RetrySchedule(Backoff(duration: 0, factor: 1, jitter: 0, steps: 1))

    /// R5: removing at S3.
    package static let delete = RetrySchedule(Backoff(duration: 10_000_000, factor: 5, jitter: 0.1, steps: 4))

    /// R6: GCS and OSS.
    package static let cloud = RetrySchedule(Backoff(duration: 2_000_000_000, factor: 2, jitter: 0.1, steps: 5))
}

/// An attempt that follows a failed one.
package struct RetryNotice: Sendable, Equatable {
    /// Why the last one failed: operation, subject and cause.
    package let cause: String
    /// Which attempt comes next, the first being 1.
    package let attempt: Int
    /// The most that are made.
    package let attempts: Int
    /// Nanoseconds until then.
    package let pause: Int64

    package init(cause: String, attempt: Int, attempts: Int, pause: Int64) {
        self.cause = cause
        self.attempt = attempt
        self.attempts = attempts
        self.pause = pause
    }

    /// One line for people.
    package var text: String { "retrying \(cause) (\(attempt) of \(attempts))" }
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
        var number = 1
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
                    number = 1
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
                number += 1
                tell(RetryNotice(cause: errorText(error), attempt: number, attempts: schedule.attempts, pause: pause))
                guard context.cancellation.sleep(pause) else { throw error }
            }
        }
    }

    private func tell(_ notice: RetryNotice) {
        if let onRetry = context.onRetry { return onRetry(notice) }
        context.log.info(
            "retrying",
            [
                "error": .text(notice.cause), "attempt": .count(notice.attempt), "attempts": .count(notice.attempts),
                "pauseMilliseconds": .integer(notice.pause / 1_000_000),
            ])
    }

    /// Whether another attempt may help: by the error's own kind, or by the user's pattern.
    package func isTransient(_ error: any Error) -> Bool {
        guard let classified = error as? any ClassifiedError else { return false }
        if let error = error as? ArtifactError, [.exhausted, .cancelled, .notFound].contains(error.code) { return false }
        return classified.isTransient || context.isTransientText(classified.message)
    }
}
