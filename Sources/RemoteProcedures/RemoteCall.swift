import Encodings
package import HTTPTransport
import SystemSupport

/// What came back of a call.
package struct RemoteAnswer: Sendable {
    /// The status of gRPC, 0 for success; nil where something has answered that does not speak it.
    package let code: Int?
    /// The server's words for a failure; nil for none.
    package let text: String?
    /// A `google.rpc.Status`; nil where the server sent none.
    package let details: [UInt8]?
    /// The message; empty where none came.
    package let message: [UInt8]
    package let httpStatus: Int

    /// The status's name, e.g. `UNAVAILABLE` (gRPC, `statuscodes.md`); its number where it is none of those.
    package var codeName: String {
        let names = [
            "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
            "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
            "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
        ]
        guard let code else { return "HTTP status \(httpStatus)" }
        return names.indices.contains(code) ? names[code] : "status \(code)"
    }
}

/// Calls of gRPC with one message to and fro (gRPC over HTTP/2, `PROTOCOL-HTTP2.md`).
package enum RemoteCall {
    /// Frame header: whether the message is compressed, and its length.
    static let frameHeader = 5

    /// Makes a call.
    ///
    /// - Parameters:
    ///   - request: `POST` to the method's URL, with its limits of time, and headers of its own.
    ///   - isCompressed: whether the message is, by the encoding that a header of the request names.
    ///   - answerLimit: bytes of the answer's message.
    /// - Throws: `TransferError` where no answer came; `MessageFault` where it is larger than the limit, or none of gRPC.
    package static func unary(
        _ client: HTTPClient, _ request: HTTPRequest, _ message: [UInt8], isCompressed: Bool = false, answerLimit: Int
    ) throws -> RemoteAnswer {
        var request = request
        request.headers["content-type"] = "application/grpc"
        request.headers["te"] = "trailers"
        let sink = MessageSink(limit: answerLimit)
        let response = try client.download(
            request, body: .bytes(frame(message, isCompressed: isCompressed)), bodyLimit: 64 << 10
        ) { head in
            let isGRPC = head.status == 200 && head.headers["content-type"]?.hasPrefix("application/grpc") ?? false
            return isGRPC ? sink : nil
        }
        // A refusal may come as one block of headers, with nothing behind.
        func field(_ name: String) -> String? { response.trailers[name] ?? response.headers[name] }
        let code = field("grpc-status").flatMap { Int($0) }
        if code == 0, !sink.isWhole { throw MessageFault("the answer ends in the middle of its message") }
        return RemoteAnswer(
            code: code,
            text: field("grpc-message").map {
                String(decoding: PercentEncoding.decode(Array($0.utf8)), as: UTF8.self)
            },
            details: field("grpc-status-details-bin").flatMap { decoded($0) }, message: sink.message,
            httpStatus: response.status)
    }

    private static func frame(_ message: [UInt8], isCompressed: Bool) -> [UInt8] {
        let length = UInt32(message.count)
        return [isCompressed ? 1 : 0] + (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) } + message
    }

    /// Base64, which may lack its padding.
    private static func decoded(_ text: String) -> [UInt8]? {
        Base64.decode(text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4))
    }
}

/// An answer that is not as gRPC has it.
package struct MessageFault: Error, Sendable {
    package let cause: String
    init(_ cause: String) { self.cause = cause }
}

extension MessageFault: ClassifiedError {
    package var message: String { cause }
}

/// Takes the one message of an answer out of its frame.
private final class MessageSink: ByteSink {
    private let limit: Int
    private var header: [UInt8] = []
    private var length: Int?
    private(set) var message: [UInt8] = []

    init(limit: Int) { self.limit = limit }

    /// Whether a message came to its end, or none was begun.
    var isWhole: Bool { header.isEmpty || message.count == length }

    func write(_ bytes: Span<UInt8>) throws {
        var index = 0
        while header.count < RemoteCall.frameHeader, index < bytes.count {
            header.append(bytes[index])
            index += 1
        }
        guard header.count == RemoteCall.frameHeader else { return }
        let length = try length ?? announced()
        self.length = length
        guard bytes.count - index <= length - message.count else {
            throw MessageFault("the answer has more than one message")
        }
        while index < bytes.count {
            message.append(bytes[index])
            index += 1
        }
    }

    private func announced() throws -> Int {
        guard header[0] == 0 else { throw MessageFault("the answer is compressed, which was not asked for") }
        let length = header.dropFirst().reduce(0) { $0 << 8 | Int($1) }
        guard length <= limit else {
            throw MessageFault("the answer is a message of \(length) bytes, and at most \(limit) are taken")
        }
        message.reserveCapacity(length)
        return length
    }
}
