import ArtifactRegistry
import Foundation
import HTTPTransport
import Synchronization
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts

@Suite struct CredentialCacheTests {
    private let clock = TestClock()

    private func cache(_ source: some CredentialSource<Secret>, log: Log = .silent) -> CredentialCache<Secret> {
        let context = DriverContext(
            registry: ArtifactDrivers(), clients: HTTPClients(HTTPClientConfiguration()), log: log,
            executorBackoff: Backoff(duration: 1_000_000, factor: 1, jitter: 0, steps: 3), requestBackoff: nil)
        return CredentialCache(source, for: "the store", context: context, now: { clock.now })
    }

    private func text(_ cache: CredentialCache<Secret>) throws -> String { try cache.lease().credential.revealText() }

    /// A source that gives its answer only when seven others wait for it.
    private func slowly(
        _ answer: @escaping @Sendable () throws -> IssuedCredential<Secret>?
    ) -> (source: ScriptedSource, cache: CredentialCache<Secret>) {
        let place = Mutex<CredentialCache<Secret>?>(nil)
        let source = ScriptedSource { _ in
            try eventually("seven others wait") { (place.withLock { $0 }?.waiting ?? 7) >= 7 }
            return try answer()
        }
        let cache = cache(source)
        place.withLock { $0 = cache }
        return (source, cache)
    }

    @Test func asksTheSourceOnceForAllWhoWait() throws {
        let (source, cache) = slowly { .init(Secret("one"), expiry: nil) }
        let seen = Mutex<[String]>([])
        try Parallel.forEach(count: 8, width: 8) { _ in
            let text = try self.text(cache)
            seen.withLock { $0.append(text) }
        }
        #expect(seen.withLock { $0 } == Array(repeating: "one", count: 8))
        #expect(source.calls == 1)
    }

