import Foundation
import TestSupport

/// One run of the built program in a sandbox with the places of a pod, and everything that can be seen of it from outside.
struct ProgramBox {
    /// Holds `secret/NAME/KEY`, `account/FILE`, `home/FILE`, `volume/FILE` and `run/…`, each mounted where a pod has it.
    let folder: TemporaryFolder

    /// What a run left to be read.
    struct Traces {
        let exitCode: Int32
        let standardOutput: String
        let standardError: String
        let terminationLog: String
        let taskResult: String
        /// The words of all programs that were started, its own among them, as strace writes them.
        let commandLines: String

        /// All of it by name; of the task result only what is not the template's own.
        var texts: [(name: String, text: String)] {
            [
                ("standard output", standardOutput), ("standard error", standardError), ("termination log", terminationLog),
                ("task result", taskResult), ("command lines", commandLines),
            ]
        }
    }

    init() throws {
        folder = try TemporaryFolder()
        for name in ["argo", "run/ctr/main", "temporary", "volume", "home", "account", "out", "argo/secret"] {
            try FileManager.default.createDirectory(
                at: folder.url.appending(path: name), withIntermediateDirectories: true)
        }
        try folder.write(Data("0".utf8), to: "run/ctr/main/exitcode")
        try folder.write(Data("content".utf8), to: "volume/f")
    }

    func secret(_ name: String, _ key: String, _ value: String) throws {
        try folder.write(Data(value.utf8), to: "argo/secret/\(name)/\(key)")
    }

    /// Runs the program with the template and environment of a pod's container.
    func run(_ words: [String], template: JSON, environment: [String: String] = [:]) async throws -> Traces {
        let template = String(decoding: template.data, as: UTF8.self)
        try folder.write(Data(template.utf8), to: "run/template")
        var variables = [
            "PATH": "/usr/bin:/bin", "HOME": "/home", "ARGO_POD_NAME": "pod", "ARGO_WORKFLOW_NAME": "wf",
            "ARGO_NODE_ID": "wf-1",
            "ARGO_WORKFLOW_UID": "uid", "ARGO_CONTAINER_NAME": "main", "ARGO_TEMPLATE": template,
            "ARGO_DEADLINE": "0001-01-01T00:00:00Z", "EXECUTOR_RETRY_BACKOFF_DURATION": "1ms",
            "EXECUTOR_RETRY_BACKOFF_STEPS": "2", "ARGOEXEC_TERMINATION_LOG": "/out/termination-log",
            "ARGOEXEC_TASK_RESULT_FILE": "/out/taskresult.json",
        ]
        variables.merge(environment) { _, own in own }
        for (name, value) in variables where value.isEmpty { variables[name] = nil }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            ["bwrap"] + options(variables) + ["--"] + [
                "strace", "-f", "-qq", "-e", "trace=execve", "-s", "100000", "-o", "/out/strace", "/argoexec",
            ] + words
        for name in ["stdout", "stderr"] { try folder.write(Data(), to: "out/\(name)") }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: folder.url.appending(path: "out/stdout"))
        process.standardError = try FileHandle(forWritingTo: folder.url.appending(path: "out/stderr"))
        await ProgramSlots.shared.take()
        defer { Task { await ProgramSlots.shared.giveBack() } }
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in continuation.resume() }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        return Traces(
            exitCode: process.terminationStatus, standardOutput: text("stdout"), standardError: text("stderr"),
            terminationLog: text("termination-log"), taskResult: text("taskresult.json"), commandLines: text("strace"))
    }

    private func text(_ name: String) -> String {
        (try? Data(contentsOf: folder.url.appending(path: "out/\(name)"))).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// bubblewrap's options: this machine's system, read-only, and the folders of the pod.
    private func options(_ environment: [String: String]) -> [String] {
        var options = ["--die-with-parent", "--clearenv", "--tmpfs", "/"]
        for name in ["usr", "etc", "opt"] { options += ["--ro-bind-try", "/\(name)", "/\(name)"] }
        for name in ["bin", "lib", "lib64"] {
            if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/\(name)") {
                options += ["--symlink", target, "/\(name)"]
            } else {
                options += ["--ro-bind-try", "/\(name)", "/\(name)"]
            }
        }
        options += ["--proc", "/proc", "--dev", "/dev", "--ro-bind", Checkout.executor.path, "/argoexec"]
        for (name, place) in [
            ("argo", "/argo"), ("run", "/var/run/argo"), ("temporary", "/tmp"), ("volume", "/mainctrfs/volume"),
            ("home", "/home"),
            ("account", "/var/run/secrets/kubernetes.io/serviceaccount"), ("out", "/out"),
        ] {
            options += ["--bind", folder.url.appending(path: name).path, place]
        }
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) { options += ["--setenv", name, value] }
        return options
    }
}

/// Limits how many programs run at a time; most of them wait.
private actor ProgramSlots {
    static let shared = ProgramSlots()
    private var free = 8
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func take() async {
        if free > 0 { free -= 1 } else { await withCheckedContinuation { waiting.append($0) } }
    }

    func giveBack() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
