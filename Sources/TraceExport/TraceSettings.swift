import Encodings
package import HTTPTransport
package import SystemSupport
package import Tracing

/// Where traces go and how, by the variables of OpenTelemetry's SDKs (contract 01 §5.2).
package struct TraceSettings: Sendable {
    /// Why traces cannot be sent as asked for.
    package struct Failure: ClassifiedError {
        package let message: String
        package var isNotFound: Bool { false }
        package var isTransient: Bool { false }
        /// Whether the contract has the process end for it.
        package let isFatal: Bool
    }

    enum Transport: Sendable, Equatable { case grpc, http }

    var transport: Transport
    var url: HTTPURL
    var headers = HTTPHeaders()
    /// Nanoseconds, for one request.
    var timeout: Int64 = 10_000_000_000
    var compresses = false
    var trust: TrustAnchors
    var clientCertificate: HTTPClientConfiguration.ClientCertificate?
    var proxy: ProxySettings
    /// Nanoseconds.
    var scheduleDelay: Int64
    /// Nanoseconds, for one batch with its repetitions.
    var exportTimeout: Int64
    var queueSize: Int
    var batchSize: Int
    package let sampler: Sampler
    package let limits: SpanLimits
    /// `OTEL_SERVICE_NAME`, or what the resource's attributes say; nil for neither.
    package let serviceName: String?
    /// `OTEL_RESOURCE_ATTRIBUTES` but for the service's name.
    package let resource: [SpanAttribute]

    /// Whether traces are exported at all: an endpoint is set, even if empty, and nothing turns them off.
    package static func isOn(_ environment: Environment) -> Bool {
        (environment[.otlpEndpoint] != nil || environment[.otlpTracesEndpoint] != nil)
            && environment[.otelDisabled]?.lowercased() != "true" && environment[.otelTracesExporter] != "none"
    }

    /// Why a process with this environment must not even start, by the contract: the protocol is none. Nil where it may.
    package static func refusal(_ environment: Environment) -> String? {
        let name = VariableReader(environment: environment, log: .silent).first(.otlpTracesProtocol, .otlpProtocol) ?? "grpc"
        if name == "grpc" || name.hasPrefix("http/") { return nil }
        return "set up tracing: OTEL tracing protocol invalid: \"\(name)\" is neither grpc nor http/protobuf"
    }

    /// - Parameters:
    ///   - trust: for collectors whose authority no variable names.
    ///   - log: is told of values that make no sense, for which the default stands.
    /// - Throws: `Failure`.
    package init(_ environment: Environment, trust: TrustAnchors, proxy: ProxySettings, log: Log) throws(Failure) {
        let reader = VariableReader(environment: environment, log: log)
        if let refusal = Self.refusal(environment) { throw Failure(message: refusal, isFatal: true) }
        transport = (reader.first(.otlpTracesProtocol, .otlpProtocol) ?? "grpc") == "grpc" ? .grpc : .http
        self.proxy = proxy
        do {
            url = try Self.url(transport, reader)
            let authority = try reader.file(.otlpTracesCertificate, .otlpCertificate)
            self.trust = authority.map { .certificates($0.reveal()) } ?? trust
            let certificate = try reader.file(.otlpTracesClientCertificate, .otlpClientCertificate)
            let key = try reader.file(.otlpTracesClientKey, .otlpClientKey)
            if let certificate, let key { clientCertificate = .init(certificate: certificate, key: key) }
        } catch { throw Failure(message: "set up tracing: \(errorText(error))", isFatal: false) }
        timeout = reader.milliseconds(.otlpTracesTimeout, .otlpTimeout, default: 10_000)
        scheduleDelay = reader.milliseconds(.otelScheduleDelay, default: 5_000)
        exportTimeout = reader.milliseconds(.otelExportTimeout, default: 30_000)
        queueSize = reader.count(.otelQueueSize) ?? 2048
        batchSize = min(reader.count(.otelBatchSize) ?? 512, queueSize)
        switch reader.first(.otlpTracesCompression, .otlpCompression) ?? "none" {
        case "gzip": compresses = true
        case "none": break
        default: reader.warn(.otlpCompression)
        }
        for (name, value) in reader.pairs(reader.first(.otlpTracesHeaders, .otlpHeaders) ?? "", .otlpHeaders) {
            headers.add(name.lowercased(), value)
        }
        var limits = SpanLimits()
        limits.valueLength = reader.count(.otelSpanValueLength, .otelValueLength)
        limits.attributeCount = reader.count(.otelSpanAttributeCount, .otelAttributeCount) ?? limits.attributeCount
        limits.eventCount = reader.count(.otelSpanEventCount) ?? limits.eventCount
        self.limits = limits
        sampler = Self.sampler(reader)
        let attributes = reader.pairs(environment[.otelResourceAttributes] ?? "", .otelResourceAttributes)
        serviceName = environment.nonEmpty(.otelServiceName) ?? attributes.last { $0.0 == "service.name" }?.1
        resource = attributes.filter { $0.0 != "service.name" }.map { .text($0.0, $0.1) }
    }

    /// The sampler alone, for a process that records but does not send.
    package static func sampler(_ environment: Environment, log: Log) -> Sampler {
        sampler(VariableReader(environment: environment, log: log))
    }

    private static func sampler(_ reader: VariableReader) -> Sampler {
        guard let name = reader.first(.otelTracesSampler) else { return .standard }
        if let sampler = Sampler(name: name, argument: reader.first(.otelTracesSamplerArgument)) { return sampler }
        reader.warn(.otelTracesSampler)
        return .standard
    }

    private static func url(_ transport: Transport, _ reader: VariableReader) throws -> HTTPURL {
        let own = reader.first(.otlpTracesEndpoint)
        var text = own ?? reader.first(.otlpEndpoint) ?? "http://localhost:\(transport == .grpc ? 4317 : 4318)"
        if !text.contains("://") {
            let isInsecure = reader.first(.otlpTracesInsecure, .otlpInsecure)?.lowercased() == "true"
            text = (isInsecure ? "http://" : "https://") + text
        }
        var url = try HTTPURL(text)
        switch transport {
        case .grpc:
            url.port = url.port ?? 4317
            url.path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
            url.query = nil
        case .http where own == nil:
            while url.path.hasSuffix("/") { url.path.removeLast() }
            url.path += "/v1/traces"
        case .http: break
        }
        return url
    }
}

