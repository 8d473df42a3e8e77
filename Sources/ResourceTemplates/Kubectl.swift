import ProcessControl
import SystemSupport

/// kubectl, run as a program. What it writes on its standard error reaches ours as it comes, whole.
struct Kubectl: Sendable {
    private let tools: ToolBox
    private let program: BytePath
    private let environment: ProcessEnvironment

    /// Attempts where a transient error is told (contract 02 §11, R5).
    private static let transient = Backoff(duration: 10_000_000, factor: 5, jitter: 0.1, steps: 4)
    /// A server that nobody answers for comes back within a minute or two as a rule, and until then nothing can have been done
    /// twice.
    private static let unreachable = Backoff(
        duration: 1_000_000_000, factor: 1.6, jitter: 0.2, steps: .max, cap: 10_000_000_000, limit: 120_000_000_000)

    /// - Throws: `ExecutorError` where this image has no kubectl.
    init(_ tools: ToolBox, temporary: BytePath) throws {
        self.tools = tools
        program = try tools.find("kubectl")
        var environment = tools.environment
        // What it has learned of the API serves its next run too; the root may be read-only.
        if environment["KUBECACHEDIR"] == nil {
            environment.set("KUBECACHEDIR", to: temporary.appending(".kube-cache"))
        }
        self.environment = environment
    }

    /// Runs it until it succeeds or there are no more retries.
    ///
    /// - Parameter outputLimit: bytes of its standard output at most.
    /// - Returns: its standard output.
    /// - Throws: `KubectlFailure` with the last attempt's words; `ExecutorError` where SIGTERM ended it.
    func run(_ words: [String], outputLimit: Int = ToolBox.longestObject) throws -> [UInt8] {
        let log = tools.log
        let told = { (error: any Error, pause: Int64) in
            log.warn(
                "kubectl: trying again",
                ["error": .error(error), "inMilliseconds": .integer(pause / 1_000_000)])
        }
        return try Self.unreachable.run(
            isTransient: { ($0 as? KubectlFailure)?.isUnreachable ?? false }, sleep: tools.interruption.sleep, onRetry: told
        ) {
            try Self.transient.run(
                isTransient: { ($0 as? KubectlFailure).map { $0.isTransient && !$0.isUnreachable } ?? false },
                sleep: tools.interruption.sleep, onRetry: told
            ) { try attempt(words, outputLimit) }
        }
    }

    private func attempt(_ words: [String], _ outputLimit: Int) throws -> [UInt8] {
        tools.log.info("running kubectl", ["arguments": .text(words.joined(separator: " "))])
        let result = try tools.run(program, words, environment, outputLimit: outputLimit)
        if result.status == .exited(0) { return result.output }
        throw KubectlFailure(
            standardError: result.error, status: "kubectl \(words.first ?? "") \(ToolBox.ending(result.status))",
            isTransientText: tools.isTransientText)
    }
}