    @Test func tellsAllWhoWaitOfTheSameFailure() throws {
        let (source, cache) = slowly { throw CredentialFailure.invalid("no such thing") }
        let failures = Mutex<[String]>([])
        try Parallel.forEach(count: 8, width: 8) { _ in
            do { _ = try cache.lease() } catch { failures.withLock { $0.append(errorText(error)) } }
        }
        #expect(
            failures.withLock { $0 }
                == Array(repeating: "get credentials for the store: scripted: no such thing", count: 8))
        #expect(source.calls == 1)
    }

    @Test(arguments: [(life: 3600, last: 3299), (life: 60, last: 53)])
    func refreshesBeforeTheEnd(life: Int64, last: Int64) throws {
        let source = ScriptedSource { call in
            .init(Secret("\(call)"), expiry: Timestamp(seconds: clock.now.seconds + life))
        }
        let cache = cache(source)
        #expect(try text(cache) == "1")
        clock.advance(last)
        #expect(try text(cache) == "1")
        clock.advance(1)
        #expect(try text(cache) == "2")
        #expect(try text(cache) == "2")
    }

    @Test func keepsWhatIsStillGoodWhereTheRefreshFails() throws {
        let log = LogRecorder()
        let source = ScriptedSource { call in
            if (2...6).contains(call) { throw CredentialFailure.transient("try later") }
            return .init(Secret("\(call)"), expiry: Timestamp(seconds: clock.now.seconds + 1000))
        }
        let cache = cache(source, log: log.log)
        #expect(try text(cache) == "1")
        clock.advance(950)
        #expect(try text(cache) == "1")
        #expect(source.calls == 4)
        #expect(log.text.contains("cannot refresh a credential that is still good"))
        // Not with each request anew.
        #expect(try text(cache) == "1")
        #expect(source.calls == 4)
        clock.advance(10)
        #expect(try text(cache) == "7")
    }

    @Test func othersGoOnWhileOneRefreshes() throws {
        let isRefreshing = Monitor(false)
        let mayEnd = Monitor(false)
        let source = ScriptedSource { call in
            if call == 2 {
                isRefreshing.update { $0 = true }
                mayEnd.wait { $0 ? true : nil }
            }
            return .init(Secret("\(call)"), expiry: Timestamp(seconds: clock.now.seconds + 1000))
        }
        let cache = cache(source)
        #expect(try text(cache) == "1")
        clock.advance(950)
        let refreshed = Monitor<String?>(nil)
        try WorkerThread {
            let text = try? self.text(cache)
            refreshed.update { $0 = text ?? "" }
        }.detach()
        isRefreshing.wait { $0 ? true : nil }
        #expect(try text(cache) == "1")
        mayEnd.update { $0 = true }
        #expect(refreshed.wait { $0 } == "2")
        #expect(try text(cache) == "2")
    }

    @Test func usesNothingThatHasExpired() throws {
        let source = ScriptedSource { call in
            if call > 1 { throw CredentialFailure.transient("try later") }
            return .init(Secret("\(call)"), expiry: Timestamp(seconds: clock.now.seconds + 1000))
        }
        let cache = cache(source)
        #expect(try text(cache) == "1")
        clock.advance(1000)
        let error = #expect(throws: ArtifactError.self) { try text(cache) }
        #expect(error?.message == "timed out waiting for the condition: get credentials for the store: scripted: try later")
        #expect(source.calls == 4)
    }

    @Test func retriesWhatMayGoAway() throws {
        let source = ScriptedSource { call in
            if call < 3 { throw CredentialFailure.transient("try later") }
            return .init(Secret("\(call)"), expiry: nil)
        }
        #expect(try text(cache(source)) == "3")
        let permanent = ScriptedSource { _ in throw CredentialFailure.invalid("never") }
        let error = #expect(throws: CredentialFailure.self) { try text(cache(permanent)) }
        #expect(error?.isTransient == false)
        #expect(permanent.calls == 1)
    }

    @Test func refusesWhatComesExpired() throws {
        let source = ScriptedSource { _ in .init(Secret("old"), expiry: Timestamp(seconds: clock.now.seconds)) }
        let error = #expect(throws: ArtifactError.self) { try text(cache(source)) }
        #expect(error?.message.contains("have already expired") == true)
    }

    @Test func aServersWordBringsAFreshOneOnce() throws {
        let source = ScriptedSource { call in .init(Secret("\(call)"), expiry: nil) }
        let cache = cache(source)
        let first = try cache.lease()
        #expect(cache.invalidate(first))
        // Who hears the same of the old one later does not spoil the new one.
        let second = try cache.lease()
        #expect(second.credential.revealText() == "2")
        #expect(cache.invalidate(first))
        #expect(try text(cache) == "2")
        #expect(source.calls == 2)
    }

    @Test func fiveRefusedInARowAreEnough() throws {
        let source = ScriptedSource { call in .init(Secret("\(call)"), expiry: nil) }
        let cache = cache(source)
        for _ in 1...4 { #expect(cache.invalidate(try cache.lease())) }
        #expect(!cache.invalidate(try cache.lease()))
        // The next operation asks anew; what a server has taken once breaks the row.
        let sixth = try cache.lease()
        #expect(sixth.credential.revealText() == "6")
        cache.accept(sixth)
        for _ in 1...4 { #expect(cache.invalidate(try cache.lease())) }
        #expect(!cache.invalidate(try cache.lease()))
    }

    @Test func aFixedOneStaysWhatItIs() throws {
        let cache = CredentialCache(fixed: Secret("fixed"))
        let lease = try cache.lease()
        cache.accept(lease)
        #expect(!cache.invalidate(lease))
        #expect(try text(cache) == "fixed")
    }

    @Test func takesTheFirstThatIsConfiguredAndStaysWithIt() throws {
        let unset = ScriptedSource(name: "unset") { _ in nil }
        let second = ScriptedSource(name: "second") { call in .init(Secret("\(call)"), expiry: nil) }
        let third = ScriptedSource(name: "third") { _ in .init(Secret("third"), expiry: nil) }
        let chain = CredentialChain<Secret>([unset, second, third])
        #expect(chain.name == "unset, second, third")
        #expect(try chain.fetch()?.credential.revealText() == "1")
        #expect(try chain.fetch()?.credential.revealText() == "2")
        #expect(chain.name == "second")
        #expect((unset.calls, third.calls) == (1, 0))
    }

    @Test func asksNoOtherWhereTheConfiguredOneFails() throws {
        let broken = ScriptedSource(name: "broken") { _ in throw CredentialFailure.invalid("not like this") }
        let other = ScriptedSource(name: "other") { _ in .init(Secret("other"), expiry: nil) }
        let error = #expect(throws: CredentialFailure.self) {
            try text(cache(CredentialChain<Secret>([broken, other])))
        }
        #expect(error?.message.hasSuffix("broken: not like this") == true)
        #expect(other.calls == 0)
    }

    @Test func namesAllThatWereAsked() throws {
        let chain = CredentialChain<Secret>([
            ScriptedSource(name: "a file") { _ in nil }, ScriptedSource(name: "a server") { _ in nil },
        ])
        let error = #expect(throws: CredentialFailure.self) { try text(cache(chain)) }
        #expect(
            error?.message == "get credentials for the store: no source is configured; asked were a file, a server")
    }

    @Test func aLostFileDoesNotMakeAnArtifactAbsent() throws {
        let lost = ScriptedSource { _ in throw ArtifactError.notFound("read", "token", "gone") }
        let error = #expect(throws: (any Error).self) { try text(cache(lost)) }
        #expect((error as? any ClassifiedError)?.isNotFound == false)
    }
}

/// A clock that is set by hand.
final class TestClock: Sendable {
    private let time = Mutex(Timestamp(seconds: 1_700_000_000))

    var now: Timestamp { time.withLock { $0 } }

    func advance(_ seconds: Int64) { time.withLock { $0.seconds += seconds } }
}

/// A source that does what its script says, call by call, from 1 on.
final class ScriptedSource: CredentialSource {
    let name: String
    private let count = Mutex(0)
    private let script: @Sendable (Int) throws -> IssuedCredential<Secret>?

    init(name: String = "scripted", _ script: @escaping @Sendable (Int) throws -> IssuedCredential<Secret>?) {
        self.name = name
        self.script = script
    }

    var calls: Int { count.withLock { $0 } }

    func fetch() throws -> IssuedCredential<Secret>? {
        let call = count.withLock {
            $0 += 1
            return $0
        }
        return try script(call)
    }
}
