import Artifacts
import SystemSupport
import Testing

@testable import ExecutorCommands

/// The modes of a pod and the verbs for people read the same settings.
@Suite struct StoreServicesTests {
    private static let variables = [
        "EXECUTOR_RETRY_BACKOFF_STEPS": "7", "EXECUTOR_RETRY_BACKOFF_DURATION": "10ms", "EXECUTOR_RETRY_BACKOFF_FACTOR": "3",
        "EXECUTOR_RETRY_BACKOFF_JITTER": "0", "TRANSIENT_ERROR_PATTERN": "flaky.*store",
        "ARGOEXEC_TRANSFER_REPORT_INTERVAL": "3s",
        "ARTIFACT_S3_UPLOAD_THREADS": "9",
    ]

    private func services(_ variables: [String: String] = Self.variables) throws -> StoreServices {
        try StoreServices(Environment(variables), log: .silent)
    }

    @Test func everyVerbObeysTheEnvironment() throws {
        let services = try services()
        let backoff = Backoff(duration: 10_000_000, factor: 3, jitter: 0, steps: 7)
        for drivers in [services.drivers(secrets: "/s"), services.attendedDrivers(secrets: "/s")] {
            #expect(drivers.executorBackoff == backoff)
            #expect(drivers.isTransientText("a flaky old store"))
            #expect(!drivers.isTransientText("another error"))
            #expect(drivers.progressInterval == 3_000_000_000)
            #expect(drivers.uploads.threads == 9)
            #expect(drivers.secretsDirectory == "/s")
        }
    }

    @Test func nobodyWaitsForAttemptsInsideAttempts() throws {
        let services = try services([:])
        #expect(services.drivers(secrets: "/s").requestBackoff == .singleRequest)
        let attended = services.attendedDrivers(secrets: "/s")
        #expect(attended.requestBackoff == nil)
        #expect(attended.onRetry != nil)
        #expect(attended.executorBackoff.steps == 5)
    }

    @Test func aCheckTriesOnce() throws {
        let drivers = try services().singleTryDrivers(secrets: "/s")
        #expect(drivers.executorBackoff.steps == 1)
        #expect(drivers.requestBackoff == nil)
        #expect(drivers.isTransientText("a flaky old store"))
    }

    @Test func refusesWhatIsNoNumber() {
        let error = #expect(throws: (any Error).self) { try services(["EXECUTOR_RETRY_BACKOFF_STEPS": "many"]) }
        #expect(error.map { errorText($0) }?.contains("EXECUTOR_RETRY_BACKOFF_STEPS") == true)
    }
}
