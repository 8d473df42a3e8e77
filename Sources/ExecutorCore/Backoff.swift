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
        var delay = Double(duration)
        var attempts = 1
        while true {
            do { return try attempt() } catch {
                let pause = Int64(delay * (1 + jitter * Double.random(in: 0..<1)))
                let used = monotonicNanoseconds() - start
                guard isTransient(error), attempts < steps, limit.map({ used + pause <= $0 }) ?? true else { throw error }
                onRetry(error, pause)
                guard sleep(pause) else { throw error }
                delay *= factor
                if let cap { delay = min(delay, Double(cap)) }
                attempts += 1
            }
        }
    }
}
