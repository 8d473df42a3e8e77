import Foundation
import Synchronization
import SystemSupport
import TestSupport

/// An HTTP server on loopback that gives the answers of a list, one a request, and keeps what it was asked.
final class ScriptedAPI: Sendable {
    struct Answer: Sendable {
        var status = 200
        var headers: [String] = []
        var body = #"{"kind":"WorkflowTaskResult","apiVersion":"argoproj.io/v1alpha1","metadata":{}}"#

        /// What a server says no with.
        static func refusal(_ status: Int, _ reason: String, _ message: String, headers: [String] = []) -> Answer {
            let object = ["kind": "Status", "status": "Failure", "reason": reason, "message": message]
            let body = (try? JSONEncoder().encode(object)) ?? Data()
            return Answer(status: status, headers: headers, body: String(decoding: body, as: UTF8.self))
        }
    }

    struct Request: Sendable, Equatable {
        var line: String
        var headers: [String: String]
        var body: String
    }

    let url: String
    private let listener: Int32
    private let state: Mutex<(answers: [Answer], requests: [Request])>
    private let thread: Monitor<Bool>

    var requests: [Request] { state.withLock { $0.requests } }

    /// - Parameter answers: nil closes the connection without an answer; after the last every request gets a task result.
    init(_ answers: [Answer?] = []) throws {
        let port: Int
        (listener, port) = try Loopback.listen()
        url = "http://127.0.0.1:\(port)"
        // A status of 0 stands for no answer.
        state = Mutex((answers.map { $0 ?? Answer(status: 0) }, []))
        thread = Monitor(true)
        Thread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                if connection < 0 { break }
                // One answer a connection: the client comes one request at a time.
                answer(connection)
                close(connection)
            }
            close(listener)
            thread.update { $0 = false }
        }.start()
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        thread.wait { $0 ? nil : true }
    }

    private func answer(_ connection: Int32) {
        guard let request = read(connection) else { return }
        let answer = state.withLock { state -> Answer in
            state.requests.append(request)
            return state.answers.isEmpty ? Answer() : state.answers.removeFirst()
        }
        if answer.status == 0 { return }
        let head =
            ["HTTP/1.1 \(answer.status) Text", "Content-Length: \(answer.body.utf8.count)", "Connection: close"]
            + answer.headers
        let bytes = Array((head.joined(separator: "\r\n") + "\r\n\r\n" + answer.body).utf8)
        send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        shutdown(connection, Int32(SHUT_WR))
        var rest: UInt8 = 0
        recv(connection, &rest, 1, 0)
    }

    private func read(_ connection: Int32) -> Request? {
        var bytes = Data()
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            if let end = bytes.range(of: Data("\r\n\r\n".utf8)) {
                var lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
                let line = lines.removeFirst()
                var headers: [String: String] = [:]
                for text in lines {
                    let parts = text.split(separator: ":", maxSplits: 1)
                    headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
                }
                let body = bytes[end.upperBound...]
                if body.count >= headers["content-length"].flatMap({ Int($0) }) ?? 0 {
                    return Request(line: line, headers: headers, body: String(decoding: body, as: UTF8.self))
                }
            }
            let count = recv(connection, &chunk, chunk.count, 0)
            if count <= 0 { return nil }
            bytes += chunk[..<count]
        }
    }
}
