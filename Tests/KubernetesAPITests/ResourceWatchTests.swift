import Documents
import Synchronization
import SystemSupport
import TestSupport
import Testing

@testable import KubernetesAPI

/// Watches of a server that streams what a script says.
@Suite struct ResourceWatchTests {
    private enum Act: Sendable {
        /// A whole answer.
        case answer(Int, String)
        /// A stream of chunks, ended in good order.
        case stream([String])
        /// A stream that breaks off.
        case broken([String])
        /// No answer.
        case close
        /// A stream that stays open until the client goes.
        case open([String])
    }

    private static func event(_ type: String, _ version: String, _ more: String = "") -> String {
        #"{"type":"\#(type)","object":{"kind":"Secret","metadata":{"resourceVersion":"\#(version)"\#(more)}}}"# + "\n"
    }

    private static func status(_ code: Int, _ reason: String) -> String {
        #"{"kind":"Status","status":"Failure","code":\#(code),"reason":"\#(reason)","message":"\#(reason) happened"}"#
    }

    private static func list(_ version: String, _ count: Int) -> String {
        let items = Array(repeating: "{}", count: count).joined(separator: ",")
        return #"{"kind":"SecretList","metadata":{"resourceVersion":"\#(version)"},"items":[\#(items)]}"#
    }

    private func server(_ acts: [Act]) throws -> ScriptedServer {
        let script = Mutex(acts)
        return try ScriptedServer { conversation in
            guard conversation.readRequest() != nil else { return }
            let act = script.withLock { $0.isEmpty ? .close : $0.removeFirst() }
            func send(_ chunks: [String]) {
                conversation.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
                for chunk in chunks { conversation.send(String(chunk.utf8.count, radix: 16) + "\r\n\(chunk)\r\n") }
            }
            switch act {
            case .answer(let status, let body): conversation.answer(status, headers: ["Connection: close"], body)
            case .stream(let chunks):
                send(chunks)
                conversation.send("0\r\n\r\n")
            case .broken(let chunks): send(chunks)
            case .close: break
            case .open(let chunks):
                send(chunks)
                conversation.waitForClose()
            }
        }
    }

    /// What a watch has told, as short words, and how long it would have waited.
    private final class Taken: Sendable {
        let words = Mutex<[String]>([])
        let pauses = Mutex<[Int64]>([])
    }

    /// Watches until `count` notices have come, or so many pauses.
    private func watch(
        _ server: ScriptedServer, _ continuity: ResourceWatch.Continuity, until count: Int, pauses: Int = 100,
        patience: ResourceWatch.Patience = .init(
            backoff: Backoff(duration: 1_000_000_000, factor: 2, jitter: 0, steps: .max, cap: 8_000_000_000), shortStream: 0)
    ) throws -> Taken {
        let taken = Taken()
        let watch = ResourceWatch(
            ClientFixture(server.url).client, ResourceSelection(ResourcePath(.secrets)), continuity: continuity,
            patience: patience,
            pause: { pause in
                taken.pauses.withLock {
                    $0.append(pause / 1_000_000_000)
                    return $0.count < pauses
                }
            })
        try watch.run { notice in
            let word =
                switch notice {
                case .listed(let objects): "listed \(objects.count)"
                case .changed(let event):
                    event.kind.rawValue + " " + (event.object["metadata"]?["resourceVersion"]?.string ?? "")
                case .nothingThere: "nothing there"
                }
            return taken.words.withLock {
                $0.append(word)
                return $0.count < count
            }
        }
        return taken
    }

