import Documents
import Foundation
import PodSandbox
import Synchronization
import SystemSupport
import Testing

/// What every test of sandboxes needs: a folder of its own and pods written by hand.
package final class SandboxFixture {
    package let folder: BytePath
    package var settings: SandboxSettings

    /// Bubblewrap on this machine; nil, with the reason, where it does not work.
    package static let bubblewrap: Result<Bubblewrap, SandboxProblem> = {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        do throws(SandboxProblem) { return .success(try BubblewrapProbe(searchPath: BytePath(path)).run()) } catch {
            return .failure(error)
        }
    }()

    package static var isUsable: Bool { (try? bubblewrap.get()) != nil }
    package static var isRoot: Bool { (try? bubblewrap.get())?.mode == .privileged }

    /// - Parameter name: what the folder's own name contains, of any bytes.
    package init(runtime: ContainerRuntime? = nil, name: BytePath = "sandbox") throws {
        let base = ProcessInfo.processInfo.environment["SANDBOX_TEST_FOLDER"] ?? NSTemporaryDirectory()
        folder = BytePath(base).appending(BytePath(bytes: name.bytes + Array("-\(UUID().uuidString)".utf8)))
        _ = try runShell("mkdir -p \"$1\"", [folder])
        settings = SandboxSettings(
            runtime: try runtime ?? .bubblewrap(Self.bubblewrap.get()), executorImage: "executor:test",
            executor: folder.appending("argoexec"), claims: folder.appending("claims"), imageCache: folder.appending("images"))
        try write("#!/bin/sh\necho this is the executor: \"$@\"\n", to: "argoexec", mode: 0o755)
    }

    deinit {
        // Foundation's paths are text; a shell removes names of any bytes.
        _ = try? runShell("chmod -R u+rwx \"$1\" 2>/dev/null; rm -rf \"$1\"", [folder])
    }

    package var node: PodFolder { PodFolder(folder.appending("node")) }

    package func write(_ text: String, to path: BytePath, mode: mode_t = 0o644) throws {
        let file = folder.appending(path)
        try make(file.directory)
        try SmallFile.write(file, Array(text.utf8), mode: mode)
        _ = file.withCString { chmod($0, mode) }
    }

    package func make(_ directory: BytePath) throws { _ = try runShell("mkdir -p \"$1\"", [directory]) }

    package func read(_ path: BytePath) throws -> String { String(decoding: try SmallFile.read(path), as: UTF8.self) }

    package func log(_ container: String) throws -> String { try read(node.container(container).log) }

    package func exists(_ path: BytePath) -> Bool { path.withCString { access($0, F_OK) } == 0 }

    // MARK: Playing

    package func player() throws -> PodRuntime { try PodRuntime(settings) }

    @discardableResult
    package func play(
        _ pod: JSONValue, attachment: ExecutorAttachment = ExecutorAttachment(), stops: [PodStop] = [],
        observer: ((PodEvent) -> Void)? = nil
    ) throws -> PodOutcome {
        try player().run(pod, in: node, attachment: attachment, stops: stops, observer: observer)
    }

    /// Plays a pod whose only container runs a shell script, and gives what that printed.
    package func output(of script: String, _ container: JSONObject = [:], volumes: [JSONValue] = [], spec: JSONObject = [:])
        throws
        -> String
    {
        let outcome = try play(Self.pod([Self.shell("main", script, container)], volumes: volumes, spec: spec))
        let main = try #require(outcome["main"])
        let log = try log("main")
        #expect(main.exitCode == 0, "\(main) \(log)")
        return log
    }

    package static func pod(
        _ containers: [JSONValue], inits: [JSONValue] = [], volumes: [JSONValue] = [], spec: JSONObject = [:],
        metadata: JSONObject = [:]
    ) -> JSONValue {
        var all: JSONObject = [
            "containers": .array(containers), "initContainers": .array(inits), "volumes": .array(volumes),
        ]
        for member in spec.members { all[member.name] = member.value }
        var named: JSONObject = ["name": "test-pod", "namespace": "argo"]
        for member in metadata.members { named[member.name] = member.value }
        return ["apiVersion": "v1", "kind": "Pod", "metadata": .object(named), "spec": .object(all)]
    }

    /// A container that runs a shell script.
    package static func shell(_ name: String, _ script: String, _ more: JSONObject = [:]) -> JSONValue {
        var container: JSONObject = [
            "name": .string(name), "image": "some/image:1", "command": ["sh", "-c", .string(script)],
        ]
        for member in more.members { container[member.name] = member.value }
        return .object(container)
    }

    package static func mount(_ volume: String, _ path: String, _ more: JSONObject = [:]) -> JSONValue {
        var mount: JSONObject = ["name": .string(volume), "mountPath": .string(path)]
        for member in more.members { mount[member.name] = member.value }
        return .object(mount)
    }
}

/// Runs a shell script of this machine to its end and gives what it printed.
@discardableResult
package func runShell(_ script: String, _ arguments: [BytePath] = []) throws -> String {
    try run(["/bin/sh", "-c", BytePath(script), "sh"] + arguments).output
}

/// Runs a program to its end, with words of any bytes, which Foundation's `Process` would not take.
package func run(_ words: [BytePath], environment: [String: String]? = nil) throws -> (status: Int32, output: String) {
    let file = NSTemporaryDirectory() + "/output-\(UUID().uuidString)"
    defer { unlink(file) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 1, file, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    func copies(_ words: [[UInt8]]) -> [UnsafeMutablePointer<CChar>?] {
        words.map { word in strdup(word.map { CChar(bitPattern: $0) } + [0]) } + [nil]
    }
    let arguments = copies(words.map(\.bytes))
    let variables = copies((environment ?? ProcessInfo.processInfo.environment).map { Array("\($0.key)=\($0.value)".utf8) })
    defer { for pointer in arguments + variables { free(pointer) } }
    var child = pid_t()
    let failure = posix_spawn(&child, arguments[0]!, &actions, nil, arguments, variables)
    guard failure == 0 else { throw SystemError("run", words[0].text, failure) }
    var status: Int32 = 0
    while waitpid(child, &status, 0) == -1, errno == EINTR {}
    let output = String(decoding: try SmallFile.read(BytePath(file)), as: UTF8.self)
    return (status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F, output)
}

/// Events of a pod, kept by whatever thread plays it.
package final class EventRecord: Sendable {
    private let events = Mutex<[String]>([])

    package init() {}

    /// Each event as one line of text.
    package var all: [String] { events.withLock { $0 } }

    package func take(_ event: PodEvent) {
        let text =
            switch event {
            case .started(let container): "started \(container)"
            case .line(let container, let bytes): "\(container): \(String(decoding: bytes, as: UTF8.self))"
            case .ended(let outcome): "ended \(outcome.name) \(outcome.exitCode)"
            }
        events.withLock { $0.append(text) }
    }
}
