import ArtifactRegistry
import Artifacts
import Glibc
import HTTPTransport
import KubernetesAPI
import SystemSupport
import TestSupport
import Testing
import WorkflowModel

@testable import Executor

private final class Reports: TaskResultSink {
    private let calls = Monitor<[NodeResult]>([])
    var outputs: Outputs? { calls.current.compactMap(\.outputs).last }
    var count: Int { calls.current.count }

    func initialize() throws {}
    func report(_ result: NodeResult) throws { calls.update { $0.append(result) } }
    func finalize(_ result: NodeResult) throws { calls.update { $0.append(result) } }
}

/// A data template over a local store with some files in `bucket/files`.
private struct DataUnderTest {
    let folder: TemporaryFolder
    let reports = Reports()
    let drivers: DriverContext

    init(files: [String] = ["a.txt", "b.csv", "sub/c.txt"]) throws {
        folder = try TemporaryFolder()
        let store = BytePath(folder.url.appending(path: "store").path)
        for file in files {
            let path = store.appending(BytePath("bucket/files/\(file)"))
            try AtomicFile.createDirectory(path.directory)
            try SmallFile.write(path, Array("x".utf8))
        }
        try AtomicFile.createDirectory(store)
        drivers = DriverContext(
            registry: ArtifactDrivers(), clients: HTTPClients(HTTPClientConfiguration()), log: Log(sink: { _ in }),
            executorBackoff: Backoff(duration: 0, factor: 1, jitter: 0, steps: 1), localStore: LocalStore(folder: store))
    }

    func run(
        _ expressions: [String], source: String = #"{"artifactPaths": {"name": "d", "s3": {"key": "files"}}}"#
    ) throws -> String? {
        let steps = expressions.map { "{\"expression\": \"\($0)\"}" }.joined(separator: ",")
        let template = try Template.load(
            from: Array(
                #"""
                {"name": "list", "data": {"source": \#(source), "transformation": [\#(steps)]},
                 "archiveLocation": {"s3": {"endpoint": "e", "bucket": "bucket", "key": "step"}}}
                """#.utf8))
        try DataRun(template: template, drivers: drivers, sink: reports, log: Log(sink: { _ in })).run()
        return reports.outputs?.result
    }
}

@Suite struct DataRunTests {
    @Test func theResultIsTheListOfKeys() throws {
        let step = try DataUnderTest()
        #expect(try step.run([]) == #"["files/a.txt","files/b.csv","files/sub/c.txt"]"#)
        #expect(step.reports.count == 1)
    }

    @Test func expressionsTransformTheListInTheirOrder() throws {
        let step = try DataUnderTest()
        #expect(
            try step.run(["filter(data, {# endsWith '.txt'})", "", "map(data, {trimPrefix(#, 'files/')})"])
                == #"["a.txt","sub/c.txt"]"#)
        #expect(try step.run(["{n: len(data), a: data[0]}"]) == #"{"a":"files/a.txt","n":3}"#)
        #expect(try step.run(["join(data, '<')"]) == #""files/a.txt\u003cfiles/b.csv\u003cfiles/sub/c.txt""#)
    }

    @Test func anEmptyListIsNullUntilItIsTransformed() throws {
        let step = try DataUnderTest(files: [])
        // An object of the name itself, and none below it.
        let store = BytePath(step.folder.url.appending(path: "store/bucket").path)
        try AtomicFile.createDirectory(store)
        try SmallFile.write(store.appending(BytePath("files")), [0x78])
        #expect(try step.run([]) == "null")
        #expect(try step.run(["filter(data, true)"]) == "[]")
    }

    @Test(arguments: [
        (["data +"], "transform data: step 1: evaluate expression: line 1, column 6: unexpected token EOF"),
        (
            ["data", "map(data, # + 1)"],
            "transform data: step 2: evaluate expression: line 1, column 13: invalid operation: string + int"
        ),
        (["sprig.first(data)"], "transform data: step 1: evaluate expression: line 1, column 1: unknown name sprig"),
        (
            ["groupBy(data, #)"],
            "transform data: write the result: evaluate expression: json: unsupported type: map[interface {}]interface {}"
        ),
    ]) func faultsOfExpressionsAreToldWithTheirStep(expressions: [String], message: String) throws {
        let step = try DataUnderTest()
        let error = #expect(throws: ExecutorError.self) { try step.run(expressions) }
        #expect(error?.message == message)
        #expect(step.reports.outputs == nil)
    }

    @Test func aTemplateWithoutSourceIsRefused() throws {
        let step = try DataUnderTest()
        let error = #expect(throws: ExecutorError.self) { try step.run([], source: "{}") }
        #expect(error?.message == "data: template 'list' has no source")
    }

    @Test func aListOfNothingIsNotFound() throws {
        let step = try DataUnderTest()
        let error = #expect(throws: ExecutorError.self) {
            try step.run([], source: #"{"artifactPaths": {"name": "d", "s3": {"key": "nope"}}}"#)
        }
        #expect(error?.message.hasPrefix("list the paths of artifact 'd': ") == true)
        #expect(error?.isNotFound == true)
    }
}
