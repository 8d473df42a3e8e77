import Documents
import KubernetesAPI
import SystemSupport

/// Looks at an object until its conditions decide.
struct ConditionWait {
    let conditions: Conditions
    let reader: any ObjectReader
    /// Between two looks, in nanoseconds; the first ones follow each other faster.
    let interval: Int64
    let interruption: Interruption
    let log: Log

    private static let firstInterval: Int64 = 500_000_000
    private static let shortestInterval: Int64 = 10_000_000
    private static let longestAfterErrors: Int64 = 30_000_000_000

    /// Returns once the success conditions are fulfilled.
    ///
    /// - Throws: `ExecutorError` where a failure condition is fulfilled, the object is gone, or SIGTERM came; what reading throws
    ///   for good.
    func run(_ object: KubernetesObject) throws {
        let subject = "wait for \(object.fullName)"
        let interval = max(interval, Self.shortestInterval)
        var pause = min(interval, Self.firstInterval)
        var last: Conditions.Verdict?
        log.info(
            "waiting for conditions",
            [
                "object": .text(object.fullName), "success": .text(text(conditions.success)),
                "failure": .text(text(conditions.failure)),
            ])
        while true {
            do {
                let reader = reader
                let state = try interruption.abandoning(subject) { try reader.read(object) }
                let verdict = conditions.verdict(on: state)
                switch verdict {
                case .succeeded:
                    log.info("success conditions are fulfilled", ["object": .text(object.fullName)])
                    return
                case .failed(let requirement):
                    throw ExecutorError.badRequest("failure condition '\(requirement)' evaluated true")
                case .undecided(let count):
                    if verdict != last {
                        log.info(
                            "success conditions are not fulfilled yet",
                            ["fulfilled": .count(count), "of": .count(conditions.success.count)])
                    }
                }
                last = verdict
                pause = min(pause, interval)
            } catch let error as APIError where error.status == 404 {
                throw ExecutorError.notFound(
                    "\(subject): it was deleted before its conditions were fulfilled: \(error.message)")
            } catch let error as APIError where error.isTransient {
                pause = min(max(pause, interval), max(interval, Self.longestAfterErrors))
                log.warn(
                    "cannot read the object now",
                    [
                        "object": .text(object.fullName), "error": .error(error),
                        "inMilliseconds": .integer(pause / 1_000_000),
                    ])
            } catch let error as APIError { throw ExecutorError.wrapping(subject, error) }
            guard interruption.sleep(pause) else { throw Interruption.error(subject) }
            pause = min(pause.multipliedReportingOverflow(by: 2).partialValue, max(interval, Self.longestAfterErrors))
        }
    }

    private func text(_ requirements: [Requirement]) -> String { requirements.map(\.description).joined(separator: ",") }
}
