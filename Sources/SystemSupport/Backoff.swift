/// A retry policy of the Kubernetes kind (contract 02 §11): attempt, sleep d plus a uniform share of up to jitter·d, d := d·factor.
package struct Backoff: Sendable, Equatable {
    /// First delay in nanoseconds.
    package var duration: Int64
    /// Multiplier of the delay after each attempt.
    package var factor: Double
    /// Each delay is d…d·(1+jitter), uniform.
    package var jitter: Double
    /// Maximum number of attempts.
    package var steps: Int
    /// The longest single delay in nanoseconds; nil for none.
    package var cap: Int64?
    /// No attempt begins later than this many nanoseconds after the first; nil for no limit.
    package var limit: Int64?

    package init(
        duration: Int64, factor: Double, jitter: Double, steps: Int, cap: Int64? = nil, limit: Int64? = nil
    ) {
        self.duration = duration
        self.factor = factor
        self.jitter = jitter
        self.steps = steps
        self.cap = cap
        self.limit = limit
    }

    /// Runs `attempt` until it succeeds, fails for good, or the policy is used up; then throws the last error.
    ///
    /// - Parameters:
    ///   - isTransient: whether an error is worth another attempt.
    ///   - sleep: waits that many nanoseconds; false when the waiting was cut short and no further attempt shall be made.
    package func run<R>(
        isTransient: (any Error) -> Bool = { ($0 as? any ClassifiedError)?.isTransient ?? false },
        sleep: (Int64) -> Bool = {
            sleepNanoseconds($0); return true
        },
        onRetry: (any Error, Int64) -> Void = { _, _ in },
        _ attempt: () throws -> R
    ) throws -> R {
        let start = monotonicNanoseconds()
        var pauses = BackoffPauses(self)
        while true {
            do { return try attempt() } catch {
                guard isTransient(error), let pause = pauses.next() else { throw error }
                let used = monotonicNanoseconds() - start
                guard limit.map({ used + pause <= $0 }) ?? true else { throw error }
                onRetry(error, pause)
                guard sleep(pause) else { throw error }
            }
        }
    }
}

/// The pauses between the attempts of a policy, whose numbers may be anything: they come from the environment.
package struct BackoffPauses: Sendable {
    /// The longest pause, a day: a delay that grows by a large factor would else never end.
    package static let longest: Int64 = 86_400_000_000_000

    private let policy: Backoff
    private var delay: Double
    private var attempts = 1

    package init(_ policy: Backoff) {
        self.policy = policy
        delay = Double(policy.duration)
    }

    /// The pause before the next attempt, in nanoseconds, from 0 to `longest`; nil when there is none.
    ///
    /// As in the Kubernetes library, a factor of 0 leaves the delay as it is, and a jitter below 0 is none.
    package mutating func next() -> Int64? {
        guard attempts < policy.steps else { return nil }
        attempts += 1
        let pause = Int64(saturating: delay * (1 + max(0, policy.jitter) * Double.random(in: 0..<1)))
        if policy.factor != 0 { delay *= policy.factor }
        // A factor below 0 leaves no delay.
        delay = min(max(0, delay), Double(policy.cap ?? Self.longest))
        return min(max(0, pause), Self.longest)
    }
}
