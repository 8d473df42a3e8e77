import Executor
import Glibc
import HTTPTransport
import KubernetesAPI
import ProcessControl
import RunDirectory
import SystemSupport
import TraceExport
import Tracing
import WorkflowModel

/// The traces of one mode. Where no endpoint is set it does nothing at all.
///
/// A mode makes one, runs its work as one span, and finishes when all else is done:
///
///     let telemetry = Telemetry(environment, call.global, log)
///     defer { telemetry.finish() }
///     try telemetry.run(.wait, context) { … }
///
/// Spans within are made where the work is, by `Trace.span("name") { … }`.
final class Telemetry {
    /// What the span of a mode is called, and what the mode has to do with the emissaries of its pod.
    enum Mode: String {
        case initialize = "runInitContainer"
        case wait = "runWaitContainer"
        case supervisor = "runSupervisorContainer"
        /// `resource` and `data`, in the main container.
        case main = "runMainContainer"

        /// It begins before the emissaries do, and tells them that their spans are collected.
        var announces: Bool { self == .initialize || self == .supervisor }
        /// It ends after them, and collects their spans.
        var collects: Bool { self == .wait || self == .supervisor }
    }

    /// How long the end of a mode may be held up by a collector, nanoseconds.
    private static let patience: Int64 = 2_000_000_000

    private let environment: Environment
    private let global: GlobalSettings
    private let log: Log
    private var queue: SpanQueue?

    init(_ environment: Environment, _ global: GlobalSettings, _ log: Log) {
        self.environment = environment
        self.global = global
        self.log = log
    }

    /// Runs the work of a mode as a span.
    ///
    /// - Throws: what `body` throws; `StartFailure` where the variables ask for what is no protocol.
    func run<R>(_ mode: Mode, _ context: ExecutorContext, _ body: () throws -> R) throws -> R {
        guard let (tracer, settings, queue) = try start(context) else { return try body() }
        let parent = SpanContext(traceParent: environment[.traceParent], traceState: environment[.traceState])
        let attributes = podAttributes(environment, global)
        if mode == .main, let parent {
            // The emissary around us is the span.
            return try Trace.within(tracer.continuing(parent), body)
        }
        guard let span = tracer.begin(mode.rawValue, parent: parent, attributes) else { return try body() }
        let directory = RunDirectory(root: context.settings.paths.runDirectory)
        if mode.announces {
            do { try directory.announceTracing() } catch {
                log.warn("the spans of the containers will be missing", ["error": .error(error)])
            }
        }
        defer {
            span.end()
            if mode.collects {
                for name in context.template.mainContainerNames + context.template.sidecarNames {
                    guard let line = directory.container(name).readSpan(limit: CommandSpan.longestLine),
                        let span = CommandSpan(line: line, state: parent?.state ?? ""),
                        // Of our own trace only: user code can write there too.
                        parent == nil || span.context.traceID == parent?.traceID
                    else { continue }
                    queue.add(span.span(container: name, attributes, limits: settings.limits))
                }
            }
        }
        return try span.run(body)
    }

    private func start(_ context: ExecutorContext) throws -> (Tracer, TraceSettings, SpanQueue)? {
        guard TraceSettings.isOn(environment) else { return nil }
        do throws(TraceSettings.Failure) {
            let settings = try TraceSettings(environment, trust: context.trust, proxy: context.proxy, log: log)
            let queue = SpanQueue(
                settings, resource: processAttributes(settings, service: settings.serviceName, environment),
                userAgent: UserAgent.text, log: log)
            self.queue = queue
            let tracer = Tracer(sampler: settings.sampler, limits: settings.limits) { queue.add($0) }
            return (tracer, settings, queue)
        } catch {
            if error.isFatal { throw StartFailure.fatal(error.message) }
            log.warn("traces are not exported", ["error": .error(error)])
            return nil
        }
    }

    /// Sends what is left. A collector that is away or slow is not waited for.
    func finish() { if let queue { ProcessEnd.after(queue, patience: Self.patience) } }
}

/// The span of an emissary whose container has an endpoint of its own and no executor that would take the span.
enum CommandSpanExport {
    /// How long the end of the container may be held up by a collector, nanoseconds. Its exit code is written by then.
    private static let patience: Int64 = 1_000_000_000

    static func send(_ span: CommandSpan, container: String, _ environment: Environment, _ global: GlobalSettings, _ log: Log) {
        do {
            let services = try StoreServices(environment, log: .silent)
            let settings = try TraceSettings(environment, trust: services.trust, proxy: services.proxy, log: log)
            // The service's name in this environment is that of the user's program.
            let queue = SpanQueue(
                settings, resource: processAttributes(settings, service: nil, environment), userAgent: UserAgent.text, log: log)
            queue.add(span.span(container: container, podAttributes(environment, global), limits: settings.limits))
            ProcessEnd.after(queue, patience: patience)
        } catch { log.warn("traces are not exported", ["error": .error(error)]) }
    }
}

/// How the process may end.
package enum ProcessEnd {
    private static let isAbrupt = Monitor(false)

    /// Waits for the last spans, and notes whether a thread is left behind.
    fileprivate static func after(_ queue: SpanQueue, patience: Int64) {
        if !queue.finish(within: patience) { isAbrupt.update { $0 = true } }
    }

    /// Ends the process. Where a thread is still in a library, the library is not taken down under it.
    package static func exit(_ code: Int32) -> Never {
        if isAbrupt.current { _exit(code) }
        Glibc.exit(code)
    }
}

/// Attributes of the spans of all containers of a pod.
private func podAttributes(_ environment: Environment, _ global: GlobalSettings) -> [SpanAttribute] {
    let pod = InClusterSource(
        host: nil, port: nil, namespace: global.client["namespace"]?.last ?? environment[.podNamespace])
    return [.text("name", environment[.workflowName] ?? ""), .text("namespace", pod.namespace)]
}

/// What tells of the process, after OpenTelemetry's conventions. Its arguments do not: they may hold secrets.
private func processAttributes(
    _ settings: TraceSettings, service: String?, _ environment: Environment
) -> [SpanAttribute] {
    let version = BuildInformation.current.version
    var attributes: [SpanAttribute] = [
        .text("service.name", service ?? "argoexec"), .text("service.version", version),
        .text("telemetry.sdk.name", "argoexec"), .text("telemetry.sdk.language", "swift"),
        .text("telemetry.sdk.version", version), .text("os.type", "linux"), .integer("process.pid", Int64(getpid())),
        .text("process.executable.name", "argoexec"),
    ]
    if let pod = environment.nonEmpty(.podName) { attributes.append(.text("k8s.pod.name", pod)) }
    if let container = environment.nonEmpty(.containerName) { attributes.append(.text("k8s.container.name", container)) }
    let given = Set(settings.resource.map(\.key))
    return attributes.filter { !given.contains($0.key) } + settings.resource
}
