import Executor
import SystemSupport

extension Backoff {
    /// The reference's "default retry", `RETRY_BACKOFF_*` (contract 01 §5.2; 02 §11, R7).
    ///
    /// - Parameter failure: makes the error of a value that cannot be understood.
    /// - Throws: what `failure` makes.
    static func defaultRetry(
        _ environment: Environment, orFail failure: (String) -> StartFailure
    ) throws(StartFailure) -> Backoff {
        var backoff = Backoff(duration: 10_000_000, factor: 2, jitter: 0, steps: 5)
        func text(_ variable: EnvironmentVariable) -> String? { environment.nonEmpty(variable) }
        func refuse(_ variable: EnvironmentVariable, _ kind: String) -> StartFailure {
            failure("read \(variable.rawValue): \"\(text(variable) ?? "")\" is not a \(kind)")
        }
        if let value = text(.defaultRetryDuration) {
            guard let duration = GoDuration.nanoseconds(value) else { throw refuse(.defaultRetryDuration, "duration") }
            backoff.duration = duration
        }
        if let value = text(.defaultRetryFactor) {
            guard let factor = Double(value), factor.isFinite else { throw refuse(.defaultRetryFactor, "finite number") }
            backoff.factor = factor
        }
        if let value = text(.defaultRetrySteps) {
            guard let steps = Int(value) else { throw refuse(.defaultRetrySteps, "number") }
            backoff.steps = steps
        }
        return backoff
    }
}
