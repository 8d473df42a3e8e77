import ArtifactRegistry
import HTTPTransport
import RegularExpressions
import Synchronization
import SystemSupport
import Testing

@testable import Artifacts

@Suite struct RetryTests {
    private func context(steps: Int = 3, quick: Int? = nil, pattern: String? = nil) -> DriverContext {
        let pattern = pattern.flatMap { try? RegularExpression($0) }
        return DriverContext(
            registry: ArtifactDrivers(), clients: HTTPClients(HTTPClientConfiguration()), log: .silent,
            executorBackoff: Backoff(duration: 1000, factor: 1, jitter: 0, steps: steps),
            requestBackoff: quick.map { Backoff(duration: 1000, factor: 1, jitter: 0, steps: $0) },
            isTransientText: { text in pattern?.matches(text) ?? false })
    }

    private func attempts(_ context: DriverContext, _ error: any Error, madeProgress: @escaping (Int) -> Bool = { _ in false })
        -> (Int, any Error)
    {
        var count = 0
        do {
            let loop = RetryLoop(RetrySchedule(context.executorBackoff, quick: context.requestBackoff), context: context)
            try loop.run(madeProgress: { madeProgress(count) }) {
                count += 1
                throw error
            }
            return (count, error)
        } catch { return (count, error) }
    }

    @Test func triesAsOftenAsTheScheduleSays() {
        let (count, error) = attempts(context(steps: 3), ExecutorError.transient("busy"))
        #expect(count == 3)
        #expect(errorText(error) == "timed out waiting for the condition: busy")
        #expect((error as? ArtifactError)?.code == .exhausted)
    }

    @Test func triesQuicklyInsideEachSlowAttempt() {
        #expect(attempts(context(steps: 3, quick: 4), ExecutorError.transient("busy")).0 == 12)
        #expect(attempts(context(steps: 1, quick: 4), ExecutorError.transient("busy")).0 == 4)
    }

    @Test func tellsEachRetryAtOnce() {
        let told = Mutex<[RetryNotice]>([])
        var context = context(steps: 2, quick: 2)
        context.onRetry = { notice in told.withLock { $0.append(notice) } }
        #expect(attempts(context, ExecutorError.transient("find s3://b/k: busy")).0 == 4)
        #expect(
            told.withLock { $0.map(\.text) } == [
                "retrying find s3://b/k: busy (2 of 4)", "retrying find s3://b/k: busy (3 of 4)",
                "retrying find s3://b/k: busy (4 of 4)",
            ])
        #expect(attempts(context, ExecutorError.failed("no")).0 == 1)
        #expect(told.withLock { $0.count } == 3)
    }

    @Test func logsEachRetryAtInfo() {
        let lines = Mutex<[String]>([])
        var context = context(steps: 3)
        context.log = Log(level: .info) { line in lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
        _ = attempts(context, ExecutorError.transient("busy"))
        let said = lines.withLock { $0 }
        #expect(said.count == 2)
        #expect(
            said.allSatisfy {
                $0.contains(" level=INFO msg=retrying argo=true error=busy attempt=") && $0.contains(" attempts=3 ")
            })
    }

    @Test func tellsAPermanentErrorAsItIs() {
        let (count, error) = attempts(context(), ExecutorError.failed("no"))
        #expect(count == 1)
        #expect(errorText(error) == "no")
    }

    @Test func putsThePrefixOnceOnly() {
        let (count, error) = attempts(context(), ArtifactError.exhausted(ExecutorError.transient("busy")))
        #expect(count == 1)
        #expect(errorText(error) == "timed out waiting for the condition: busy")
    }

    @Test func beginsTheCountAnewAfterProgress() {
        // Progress in the first ten attempts: each of them counts as the first.
        let (count, _) = attempts(context(steps: 3), ExecutorError.transient("busy"), madeProgress: { $0 <= 10 })
        #expect(count == 12)
    }

    @Test func obeysTheUsersPattern() {
        #expect(attempts(context(pattern: "rate exceeded"), ExecutorError.failed("400: rate exceeded")).0 == 3)
        #expect(attempts(context(pattern: "rate exceeded"), ExecutorError.failed("400: other")).0 == 1)
        // A pattern does not bring back what is not there.
        #expect(attempts(context(pattern: "."), ArtifactError.notFound("find", "s3://b/k", "gone")).0 == 1)
    }

    @Test func doesNotWaitOnceCancelled() {
        let context = DriverContext(
            registry: ArtifactDrivers(), clients: HTTPClients(HTTPClientConfiguration()), log: .silent,
            executorBackoff: Backoff(duration: 3_600_000_000_000, factor: 1, jitter: 0, steps: 3))
        context.cancel()
        let (count, error) = attempts(context, ExecutorError.transient("busy"))
        #expect(count == 1)
        #expect(errorText(error) == "busy")
    }

    @Test func hasTheContractsSchedules() {
        #expect(RetrySchedule.delete.slow == Backoff(duration: 10_000_000, factor: 5, jitter: 0.1, steps: 4))
        #expect(RetrySchedule.cloud.slow == Backoff(duration: 2_000_000_000, factor: 2, jitter: 0.1, steps: 5))
    }
}
