package import SystemSupport

/// The credential of a location, shared by all its transfers: fetched when it is first needed, refreshed before it expires and
/// when a server says that it has, by one thread at a time.
///
/// In its last stretch (5 minutes, of a short life a tenth) one thread refreshes it while the others go on with it; where that
/// fails it is kept, and tried again a little later. Attempts follow the executor's own schedule (contract 02 §11, R4).
package final class CredentialCache<Credential: Sendable>: Sendable {
    /// A credential to make one request with.
    package struct Lease: Sendable {
        package let credential: Credential
        fileprivate let generation: Int
    }

    private struct Held: Sendable {
        let lease: Lease
        let expiry: Timestamp?
        /// When the next refresh is due; nil for never.
        var refresh: Timestamp?
        /// How many before it were refused, one after the other.
        let refusedBefore: Int
        var isAccepted = false
        var isRefused = false

        var refusedInARow: Int { isRefused ? (isAccepted ? 1 : refusedBefore + 1) : 0 }

        func isUsable(at now: Timestamp) -> Bool { !isRefused && expiry.map { now < $0 } ?? true }
    }

    private struct State: Sendable {
        var held: Held?
        /// Counts what was fetched, failures too.
        var round = 0
        var isFetching = false
        /// Threads that wait for the end of the fetch.
        var waiting = 0
        var failure: (round: Int, error: any Error)?
    }

    private enum Step: Sendable {
        case use(Lease)
        /// Fetch, and until then go on with the one held, if any.
        case fetch(instead: Lease?)
        case fail(any Error)
    }

    private let source: (any CredentialSource<Credential>)?
    private let subject: String
    private let context: DriverContext?
    private let now: @Sendable () -> Timestamp
    private let state: Monitor<State>

    /// - Parameters:
    ///   - subject: what the credential is for, in messages, e.g. `s3://bucket`.
    ///   - first: what the source gave already, good for ever; nil to ask when it is needed.
    ///   - now: the clock by which it expires.
    package init(
        _ source: any CredentialSource<Credential>, for subject: String, context: DriverContext,
        holding first: Credential? = nil, now: @escaping @Sendable () -> Timestamp = { .now }
    ) {
        self.source = source
        self.subject = subject
        self.context = context
        self.now = now
        state = Monitor(State(held: first.map(Self.held)))
    }

    /// A credential that stays what it is.
    package init(fixed credential: Credential) {
        source = nil
        subject = ""
        context = nil
        now = { .now }
        state = Monitor(State(held: Self.held(credential)))
    }

    private static func held(_ credential: Credential) -> Held {
        Held(lease: Lease(credential: credential, generation: 0), expiry: nil, refresh: nil, refusedBefore: 0)
    }

    /// The credential to make a request with; blocks while there is none.
    ///
    /// - Throws: `CredentialFailure`, or `ArtifactError` (`exhausted`) where all attempts to get one failed.
    package func lease() throws -> Lease {
        var joined: Int?
        let step = state.wait { state -> Step? in
            let now = self.now()
            if let held = state.held, held.isUsable(at: now) {
                let isDue = held.refresh.map { $0 <= now } ?? false
                if !isDue || state.isFetching { return .use(held.lease) }
                state.isFetching = true
                return .fetch(instead: held.lease)
            }
            if state.isFetching {
                if joined != state.round { state.waiting += 1 }
                joined = state.round
                return nil
            }
            // Who waited for a fetch that failed need not try the same again.
            if let failure = state.failure, failure.round == joined { return .fail(failure.error) }
            state.isFetching = true
            return .fetch(instead: nil)
        }
        switch step {
        case .use(let lease): return lease
        case .fail(let error): throw error
        case .fetch(let held): return try refresh(keeping: held)
        }
    }

    /// A server has taken the credential.
    package func accept(_ lease: Lease) {
        guard source != nil else { return }
        state.update { state in
            if state.held?.lease.generation == lease.generation { state.held?.isAccepted = true }
        }
    }

    /// A server says that the credential has expired: the next `lease()` brings a fresh one.
    ///
    /// - Parameter limit: how many may be refused in a row; as many as the executor makes attempts (contract 02 §11, R3).
    /// - Returns: whether the request is worth another attempt; false where the credential cannot be renewed, or where that many
    ///   were refused.
    package func invalidate(_ lease: Lease, atMost limit: Int = 5) -> Bool {
        guard source != nil else { return false }
        return state.update { state in
            guard let held = state.held, held.lease.generation == lease.generation else { return true }
            state.held?.isRefused = true
            return held.isAccepted || held.refusedBefore + 1 < limit
        }
    }

    private func refresh(keeping held: Lease?) throws -> Lease {
        do {
            let issued = try fetch()
            return state.update { state in
                let now = self.now()
                let lease = Lease(credential: issued.credential, generation: state.round + 1)
                state.held = Held(
                    lease: lease, expiry: issued.expiry, refresh: issued.expiry.map { Self.refreshTime($0, from: now) },
                    refusedBefore: state.held.map { $0.refusedInARow } ?? 0)
                finish(&state, nil)
                return lease
            }
        } catch {
            let kept = state.update { state -> Lease? in
                finish(&state, error)
                guard let held, state.held?.lease.generation == held.generation, state.held?.isRefused == false else {
                    return nil
                }
                state.held?.refresh = Timestamp(seconds: self.now().seconds + Self.pauseAfterFailure)
                return held
            }
            guard let kept else { throw error }
            context?.log.warn("cannot refresh a credential that is still good", ["error": .error(error)])
            return kept
        }
    }

    private func finish(_ state: inout State, _ error: (any Error)?) {
        state.failure = error.map { (state.round, $0) }
        state.round += 1
        state.isFetching = false
        state.waiting = 0
    }

    /// How many threads wait for the fetch that is running.
    var waiting: Int { state.current.waiting }

    private func fetch() throws -> IssuedCredential<Credential> {
        guard let source, let context else { throw CredentialFailure.invalid("a fixed credential has no source") }
        return try RetryLoop(RetrySchedule(context.executorBackoff), context: context).run {
            let issued: IssuedCredential<Credential>?
            do { issued = try source.fetch() } catch {
                throw CredentialFailure.inSource(source.name, error).getting(for: subject)
            }
            guard let issued else { throw CredentialFailure.noneConfigured(source.name).getting(for: subject) }
            if let expiry = issued.expiry, expiry <= now() {
                throw CredentialFailure.transient("\(source.name): returned credentials that have already expired").getting(
                    for: subject)
            }
            return issued
        }
    }

    private static var longestStretch: Int64 { 300 }
    private static var pauseAfterFailure: Int64 { 10 }

    private static func refreshTime(_ expiry: Timestamp, from now: Timestamp) -> Timestamp {
        let life = expiry.seconds.subtractingReportingOverflow(now.seconds).partialValue
        return Timestamp(
            seconds: expiry.seconds - min(longestStretch, max(0, life / 10)), nanoseconds: expiry.nanoseconds)
    }
}
