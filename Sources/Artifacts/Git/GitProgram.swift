import Artifacts
import ProcessControl
import SystemSupport

/// The program `git`, with an environment of our own.
struct GitProgram {
    private let program: BytePath
    private let environment: ProcessEnvironment
    private let context: DriverContext
    private let subject: String
    /// The working tree; nil before there is one.
    var tree: BytePath?

    /// - Throws: `ArtifactError` where this image has no git.
    init(_ environment: ProcessEnvironment, subject: String, context: DriverContext) throws {
        do { program = try ProgramSearch.find("git", searchPath: environment["PATH"]) } catch {
            throw ArtifactError.unsupported(
                "load \(subject): this image has no git: use the image argoexec, argoexec-slim is without it (\(error.message))"
            )
        }
        self.environment = environment
        self.subject = subject
        self.context = context
    }

    /// Runs it to its end.
    ///
    /// - Parameter words: where secrets never are.
    /// - Returns: the lines of its standard output.
    /// - Throws: `ArtifactError` with git's own words, or where it was called off.
    @discardableResult
    func run(_ words: [BytePath], input: String = "") throws -> [String] {
        let inTree = tree.map { ["-C", $0] as [BytePath] } ?? []
        var spawner = Spawner(program: program, arguments: ["git"] + inTree + words, environment: environment)
        // Its working trees have the usual modes (contract 03 §2), whatever our own umask.
        spawner.umask = 0o022
        var process = Subprocess(spawner)
        process.input = Array(input.utf8)
        let cancelled = try EventDescriptor()
        process.cancellation = [cancelled.raw]
        let isOver = Monitor(false)
        let cancellation = context.cancellation
        try WorkerThread {
            while !isOver.current { if !cancellation.sleep(Self.glance) { return cancelled.signal() } }
        }.detach()
        defer { isOver.update { $0 = true } }
        let result: Subprocess.Result
        do { result = try process.run() } catch {
            throw cancellation.isCancelled ? ArtifactError.cancelled("load", subject) : error
        }
        guard result.status == .exited(0) else { throw ArtifactError.told("load", subject, Self.cause(result)) }
        return String(decoding: result.output, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// How often it is looked whether the work was called off, nanoseconds.
    private static let glance: Int64 = 50_000_000

    /// The lines that tell of a failure, without what is said by the way, and without passwords in URLs.
    private static func cause(_ result: Subprocess.Result) -> String {
        let lines = String(decoding: result.error, as: UTF8.self).split { $0.isNewline }.map(String.init).filter { line in
            ![
                "Cloning into", "warning:", "hint:", "Submodule ", "ERROR: ld.so", "Please make sure you have",
                "and the repository exists",
            ].contains { line.hasPrefix($0) }
        }
        let text = lines.map { line in
            hidingUsers(line.hasPrefix("fatal: ") ? String(line.dropFirst(7)) : line)
        }.joined(separator: "; ")
        return "git: " + (text.isEmpty ? "it ended with \(result.status.code)" : text)
    }

    private static func hidingUsers(_ line: String) -> String {
        var parts = line.components(of: "://")
        for index in parts.indices.dropFirst() {
            let host = parts[index].prefix { !"/ '\"".contains($0) }
            if let at = host.lastIndex(of: "@") { parts[index] = String(parts[index][at...].dropFirst()) }
        }
        return parts.joined(separator: "://")
    }
}

extension String {
    fileprivate func components(of separator: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return parts + [String(rest)]
    }
}
