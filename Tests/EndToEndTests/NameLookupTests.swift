import Foundation
import TestSupport
import Testing

private let canReplaceHostFiles = ["/usr/bin/bwrap", "/etc/hosts", "/etc/resolv.conf"].allSatisfy {
    (try? FileManager.default.attributesOfItem(atPath: $0))?[.type] as? FileAttributeType == .typeRegular
}

/// Names that are not known yet, or lead to an old address, as happens when services of a cluster move: `init` gets over it.
///
/// It runs in a sandbox with files of the test's own in the place of `/etc/hosts` and `/etc/resolv.conf`; nobody answers for
/// names that are not in the first.
@Suite(.enabled(if: canReplaceHostFiles, "needs bubblewrap, and regular files /etc/hosts and /etc/resolv.conf"))
struct NameLookupTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.write(Data("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n".utf8), to: "resolv.conf")
        try folder.write(Data(), to: "run/unused")
    }

    /// Starts `init` for an artifact of the host `store.test`.
    private func start(port: Int) throws -> (process: Process, errors: FileHandle) {
        let template = """
            {"name": "t", "inputs": {"artifacts": [{"name": "in", "path": "/in", "http": {"url": "http://store.test:\(port)/f"}}]},
             "container": {"image": "x"}, "outputs": {}, "metadata": {}}
            """
        var words: [String] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: "/") where !["proc", "dev", "argo"].contains(name) {
            if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/" + name) {
                words += ["--symlink", target, "/" + name]
            } else {
                words += ["--bind", "/" + name, "/" + name]
            }
        }
        words += ["--proc", "/proc", "--dev", "/dev", "--die-with-parent"]
        for name in ["hosts", "resolv.conf"] { words += ["--bind", folder.url.appending(path: name).path, "/etc/" + name] }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/bwrap")
        process.arguments = words + ["--", Checkout.executor.path, "init", "--loglevel", "debug"]
        process.environment = [
            "PATH": "/usr/bin:/bin", "ARGO_POD_NAME": "pod", "ARGO_WORKFLOW_NAME": "wf", "ARGO_NODE_ID": "node",
            "ARGO_DEADLINE": "0001-01-01T00:00:00Z", "ARGO_CONTAINER_NAME": "init", "ARGO_TEMPLATE": template,
            "ARGOEXEC_RUN_DIRECTORY": folder.url.appending(path: "run").path,
            "ARGOEXEC_TERMINATION_LOG": folder.url.appending(path: "log").path,
            "EXECUTOR_RETRY_BACKOFF_DURATION": "100ms", "EXECUTOR_RETRY_BACKOFF_FACTOR": "1",
            "EXECUTOR_RETRY_BACKOFF_STEPS": "100",
        ]
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        return (process, errors.fileHandleForReading)
    }

    /// Changes the file in its place: another one would not be seen in the sandbox.
    private func hosts(_ line: String) throws {
        let file = folder.url.appending(path: "hosts")
        if !FileManager.default.fileExists(atPath: file.path) { try Data().write(to: file) }
        let handle = try FileHandle(forWritingTo: file)
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: Data("127.0.0.1 localhost\n\(line)\n".utf8))
        try handle.close()
    }

    @Test(arguments: [
        ("", "lookup store.test: no such host"),
        ("127.0.0.3 store.test", "connect: connection refused"),
    ]) func isGotOverOnceTheNameIsRight(before: String, failure: String) throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(200, "body") })
        defer { server.stop() }
        try hosts(before)
        let (process, errors) = try start(port: server.port)
        var text = ""
        var hasFailed = false
        // The attempts are counted, so that this ends in any case.
        while true {
            let more = errors.availableData
            if more.isEmpty { break }
            text += String(decoding: more, as: UTF8.self)
            if !hasFailed, text.contains(failure), text.contains("retrying") {
                hasFailed = true
                try hosts("127.0.0.1 store.test")
            }
        }
        process.waitUntilExit()
        #expect(hasFailed && process.terminationStatus == 0, "\(text.suffix(2000))")
        #expect(server.requests.count == 1)
    }
}