/// Reads OpenTelemetry's variables: empty counts as unset, and what makes no sense is told and left out.
private struct VariableReader {
    let environment: Environment
    let log: Log

    func first(_ variables: EnvironmentVariable...) -> String? {
        for variable in variables { if let value = environment.nonEmpty(variable) { return value } }
        return nil
    }

    /// Without the value, which may be a secret.
    func warn(_ variable: EnvironmentVariable) {
        log.warn("ignoring a variable that makes no sense", ["variable": .text(variable.rawValue)])
    }

    func count(_ variables: EnvironmentVariable...) -> Int? {
        for variable in variables {
            guard let text = environment.nonEmpty(variable) else { continue }
            if let number = Int(text), (1...1_000_000).contains(number) { return number }
            warn(variable)
        }
        return nil
    }

    /// - Returns: nanoseconds, a day at most.
    func milliseconds(_ variables: EnvironmentVariable..., default fallback: Int64) -> Int64 {
        var result = fallback
        for variable in variables {
            guard let text = environment.nonEmpty(variable) else { continue }
            if let number = Int64(text), number > 0 {
                result = min(number, 86_400_000)
                break
            }
            warn(variable)
        }
        return result * 1_000_000
    }

    func file(_ variables: EnvironmentVariable...) throws -> Secret? {
        for variable in variables {
            if let path = environment.nonEmpty(variable) { return Secret(try SmallFile.read(BytePath(path), limit: 16 << 20)) }
        }
        return nil
    }

    /// The pairs of a list `name=value,…` with percent-encoded values (W3C Baggage, without properties).
    func pairs(_ text: String, _ variable: EnvironmentVariable) -> [(String, String)] {
        var pairs: [(String, String)] = []
        for member in text.split(separator: ",") {
            guard let equals = member.firstIndex(of: "=") else {
                warn(variable)
                continue
            }
            func decoded(_ part: Substring) -> String {
                var bytes = Array(part.utf8)[...]
                while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
                while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
                return String(decoding: PercentEncoding.decode(Array(bytes)), as: UTF8.self)
            }
            let name = decoded(member[..<equals])
            if name.isEmpty { warn(variable) } else { pairs.append((name, decoded(member[member.index(after: equals)...]))) }
        }
        return pairs
    }
}
