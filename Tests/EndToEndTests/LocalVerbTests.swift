import Foundation
import SystemSupport
import TestSupport
import Testing

/// What scripts see of the verbs for people: exit codes and streams.
@Suite struct LocalVerbTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A program of ours, its streams apart.
    private func start(
        _ words: [String], environment: [String: String] = [:]
    ) throws -> (process: Process, output: Pipe, errors: Pipe) {
        let process = Process()
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.executableURL = Checkout.executor
        process.arguments = words
        process.currentDirectoryURL = folder.url
        let output = Pipe()
        let errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return (process, output, errors)
    }

    private func run(
        _ words: [String], environment: [String: String] = [:]
    ) throws -> (code: Int32, output: String, errors: String) {
        let (process, output, errors) = try start(words, environment: environment)
        let printed = try output.fileHandleForReading.readToEnd() ?? Data()
        let told = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: printed, as: UTF8.self), String(decoding: told, as: UTF8.self))
    }

    @Test(arguments: [
        ["check"], ["check", "a", "b"], ["check", "--output", "yaml", "a"], ["check", "--unknown"], ["stage", "a"],
        ["stage", "--dir", "d"], ["collect", "a", "b", "--dir", "d"], ["collect"], ["completion"], ["completion", "tcsh"],
    ]) func badFlagsEndWith64(words: [String]) throws {
        let (code, output, errors) = try run(words)
        #expect(code == 64)
        #expect(output.isEmpty)
        #expect(errors.hasPrefix("Error: "))
    }

    @Test(arguments: [["check", "absent"], ["stage", "absent", "--dir", "d"], ["collect", "--dir", "absent"]])
    func whatIsNotThereEndsWith1(words: [String]) throws {
        let (code, output, errors) = try run(words)
        #expect(code == 1)
        #expect(output.isEmpty)
        #expect(errors.hasPrefix("error: ") && errors.split(separator: "\n").count == 1)
    }

    /// A store that is away: the environment says how often it is tried, and each time is told as it comes.
    @Test(arguments: ["stage", "collect"]) func tellsWhatIsTriedAgain(verb: String) throws {
        let location =
            "s3: {endpoint: \"127.0.0.1:1\", insecure: true, bucket: b, key: k, region: r, "
            + "accessKeySecret: {name: s, key: a}, secretKeySecret: {name: s, key: a}}"
        let artifact = "{artifacts: [{name: a, path: /a, archive: {none: {}}, \(location)}]}"
        let template = "name: t\n\(verb == "stage" ? "inputs" : "outputs"): \(artifact)\ncontainer: {image: x, command: [x]}\n"
        try folder.write(Data(template.utf8), to: "template.yaml")
        try folder.write(Data("key".utf8), to: "secrets/s/a")
        if verb == "collect" { try folder.write(Data("a".utf8), to: "d/root/a") }
        let (code, output, errors) = try run(
            [verb, "template.yaml", "--dir", "d", "--secrets", "secrets"],
            environment: ["EXECUTOR_RETRY_BACKOFF_STEPS": "3", "EXECUTOR_RETRY_BACKOFF_DURATION": "1ms"])
        #expect(code == 1)
        #expect(output.isEmpty)
        let lines = errors.split(separator: "\n")
        #expect(lines.count == 3, "\(errors)")
        for (line, attempt) in zip(lines, 2...3) {
            #expect(line.hasPrefix("retrying ") && line.hasSuffix("connection refused (\(attempt) of 3)"), "\(line)")
        }
        #expect(lines.last?.hasPrefix("error: ") == true)
    }

    @Test func aSettingThatIsNoNumberIsRefused() throws {
        try folder.write(Data("name: t\ncontainer: {image: x, command: [x]}\n".utf8), to: "template.yaml")
        let (code, _, errors) = try run(
            ["stage", "template.yaml", "--dir", "d"], environment: ["EXECUTOR_RETRY_BACKOFF_STEPS": "many"])
        #expect(code == 1)
        #expect(errors.hasPrefix("error: ") && errors.contains("EXECUTOR_RETRY_BACKOFF_STEPS"))
    }

    @Test func stageAndCollectGoThroughTheLocalStore() throws {
        let template = """
            name: t
            inputs: {artifacts: [{name: in, path: /in, raw: {data: hello}}]}
            outputs: {artifacts: [{name: out, path: /in, archive: {none: {}}}]}
            container: {image: x, command: [x]}

            """
        try folder.write(Data(template.utf8), to: "t.yaml")
        let staged = try run(["stage", "t.yaml", "--dir", "step"])
        #expect(staged.code == 0)
        #expect(staged.output == "input in: step/root/in\n")
        #expect(staged.errors.isEmpty)
        let collected = try run(["collect", "--dir", "step", "--output", "json"])
        #expect(collected.code == 0)
        let outputs = try JSON(parsing: Data(collected.output.utf8))
        let key = try #require(outputs["artifacts"]?.items[0]["s3"]?["key"]?.text)
        let stored = folder.url.appending(path: ".argoexec/artifacts/" + key)
        #expect(try String(contentsOf: stored, encoding: .utf8) == "hello")
    }

    /// A store that takes connections and never answers.
    @Test func anInterruptEndsWith130() throws {
        let isAsked = Monitor(false)
        let store = try ScriptedServer { conversation in
            _ = conversation.readRequest()
            isAsked.update { $0 = true }
            conversation.waitForClose()
        }
        defer { store.stop() }
        try folder.write(
            Data("s3: {endpoint: '127.0.0.1:\(store.port)', bucket: b, insecure: true}".utf8), to: "repository.yaml")
        let (process, output, _) = try start(["check", "repository.yaml", "-o", "json"])
        isAsked.wait { $0 ? true : nil }
        kill(process.processIdentifier, SIGINT)
        process.waitUntilExit()
        #expect(process.terminationStatus == 130)
        let report = try JSON(parsing: try output.fileHandleForReading.readToEnd() ?? Data())
        #expect(report["succeeded"] == false)
    }
}
