import Foundation
import TestSupport
import Testing

/// Where the checks' outcomes go: one line each in a file that `scripts/test` prints as a table, driver by server by check.
enum ConformanceTable {
    enum Outcome: String {
        case passed
        case failed = "FAILED"
        case notOffered = "not offered"
        case absent = "server absent"
    }

    /// Whether an issue was recorded in the check that runs.
    final class Verdict: @unchecked Sendable { var hasIssue = false }
    @TaskLocal static var verdict = Verdict()

    /// Written by all test processes.
    private static let file = Checkout.root.appending(path: ".build/testbed/conformance.tsv")

    static func record(_ check: Conformance, _ driver: String, _ server: String, _ outcome: Outcome) {
        try? FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        let row = Conformance.all.firstIndex { $0.testDescription == check.testDescription } ?? 999
        let fields = [String(row), driver, server, check.testDescription, outcome.rawValue]
        let line = Array((fields.joined(separator: "\t") + "\n").utf8)
        let descriptor = open(file.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        // One write, so that lines of several processes do not mix.
        _ = write(descriptor, line, line.count)
        close(descriptor)
    }
}

extension Conformance {
    /// Runs the check against a store and records its outcome; only what ran to its end without an issue has passed.
    ///
    /// - Parameter make: a new store of that kind.
    func run(driver: String, server: String, _ make: () async throws -> StoreUnderTest) async throws {
        let kind: StoreUnderTest
        do { kind = try await make() } catch let missing as ServerUnavailable {
            ConformanceTable.record(self, driver, server, .absent)
            try Test.cancel("\(missing)")
        }
        guard needs.isSubset(of: kind.offers) else {
            ConformanceTable.record(self, driver, server, .notOffered)
            return
        }
        let verdict = ConformanceTable.Verdict()
        do {
            let fixture = try StoreFixture(kind)
            try ConformanceTable.$verdict.withValue(verdict) {
                try body(fixture)
                // What a real server tells of an object is what we compute of it.
                #expect(!fixture.log.text.contains("are no MD5s"))
            }
        } catch {
            ConformanceTable.record(self, driver, server, .failed)
            throw error
        }
        ConformanceTable.record(self, driver, server, verdict.hasIssue ? .failed : .passed)
    }
}

extension Trait where Self == IssueHandlingTrait {
    /// Lets `Conformance.run` know of the issues of its check.
    static var tellsVerdict: Self {
        .compactMapIssues { issue in
            ConformanceTable.verdict.hasIssue = true
            return issue
        }
    }
}
