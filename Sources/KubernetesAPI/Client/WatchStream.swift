package import Documents
import SystemSupport

/// A change of an object that is watched.
package struct WatchEvent: Sendable {
    package enum Kind: String, Sendable {
        case added = "ADDED"
        case modified = "MODIFIED"
        case deleted = "DELETED"
    }

    package let kind: Kind
    /// The object after the change; of a deleted one the last state.
    package let object: JSONValue
}

/// One stream of events.
struct WatchStream {
    /// Bytes of the longest event. An object has at most 3 MiB, the limit of requests that make it.
    static let longestEvent = 24 << 20
    /// Seconds after which the server ends a stream in good order.
    private var length: Int { isResumed ? 300 : 120 }
    /// Seconds without a byte after which a connection counts as lost; the server sends a bookmark about once a minute.
    private static let silence = 150

    let client: KubernetesClient
    let selection: ResourceSelection
    /// Where the stream goes on; nil to begin with the objects as they are, `cached` to begin with them as the server's cache has them.
    let start: String?
    static let cached = "0"
    private var isResumed: Bool { start != nil && start != Self.cached }

    /// What a stream has brought when it ends.
    struct Outcome: Sendable {
        /// Where another stream can go on; nil where none was told.
        var resourceVersion: String?
        /// Whether anything came, a bookmark too.
        var broughtAnything = false
        /// Whether `handle` has asked for the end.
        var isEnded = false
        /// Why it ended other than in good order.
        var failure: (any Error)?
    }

    private struct Ended: Error {}

    /// An error of the taker's own, which no new stream mends.
    private struct HandlerError: Error { let error: any Error }

    /// What has come so far, for the closure that takes it.
    private final class Progress { var outcome = Outcome() }

    /// Takes events until the stream ends.
    ///
    /// - Parameter handle: false ends the stream. What it throws ends the stream too, and is thrown.
    func run(_ handle: (WatchEvent) throws -> Bool) throws -> Outcome {
        let progress = Progress()
        progress.outcome.resourceVersion = start
        do {
            try withoutActuallyEscaping(handle) { handle in
                let lines = LineSink(limit: Self.longestEvent, subject: "watch \(selection.path.resource.plural)") { line in
                    try take(line, &progress.outcome, handle)
                }
                try client.stream(request, to: lines)
            }
        } catch is Ended { progress.outcome.isEnded = true } catch let error as HandlerError { throw error.error } catch {
            progress.outcome.failure = error
        }
        return progress.outcome
    }

    private var request: APIRequest {
        var request = APIRequest(method: "GET", verb: "watch", path: selection.path, answer: .events)
        request.query = selection.query + [("watch", "true"), ("timeoutSeconds", String(length))]
        // Not for a stream that begins with the objects as they are: the server takes the two together for a list by watch, which
        // it refuses where its etcd is older than 3.4.25.
        if isResumed { request.query.append(("allowWatchBookmarks", "true")) }
        if let start { request.query.append(("resourceVersion", start)) }
        request.stallTimeout = isResumed ? Self.silence : 0
        request.totalTimeout = length + 30
        return request
    }

    private func take(_ line: [UInt8], _ outcome: inout Outcome, _ handle: (WatchEvent) throws -> Bool) throws {
        let event: JSONValue
        do { event = try JSONValue(parsing: line) } catch {
            throw ExecutorError.wrapping("watch \(selection.path.resource.plural): read an event", error)
        }
        guard let word = event.field("type")?.string, let object = event.field("object") else {
            throw ExecutorError.failed("watch \(selection.path.resource.plural): an event has no type or no object")
        }
        if word == "ERROR" { throw APIError.event(object, isTransientText: client.settings.isTransientText) }
        outcome.broughtAnything = true
        if let version = object["metadata"]?["resourceVersion"]?.string, !version.isEmpty { outcome.resourceVersion = version }
        // A bookmark only tells how far the stream has come; what is not known may be as harmless.
        guard let kind = WatchEvent.Kind(rawValue: word) else { return }
        do { if try handle(WatchEvent(kind: kind, object: object)) { return } } catch { throw HandlerError(error: error) }
        throw Ended()
    }
}
