import Foundation
import HTTPTransport
import RemoteProcedures
import SystemSupport
import Testing
import Tracing

@testable import TraceExport

@Suite struct TraceSettingsTests {
    private func settings(_ variables: [String: String], log: Log = .silent) throws -> TraceSettings {
        try TraceSettings(Environment(variables), trust: .system(), proxy: .none, log: log)
    }

    @Test func isOnWhereAnEndpointIsSetEvenIfEmpty() {
        #expect(!TraceSettings.isOn(Environment([:])))
        #expect(TraceSettings.isOn(Environment(["OTEL_EXPORTER_OTLP_ENDPOINT": ""])))
        #expect(TraceSettings.isOn(Environment(["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://a"])))
        #expect(!TraceSettings.isOn(Environment(["OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_SDK_DISABLED": "True"])))
        #expect(!TraceSettings.isOn(Environment(["OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_TRACES_EXPORTER": "none"])))
    }

    @Test(arguments: [
        ("", "", "", "http://localhost:4317"), ("http://c:4317", "", "", "http://c:4317"),
        ("https://c", "", "", "https://c:4317"),
        ("http://c:1", "http://t:2/ignored?x", "grpc", "http://t:2"), ("c:4317", "", "", "https://c:4317"),
    ])
    func findsTheServiceOverGRPC(_ endpoint: String, _ traces: String, _ name: String, _ address: String) throws {
        let settings = try settings([
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": traces,
            "OTEL_EXPORTER_OTLP_PROTOCOL": name,
        ])
        #expect(settings.transport == .grpc)
        #expect(settings.url.text == address + "/opentelemetry.proto.collector.trace.v1.TraceService/Export")
    }

    @Test func needsNoTLSWhereTheVariableSaysSo() throws {
        let settings = try settings(["OTEL_EXPORTER_OTLP_ENDPOINT": "c:1", "OTEL_EXPORTER_OTLP_INSECURE": "true"])
        #expect(settings.url.origin == "http://c:1")
    }

    @Test(arguments: [
        ("", "", "http://localhost:4318/v1/traces"), ("http://c:4318/", "", "http://c:4318/v1/traces"),
        ("https://c/base", "", "https://c/base/v1/traces"), ("http://c:1", "http://t:2/own?k=v", "http://t:2/own?k=v"),
        ("http://c:1", "http://t:2", "http://t:2/"),
    ])
    func findsTheReceiverOverHTTP(_ endpoint: String, _ traces: String, _ address: String) throws {
        for name in ["http/protobuf", "http/json"] {
            let settings = try settings([
                "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": traces,
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": name, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            ])
            #expect(settings.transport == .http)
            #expect(settings.url.text == address)
        }
    }

    @Test func refusesAnUnknownProtocolForGood() throws {
        let failure = try #require(throws: TraceSettings.Failure.self) {
            try settings(["OTEL_EXPORTER_OTLP_PROTOCOL": "thrift"])
        }
        #expect(failure.isFatal)
        #expect(
            failure.message == "set up tracing: OTEL tracing protocol invalid: \"thrift\" is neither grpc nor http/protobuf")
        let address = try #require(throws: TraceSettings.Failure.self) {
            try settings(["OTEL_EXPORTER_OTLP_ENDPOINT": "ftp://x"])
        }
        #expect(!address.isFatal)
        #expect(throws: TraceSettings.Failure.self) { try settings(["OTEL_EXPORTER_OTLP_CERTIFICATE": "/nonexistent/ca"]) }
    }

    @Test func readsListsAndTheirPercentEncoding() throws {
        let settings = try settings([
            "OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%20b%2Cc, X-Tenant = t ,broken,=nameless",
            "OTEL_RESOURCE_ATTRIBUTES": "service.name=theirs,team=a%3Db", "OTEL_SERVICE_NAME": "mine",
        ])
        #expect(settings.headers.fields.map(\.name) == ["api-key", "x-tenant"])
        #expect(settings.headers["api-key"] == "a b,c")
        #expect(settings.headers["x-tenant"] == "t")
        #expect(settings.resource == [.text("team", "a=b")])
        #expect(settings.serviceName == "mine")
    }

    @Test func keepsDefaultsInPlaceOfNonsenseAndSaysSo() throws {
        let lines = Monitor<[String]>([])
        let log = Log(sink: { line in lines.update { $0.append(String(decoding: line, as: UTF8.self)) } })
        let settings = try settings(
            [
                "OTEL_EXPORTER_OTLP_TIMEOUT": "soon", "OTEL_BSP_MAX_QUEUE_SIZE": "-1", "OTEL_TRACES_SAMPLER": "often",
                "OTEL_EXPORTER_OTLP_COMPRESSION": "zstd", "OTEL_EXPORTER_OTLP_HEADERS": "secret-without-name",
                "OTEL_BSP_SCHEDULE_DELAY": "100", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "3",
            ], log: log)
        #expect(settings.timeout == 10_000_000_000 && settings.queueSize == 2048 && settings.sampler == .standard)
        #expect(settings.scheduleDelay == 100_000_000 && settings.limits.attributeCount == 3 && !settings.compresses)
        #expect(lines.current.count == 5)
        #expect(!lines.current.joined().contains("secret-without-name"))
    }
}

@Suite struct ProtobufTests {
    @Test func readsNothingFromWhatIsNoMessage() {
        for bytes: [UInt8] in [
            [0x80], [0x0A, 0x05, 1], [0x0B], [0x09, 1, 2], [UInt8](repeating: 0xFF, count: 20),
            [0x0A] + [UInt8](repeating: 0xFF, count: 9) + [1],
        ] {
            var reader = ProtobufReader(bytes[...])
            while reader.next() != nil {}
            #expect(PartialSuccess(response: bytes[...]) == nil)
            #expect(StatusDetails(bytes[...]).retryAfter == nil)
        }
    }

    @Test func writesNumbersOfEverySize() {
        var writer = ProtobufWriter()
        writer.integer(1, 300)
        writer.integer(2, 0)
        writer.chosenInteger(3, .max)
        writer.fixed(16, UInt32(0x301))
        #expect(writer.bytes == [0x08, 0xAC, 0x02, 0x18] + [UInt8](repeating: 0xFF, count: 9) + [1, 0x85, 0x01, 1, 3, 0, 0])
    }
}