    @Test func takesEventsHoweverTheyAreCut() throws {
        let text = Self.event("ADDED", "1") + Self.event("MODIFIED", "2") + "\r\n" + Self.event("BOOKMARK", "3")
        let cut = text.utf8.map { String(UnicodeScalar($0)) }
        let server = try server([.open(cut + [Self.event("DELETED", "4")])])
        defer { server.stop() }
        let taken = try watch(server, .whole, until: 3)
        #expect(taken.words.withLock { $0 } == ["ADDED 1", "MODIFIED 2", "DELETED 4"])
        #expect(
            server.requests.map(\.line) == [
                "GET /api/v1/namespaces/my-ns/secrets?watch=true&timeoutSeconds=120 HTTP/1.1"
            ])
        #expect(server.requests[0].header("Accept") == "application/json")
    }

    @Test func goesOnWhereTheLastStreamEnded() throws {
        let server = try server([
            .answer(200, Self.list("10", 2)), .stream([Self.event("ADDED", "11"), Self.event("BOOKMARK", "15")]), .stream([]),
            .broken([Self.event("MODIFIED", "16")]), .open([Self.event("MODIFIED", "17")]),
        ])
        defer { server.stop() }
        let taken = try watch(server, .resumed, until: 4)
        #expect(taken.words.withLock { $0 } == ["listed 2", "ADDED 11", "MODIFIED 16", "MODIFIED 17"])
        let places = server.requests.dropFirst().map { $0.line.split(separator: "resourceVersion=").last?.prefix(2) }
        #expect(places == ["10", "15", "15", "16"])
        // A stream that ended in good order is followed at once.
        #expect(taken.pauses.withLock { $0 } == [1])
    }

    @Test func listsAnewWhereItsPlaceIsForgotten() throws {
        let expired = #"{"type":"ERROR","object":\#(Self.status(410, "Expired"))}"# + "\n"
        let server = try server([
            .answer(200, Self.list("10", 1)), .answer(410, Self.status(410, "Gone")), .answer(200, Self.list("20", 2)),
            .stream([Self.event("ADDED", "21"), expired]), .answer(200, Self.list("30", 3)), .open([Self.event("ADDED", "31")]),
        ])
        defer { server.stop() }
        let taken = try watch(server, .resumed, until: 5)
        #expect(taken.words.withLock { $0 } == ["listed 1", "listed 2", "ADDED 21", "listed 3", "ADDED 31"])
    }

    @Test func aStreamThatIsOpenedAnewBringsAll() throws {
        let failed = #"{"type":"ERROR","object":\#(Self.status(500, "InternalError"))}"# + "\n"
        let server = try server([
            .stream([Self.event("ADDED", "1"), failed]), .close, .answer(500, "oh"), .answer(503, ""),
            .open([Self.event("ADDED", "2")]),
        ])
        defer { server.stop() }
        let taken = try watch(server, .whole, until: 2)
        #expect(taken.words.withLock { $0 } == ["ADDED 1", "ADDED 2"])
        #expect(server.requests.allSatisfy { !$0.line.contains("resourceVersion") })
        #expect(taken.pauses.withLock { $0 }.prefix(1) == [1])
    }

    /// With an etcd older than 3.4.25 the API server may never learn that its cache is up to date.
    @Test func takesWhatTheCacheHasWhereTheServerIsBehind() throws {
        let status =
            #"{"kind":"Status","status":"Failure","message":"Timeout: Too large resource version: 285, current: 267","reason":"Timeout","code":504}"#
        let behind = #"{"type":"ERROR","object":\#(status)}"# + "\n"
        let server = try server([
            .stream([behind]), .stream([Self.event("ADDED", "1")]), .stream([behind]), .open([Self.event("ADDED", "2")]),
        ])
        defer { server.stop() }
        let taken = try watch(server, .whole, until: 2)
        #expect(taken.words.withLock { $0 } == ["ADDED 1", "ADDED 2"])
        let places = server.requests.map { $0.line.contains("resourceVersion=0") }
        #expect(places == [false, true, false, true])
        #expect(server.requests.allSatisfy { !$0.line.contains("allowWatchBookmarks") })
    }

    @Test func waitsLongerAndLongerWhileItIsRefused() throws {
        let server = try server(Array(repeating: .answer(503, ""), count: 20))
        defer { server.stop() }
        let taken = try watch(server, .whole, until: 1, pauses: 6)
        #expect(taken.pauses.withLock { $0 } == [1, 2, 4, 8, 8, 8])
        #expect(server.requests.count == 6)
    }

    /// What time does not mend is an error in the end, so that the pod tells of it.
    @Test func givesUpWhereItMayNotWatch() throws {
        let refusal = Act.answer(403, Self.status(403, "Forbidden"))
        let server = try server([.open([]), refusal, refusal])
        defer { server.stop() }
        var patience = ResourceWatch.Patience(backoff: Backoff(duration: 0, factor: 1, jitter: 0, steps: .max))
        patience.refusals = 0
        let one = try self.server([refusal, .open([Self.event("ADDED", "1")])])
        defer { one.stop() }
        let error = #expect(throws: APIError.self) { try watch(one, .whole, until: 1, patience: patience) }
        #expect(error?.status == 403)
        // A refusal that goes away soon is waited for.
        patience.refusals = .max
        let two = try self.server([refusal, refusal, .open([Self.event("ADDED", "1")])])
        defer { two.stop() }
        #expect(try watch(two, .whole, until: 1, patience: patience).words.withLock { $0 } == ["ADDED 1"])
    }

    @Test func tellsOfNothingWhereNothingCame() throws {
        let server = try server([.stream([Self.event("ADDED", "1")]), .stream([])])
        defer { server.stop() }
        #expect(try watch(server, .whole, until: 2).words.withLock { $0 } == ["ADDED 1", "nothing there"])
    }

    @Test func handsOnTheTakersOwnError() throws {
        let server = try server([.open([Self.event("ADDED", "1")])])
        defer { server.stop() }
        let watch = ResourceWatch(
            ClientFixture(server.url).client, ResourceSelection(ResourcePath(.secrets)), continuity: .whole,
            pause: { _ in true })
        let error = #expect(throws: ExecutorError.self) { try watch.run { _ in throw ExecutorError.failed("mine") } }
        #expect(error?.message == "mine")
        #expect(server.requests.count == 1)
    }

    @Test func whatIsNoEventIsAFault() throws {
        let server = try server([.open(["<html>\n"]), .open(["{}\n"]), .open([Self.event("ADDED", "1")])])
        defer { server.stop() }
        #expect(try watch(server, .whole, until: 1).words.withLock { $0 } == ["ADDED 1"])
    }

    @Test func endsWhenTheClientIsCancelled() throws {
        let server = try server([.open([Self.event("ADDED", "1")])])
        defer { server.stop() }
        let client = ClientFixture(server.url).client
        let isStopped = Monitor(false)
        let ended = Monitor(false)
        let seen = Monitor(false)
        let watch = ResourceWatch(
            client, ResourceSelection(ResourcePath(.secrets)), continuity: .whole, pause: { _ in !isStopped.current })
        try WorkerThread {
            try? watch.run { _ in
                seen.update { $0 = true }
                return true
            }
            ended.update { $0 = true }
        }.detach()
        #expect(seen.wait(atMost: 60_000_000_000) { $0 ? true : nil } == true)
        isStopped.update { $0 = true }
        client.cancel()
        #expect(ended.wait(atMost: 60_000_000_000) { $0 ? true : nil } == true)
    }
}
