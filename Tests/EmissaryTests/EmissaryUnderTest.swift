import Foundation
import Glibc
import ProcessControl
import RunDirectory
import SystemSupport
import TestSupport
import Testing

/// A run directory of its own and the built program in the role of an emissary in it.
final class EmissaryUnderTest {
    let folder: TemporaryFolder
    let runDirectory: RunDirectory
    var containerName = "main"
    var subcommand: BytePath = "emissary"
    var variables: [String: String] = [:]
    /// Words before the program, e.g. a sandbox.
    var wrapper: [String] = []

    /// - Parameter template: JSON, written to the run directory; nil for none.
    init(template: String? = "{}") throws {
        folder = try TemporaryFolder()
        runDirectory = RunDirectory(root: BytePath(folder.url.appending(path: "run").path))
        try AtomicFile.createDirectory(runDirectory.root)
        if let template { try runDirectory.writeTemplate(Array(template.utf8)) }
    }

    /// Whether the program has a mode of this name.
    static func hasMode(_ name: String) -> Bool {
        let program = BytePath(Checkout.executor.path)
        let spawner = Spawner(program: program, arguments: [program, BytePath(name), "--help"], environment: .original())
        return (try? Subprocess(spawner).run())?.status == .exited(0)
    }

    var container: ContainerDirectory { runDirectory.container(containerName) }

    /// A path in the test's own folder.
    func path(_ name: String) -> BytePath { BytePath(folder.url.appending(path: name).path) }

    var environment: ProcessEnvironment {
        var words = [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "ARGO_CONTAINER_NAME=\(containerName)",
            "ARGOEXEC_RUN_DIRECTORY=\(runDirectory.root)",
            "ARGOEXEC_TERMINATION_LOG=\(path("termination"))",
        ]
        if let swift = getenv("LD_LIBRARY_PATH") { words.append("LD_LIBRARY_PATH=" + String(cString: swift)) }
        for (name, value) in variables.sorted(by: { $0.key < $1.key }) {
            words.removeAll { $0.hasPrefix(name + "=") }
            words.append("\(name)=\(value)")
        }
        return ProcessEnvironment(words.map { BytePath($0) })
    }

    func spawner(_ words: [BytePath]) -> Spawner {
        let all =
            wrapper.map { BytePath($0) } + [
                BytePath(Checkout.executor.path), subcommand, "--loglevel", "info", "--log-format", "text", "--gloglevel", "0",
                "--",
            ] + words
        let program = all[0].bytes.contains(UInt8(ascii: "/")) ? all[0] : BytePath("/usr/bin").appending(all[0])
        return Spawner(program: program, arguments: all, environment: environment)
    }

    /// Runs the emissary to its end.
    func run(_ words: [BytePath], input: [UInt8] = []) throws -> Subprocess.Result {
        var process = Subprocess(spawner(words))
        process.input = input
        process.outputLimit = 512 << 20
        process.deadline = monotonicNanoseconds() + 60_000_000_000
        return try process.run()
    }

    /// Runs a shell script under the emissary to its end.
    func run(shell script: String) throws -> Subprocess.Result { try run(["sh", "-c", BytePath(script)]) }

    /// Starts a shell script under the emissary; its output goes to files.
    func start(shell script: String) throws -> RunningEmissary {
        try RunningEmissary(spawner(["sh", "-c", BytePath(script)]), output: path("output"), error: path("error"))
    }

    /// The content of the exit code file.
    var recordedCode: String? {
        (try? SmallFile.read(container.exitCode)).map { String(decoding: $0, as: UTF8.self) }
    }

    var terminationMessage: String? {
        (try? SmallFile.read(path("termination"))).map { String(decoding: $0, as: UTF8.self) }
    }

    func text(_ path: BytePath) throws -> String { String(decoding: try SmallFile.read(path), as: UTF8.self) }
}

/// An emissary that runs beside the test.
final class RunningEmissary {
    let child: ChildProcess
    private let output: BytePath
    private let error: BytePath

    init(_ spawner: Spawner, output: BytePath, error: BytePath) throws {
        (self.output, self.error) = (output, error)
        let standardOutput = try Descriptor.open(output, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND)
        let standardError = try Descriptor.open(error, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND)
        let standardInput = try Descriptor.open("/dev/null", O_RDONLY)
        var spawner = spawner
        spawner.standardInput = standardInput.raw
        spawner.standardOutput = standardOutput.raw
        spawner.standardError = standardError.raw
        child = try spawner.start()
    }

    deinit {
        if child.status == nil {
            kill(child.id, SIGKILL)
            _ = try? child.wait()
        }
    }

    /// Signals the emissary alone.
    func signal(_ number: Int32) { kill(child.id, number) }

    /// Waits for the end.
    func exitStatus() throws -> ProcessControl.ExitStatus? { try child.wait(until: monotonicNanoseconds() + 60_000_000_000) }

    var outputText: String { ((try? SmallFile.read(output)).map { String(decoding: $0, as: UTF8.self) }) ?? "" }
    var errorText: String { ((try? SmallFile.read(error)).map { String(decoding: $0, as: UTF8.self) }) ?? "" }

    /// Waits until the command has said something on its standard output.
    func waitForOutput(_ text: String) throws {
        try eventually("output \(text)") { outputText.contains(text) }
    }
}

/// Words that run what follows them under bubblewrap.
enum Sandbox {
    /// A root of its own that shows the machine's folders but for some.
    static func privateRoot(without hidden: Set<String>) -> [String] {
        var words = ["bwrap"]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/"))?.sorted() ?? [] where !hidden.contains(name) {
            let path = "/" + name
            if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) {
                words += ["--symlink", target, path]
            } else if !["proc", "dev"].contains(name) {
                words += ["--bind", path, path]
            }
        }
        return words + ["--proc", "/proc", "--dev", "/dev"]
    }

    /// The machine's root, but process numbers of its own: what is run is number 1, as in a container.
    static let asFirstProcess = [
        "bwrap", "--dev-bind", "/", "/", "--unshare-pid", "--as-pid-1", "--die-with-parent", "--proc", "/proc",
    ]
}
