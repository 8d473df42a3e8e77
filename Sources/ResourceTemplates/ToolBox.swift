package import ProcessControl
package import SystemSupport

/// The programs that resource templates need besides our own: kubectl and jq, in the image `argoexec`.
package struct ToolBox: Sendable {
    /// The whole environment that we were started with.
    let environment: ProcessEnvironment
    let interruption: Interruption
    /// Whether a text makes an error transient: `TRANSIENT_ERROR_PATTERN`.
    let isTransientText: @Sendable (String) -> Bool
    let log: Log
    /// Where the programs' standard error goes.
    private let standardError: Int32

    package init(
        environment: ProcessEnvironment, interruption: Interruption, log: Log, standardError: Int32 = 2,
        isTransientText: @escaping @Sendable (String) -> Bool = { _ in false }
    ) {
        self.environment = environment
        self.interruption = interruption
        self.log = log
        self.standardError = standardError
        self.isTransientText = isTransientText
    }

    /// - Throws: `ExecutorError` where there is no such program.
    func find(_ name: String) throws -> BytePath {
        do {
            return try ProgramSearch.find(BytePath(name), searchPath: environment["PATH"])
        } catch {
            throw ExecutorError.failed(
                "run \(name): this image has no \(name): use the image argoexec, argoexec-slim is without it (\(errorText(error)))"
            )
        }
    }

    /// Bytes of what is printed of an object: it has at most 3 MiB, the limit of requests that make it, and blanks between.
    static let longestObject = 16 << 20
    /// Bytes of a parameter's value: no task result can hold more.
    static let longestValue = 3 << 20

    /// Runs a program to its end; SIGTERM ends it, and so does more output than `outputLimit` bytes.
    ///
    /// - Throws: `SystemError` where it cannot be started; `ExecutorError` where SIGTERM came or it said too much.
    func run(
        _ program: BytePath, _ words: [String], _ environment: ProcessEnvironment, input: [UInt8] = [], outputLimit: Int
    ) throws -> Subprocess.Result {
        var process = Subprocess(
            Spawner(program: program, arguments: [program] + words.map { BytePath($0) }, environment: environment))
        process.input = input
        process.outputLimit = outputLimit
        process.errorSink = DescriptorSink(standardError, subject: "standard error")
        process.cancellation = interruption.descriptors
        do { return try process.run() } catch {
            throw interruption.hasCome ? Interruption.error("run \(program.base) \(words.first ?? "")") : error
        }
    }

    /// How a program ended, for messages.
    static func ending(_ status: ExitStatus) -> String {
        switch status {
        case .exited(let code): "ended with exit code \(code)"
        case .signaled(let number): "was killed by signal \(number)"
        }
    }
}
