package import Documents
package import SystemSupport

/// Watches objects until told to stop: streams that end, break or are refused are followed by new ones.
package struct ResourceWatch: Sendable {
    /// How one stream follows another.
    package enum Continuity: Sendable {
        /// Each begins with the objects as they are, as if they had just been added.
        ///
        /// A server whose cache lags behind its storage, for want of an etcd that tells its progress, cannot say what there is now. It
        /// is asked for what its cache has (Kubernetes API concepts, "Resource versions": any).
        case whole
        /// The objects are listed first, and each stream goes on where the last one ended; where the server has forgotten that
        /// place (410), they are listed anew.
        case resumed
    }

    /// What is told of the objects.
    package enum Notice: Sendable {
        /// All that there are now; those known before and not among them are gone.
        case listed([JSONValue])
        case changed(WatchEvent)
        /// A stream that would have begun with the objects as they are was open for a while, and brought none.
        case nothingThere
    }

    /// How failures are followed by new attempts.
    package struct Patience: Sendable {
        /// Between streams, as long as they fail.
        package var backoff: Backoff
        /// For how long refusals that are no matter of time (a role is missing) are taken, in nanoseconds since the last success.
        package var refusals: Int64
        /// A stream that lasted this long, in nanoseconds, is no failure to open it.
        package var shortStream: Int64

        package init(
            backoff: Backoff = Backoff(duration: 1_000_000_000, factor: 2, jitter: 0.2, steps: .max, cap: 30_000_000_000),
            refusals: Int64 = 120_000_000_000, shortStream: Int64 = 1_000_000_000
        ) {
            self.backoff = backoff
            self.refusals = refusals
            self.shortStream = shortStream
        }
    }

    private let client: KubernetesClient
    private let selection: ResourceSelection
    private let continuity: Continuity
    private let patience: Patience
    private let pause: @Sendable (Int64) -> Bool
    private let log: Log

    /// - Parameter pause: waits that many nanoseconds; false ends the watch.
    package init(
        _ client: KubernetesClient, _ selection: ResourceSelection, continuity: Continuity, patience: Patience = Patience(),
        log: Log = .silent, pause: @escaping @Sendable (Int64) -> Bool
    ) {
        self.client = client
        self.selection = selection
        self.continuity = continuity
        self.patience = patience
        self.log = log
        self.pause = pause
    }

    /// Takes notices until `handle` or a pause asks for the end.
    ///
    /// - Parameter handle: false ends the watch.
    /// - Throws: what `handle` throws; the error of loading the client configuration; the last refusal, when they last too long.
    package func run(_ handle: (Notice) throws -> Bool) throws {
        // What is wrong with the configuration does not mend itself.
        _ = try client.namespace()
        var pauses = BackoffPauses(patience.backoff)
        var place: String?
        var known: [JSONValue]?
        var success = monotonicNanoseconds()
        while true {
            let opened = monotonicNanoseconds()
            var outcome = WatchStream.Outcome()
            if continuity == .resumed, place == nil {
                do {
                    let (items, version) = try list()
                    place = version
                    known = items
                } catch { outcome.failure = error }
                if let items = known.take(), try !handle(.listed(items)) { return }
            }
            let start = place
            if outcome.failure == nil {
                outcome = try WatchStream(client: client, selection: selection, start: start).run { try handle(.changed($0)) }
                if outcome.isEnded { return }
            }

            let now = monotonicNanoseconds()
            let refusal = outcome.failure as? APIError
            switch continuity {
            case .resumed: place = refusal?.isExpired == true ? nil : outcome.resourceVersion ?? place
            case .whole: place = refusal?.isServerBehind == true ? WatchStream.cached : nil
            }
            let isGood = outcome.failure == nil && now - opened >= patience.shortStream
            if isGood || outcome.broughtAnything {
                success = now
                pauses = BackoffPauses(patience.backoff)
            }
            if isGood {
                if continuity == .whole, start == nil, !outcome.broughtAnything, now - opened >= 10 * patience.shortStream,
                    try !handle(.nothingThere)
                {
                    return
                }
                continue
            }
            if let failure = outcome.failure {
                guard Self.mayGoAway(failure) || now - success < patience.refusals else { throw failure }
            }
            let delay = pauses.next() ?? 0
            if let failure = outcome.failure, (failure as? APIError)?.isCancelled != true {
                log.warn(
                    "watch \(selection.path.resource.plural): trying again",
                    ["error": .error(failure), "inMilliseconds": .integer(delay / 1_000_000)])
            }
            guard pause(delay) else { return }
        }
    }

    private static func mayGoAway(_ failure: any Error) -> Bool {
        guard let error = failure as? APIError else { return (failure as? any ClassifiedError)?.isTransient ?? false }
        return error.isTransient || error.isExpired || error.status >= 500
    }

    private func list() throws -> ([JSONValue], String) {
        var items: [JSONValue] = []
        var token: String?
        while true {
            let page = try client.list(selection, pageSize: 100, after: token)
            items += page.items
            token = page.next
            if token == nil { return (items, page.resourceVersion) }
        }
    }
}
