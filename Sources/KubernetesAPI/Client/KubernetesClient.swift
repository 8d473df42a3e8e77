import Documents
package import HTTPTransport
import Synchronization
package import SystemSupport

/// The API server's client: what can be done with any resource is in `KubernetesClient+Verbs.swift`, watches are `ResourceWatch`.
/// Nothing is loaded before the first call.
package final class KubernetesClient: Sendable {
    /// What the client needs besides the cluster.
    package struct Settings: Sendable {
        package var userAgent: String
        package var proxy: ProxySettings
        package var log: Log
        /// Whether a text makes an error transient: `TRANSIENT_ERROR_PATTERN`.
        package var isTransientText: @Sendable (String) -> Bool
        /// Waits that many nanoseconds; false where the waiting was cut short and nothing more shall be sent. Nil for a pause that
        /// `cancel` cuts short.
        package var pause: (@Sendable (Int64) -> Bool)?

        package init(
            userAgent: String, proxy: ProxySettings = .none, log: Log = .silent,
            isTransientText: @escaping @Sendable (String) -> Bool = { _ in false },
            pause: (@Sendable (Int64) -> Bool)? = nil
        ) {
            self.userAgent = userAgent
            self.proxy = proxy
            self.log = log
            self.isTransientText = isTransientText
            self.pause = pause
        }
    }

    private struct State {
        var session: APISession?
        var isCancelled = false
    }

    private let loadAccess: @Sendable () throws -> ClusterAccess
    let settings: Settings
    private let state = Mutex(State())
    private let cancellation = StopSwitch()

    /// - Parameter access: loads the client configuration, at the first call.
    package init(access: @escaping @Sendable () throws -> ClusterAccess, settings: Settings) {
        loadAccess = access
        self.settings = settings
    }

    /// The namespace of the client configuration.
    ///
    /// - Throws: the error of loading the configuration.
    package func namespace() throws -> String { try currentSession().access.namespace }

    /// Cancels all running requests and watches, and rejects later ones except those marked to outlive cancellation. May be called
    /// from any thread.
    package func cancel() {
        let session = state.withLock { state in
            state.isCancelled = true
            return state.session
        }
        cancellation.stop()
        session?.cancel()
    }

    /// Sends a request and returns the object that it is answered with.
    ///
    /// - Throws: `APIError`; the error of loading the configuration.
    func send(_ request: APIRequest) throws -> JSONValue {
        let (answer, credential, call) = try answered(request) { _ in nil }
        switch APIObject(answer, request.answer) {
        case .expected(let object): return object
        case .failure: throw refusal(answer, call, credential)
        case .other(let cause):
            throw APIError.misanswered(answer, cause, of: call, with: credential, isTransientText: settings.isTransientText)
        }
    }

    /// Sends a request whose answer is taken as it comes.
    ///
    /// - Parameter sink: where the body of a success goes.
    /// - Throws: `APIError`; the error of loading the configuration; the sink's own errors as they are.
    func stream(_ request: APIRequest, to sink: any ByteSink) throws {
        _ = try answered(request) { $0.status == 200 ? sink : nil }
    }

    // MARK: The one path of all requests

    /// Sends a request; again where the server says when, and where a request that changes nothing has lost its connection
    /// (contract 02 §11).
    private func answered(
        _ request: APIRequest, onHead: (HTTPResponseHead) throws -> (any ByteSink)?
    ) throws -> (HTTPResponse, ClusterCredential, APICall) {
        let session = try currentSession()
        let call = try request.call(in: session.access.namespace)
        let outgoing = session.outgoing(request, call)
        var repeats = 0
        while true {
            let (failure, pause): (APIError, Int64)
            switch try outcome(outgoing, request, session, call, onHead) {
            case .answer(let answer, let credential): return (answer, credential, call)
            case .refusal(let error, let seconds?): (failure, pause) = (error, min(seconds, 86400))
            case .refusal(let error, nil): throw error
            case .lost(let error):
                failure = APIError.transfer(error, isTransientText: settings.isTransientText)
                // Streams have a schedule of their own.
                guard request.method == "GET", !request.answer.isStream, error.code == .broken else { throw failure }
                pause = 1
            }
            guard repeats < 10 else { throw failure }
            repeats += 1
            settings.log.info("repeating an API request", ["error": .error(failure), "inSeconds": .integer(pause)])
            guard wait(pause * 1_000_000_000) else { throw failure }
        }
    }

    /// Waits that many nanoseconds.
    ///
    /// - Returns: false where that was cut short and nothing more shall be sent.
    func wait(_ nanoseconds: Int64, outlivesCancellation: Bool = false) -> Bool {
        if let pause = settings.pause { return pause(nanoseconds) }
        if !outlivesCancellation { return cancellation.sleep(nanoseconds) }
        sleepNanoseconds(nanoseconds)
        return true
    }

    private enum Outcome {
        case answer(HTTPResponse, ClusterCredential)
        /// With the seconds after which the server wants to be asked again.
        case refusal(APIError, Int64?)
        case lost(TransferError)
    }

    private func outcome(
        _ outgoing: HTTPRequest, _ request: APIRequest, _ session: APISession, _ call: APICall,
        _ onHead: (HTTPResponseHead) throws -> (any ByteSink)?
    ) throws -> Outcome {
        do {
            let (answer, credential) = try exchange(outgoing, request, session, call, onHead)
            if APIObject.isSuccess(answer.status) { return .answer(answer, credential) }
            let isBusy = answer.status == 429 || answer.status >= 500
            let seconds = isBusy ? answer.headers["Retry-After"].flatMap { Int64($0) } : nil
            return .refusal(refusal(answer, call, credential), seconds.flatMap { $0 >= 0 ? $0 : nil })
        } catch let error as TransferError { return .lost(error) }
    }

    private func refusal(_ answer: HTTPResponse, _ call: APICall, _ credential: ClusterCredential) -> APIError {
        APIError.refusal(answer, of: call, with: credential, isTransientText: settings.isTransientText)
    }

    /// One request, its answer, and the credential that it was made with; a second one where the first was refused and other
    /// credentials have come.
    private func exchange(
        _ outgoing: HTTPRequest, _ request: APIRequest, _ session: APISession, _ call: APICall,
        _ onHead: (HTTPResponseHead) throws -> (any ByteSink)?
    ) throws -> (HTTPResponse, ClusterCredential) {
        let credential = try session.access.credentials.current()
        let answer = try perform(outgoing, request, session, credential, call, onHead)
        guard answer.status == 401, let other = try session.access.credentials.replacement(for: credential) else {
            return (answer, credential)
        }
        return (try perform(outgoing, request, session, other, call, onHead), other)
    }

    private func perform(
        _ outgoing: HTTPRequest, _ request: APIRequest, _ session: APISession, _ credential: ClusterCredential,
        _ call: APICall, _ onHead: (HTTPResponseHead) throws -> (any ByteSink)?
    ) throws -> HTTPResponse {
        var outgoing = outgoing
        if let secret = credential.authorization { outgoing.headers["Authorization"] = secret.revealText() }
        let start = monotonicNanoseconds()
        defer {
            let seconds = (monotonicNanoseconds() - start) / 1_000_000_000
            if seconds >= 5, !request.answer.isStream {
                settings.log.info("slow API request", ["request": .text(call.text), "seconds": .integer(seconds)])
            }
        }
        return try session.client(credential.certificate).download(
            outgoing, body: request.body.map { .bytes($0) } ?? .none, bodyLimit: request.bodyLimit, onHead: onHead)
    }

    private func currentSession() throws -> APISession {
        try state.withLock { state in
            if let session = state.session { return session }
            let access = try loadAccess()
            for warning in access.warnings { settings.log.warn("client configuration", ["warning": .text(warning)]) }
            let made = APISession(access: access, settings: settings)
            if state.isCancelled { made.cancel() }
            state.session = made
            return made
        }
    }
}
