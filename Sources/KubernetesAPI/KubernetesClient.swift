package import Documents
package import HTTPTransport
import Synchronization
package import SystemSupport

/// The few calls that we make to the API server (contract 04 §1). Nothing is loaded before the first of them.
package final class KubernetesClient: Sendable {
    /// What the client needs besides the cluster.
    package struct Settings: Sendable {
        package var userAgent: String
        package var proxy: ProxySettings
        package var log: Log
        /// Whether a text makes an error transient: `TRANSIENT_ERROR_PATTERN`.
        package var isTransientText: @Sendable (String) -> Bool
        /// Waits that many nanoseconds; false where the waiting was cut short and nothing more shall be sent.
        package var pause: @Sendable (Int64) -> Bool

        package init(
            userAgent: String, proxy: ProxySettings = .none, log: Log = .silent,
            isTransientText: @escaping @Sendable (String) -> Bool = { _ in false },
            pause: @escaping @Sendable (Int64) -> Bool = {
                sleepNanoseconds($0)
                return true
            }
        ) {
            self.userAgent = userAgent
            self.proxy = proxy
            self.log = log
            self.isTransientText = isTransientText
            self.pause = pause
        }
    }

    private final class Session: Sendable {
        let access: ClusterAccess
        private let settings: Settings
        /// The client for the certificate in use: another certificate needs other connections.
        private let current = Mutex<(certificate: HTTPClientConfiguration.ClientCertificate?, client: HTTPClient)?>(nil)

        init(access: ClusterAccess, settings: Settings) {
            self.access = access
            self.settings = settings
        }

        func client(_ certificate: HTTPClientConfiguration.ClientCertificate?) -> HTTPClient {
            current.withLock { current in
                if let current, current.certificate == certificate { return current.client }
                let configuration = HTTPClientConfiguration(
                    trust: access.trust, clientCertificate: certificate,
                    proxy: access.proxy.map { .always($0.revealText()) } ?? settings.proxy, serverName: access.serverName,
                    userAgent: settings.userAgent, version: .http2Allowed, maximumIdleHandles: 2)
                let client = HTTPClient(configuration: configuration)
                current = (certificate, client)
                return client
            }
        }
    }

    private let loadAccess: @Sendable () throws -> ClusterAccess
    private let settings: Settings
    private let session = Mutex<Session?>(nil)

    /// - Parameter access: loads the client configuration, at the first call.
    package init(access: @escaping @Sendable () throws -> ClusterAccess, settings: Settings) {
        loadAccess = access
        self.settings = settings
    }

    /// POST of a task result.
    ///
    /// - Throws: `APIError`; the error of loading the configuration.
    package func createTaskResult(_ body: JSONValue) throws {
        try taskResults("POST", verb: "create", type: "application/json", body)
    }

    /// Merge patch of a task result.
    ///
    /// - Throws: `APIError`; the error of loading the configuration.
    package func patchTaskResult(_ name: String, _ body: JSONValue) throws {
        try taskResults("PATCH", verb: "patch", name: name, type: "application/merge-patch+json", body)
    }

    private func taskResults(_ method: String, verb: String, name: String? = nil, type: String, _ body: JSONValue) throws {
        let session = try currentSession()
        let group = "argoproj.io"
        let resource = "workflowtaskresults"
        let namespace = session.access.namespace
        var url = "\(session.access.server)/apis/\(group)/v1alpha1/namespaces/\(Self.encoded(namespace))/\(resource)"
        if let name { url += "/" + Self.encoded(name) }
        var request = HTTPRequest(method, url)
        request.headers = ["Accept": "application/json", "Content-Type": type]
        // Longer than the server's own limit of a minute, so that its answer comes first.
        request.stallTimeout = 75
        request.totalTimeout = session.access.requestTimeout
        request.decodesGzip = session.access.acceptsCompression
        for field in session.access.impersonation?.headers.fields ?? [] { request.headers.add(field.name, field.value) }
        try send(
            request, body.serialized(), session,
            APICall(
                method: method, verb: verb, resource: resource, kind: "WorkflowTaskResult", group: group, namespace: namespace,
                neededVerbs: ["create", "patch"]))
    }

    /// Sends a request; again where the server says when (contract 02 §11).
    private func send(_ request: HTTPRequest, _ body: [UInt8], _ session: Session, _ call: APICall) throws {
        var repeats = 0
        while true {
            let (answer, credential) = try exchange(request, body, session, call)
            if APIObject.isSuccess(answer.status) {
                guard
                    let error = APIError.inSuccess(
                        answer, of: call, with: credential, isTransientText: settings.isTransientText)
                else { return }
                throw error
            }
            let error = APIError.refusal(
                answer, of: call, with: credential, isTransientText: settings.isTransientText)
            guard answer.status == 429 || answer.status >= 500, repeats < 10,
                let seconds = answer.headers["Retry-After"].flatMap({ Int64($0) }), seconds >= 0
            else { throw error }
            repeats += 1
            settings.log.info("the API server asks to wait", ["error": .error(error), "seconds": .integer(seconds)])
            guard settings.pause(min(seconds, 86400) * 1_000_000_000) else { throw error }
        }
    }

    /// One request, its answer, and the credential that it was made with; a second one where the first was refused and other
    /// credentials have come.
    private func exchange(
        _ request: HTTPRequest, _ body: [UInt8], _ session: Session, _ call: APICall
    ) throws -> (HTTPResponse, ClusterCredential) {
        let credential = try session.access.credentials.current()
        let answer = try perform(request, body, session, credential, call)
        guard answer.status == 401, let other = try session.access.credentials.replacement(for: credential) else {
            return (answer, credential)
        }
        return (try perform(request, body, session, other, call), other)
    }

    private func perform(
        _ request: HTTPRequest, _ body: [UInt8], _ session: Session, _ credential: ClusterCredential, _ call: APICall
    ) throws -> HTTPResponse {
        var request = request
        if let secret = credential.authorization { request.headers["Authorization"] = secret.revealText() }
        let start = monotonicNanoseconds()
        defer {
            let seconds = (monotonicNanoseconds() - start) / 1_000_000_000
            if seconds >= 5 {
                settings.log.info("slow API request", ["request": .text(call.text), "seconds": .integer(seconds)])
            }
        }
        do { return try session.client(credential.certificate).perform(request, body: .bytes(body)) } catch let error
            as TransferError
        {
            throw APIError.transfer(error, isTransientText: settings.isTransientText)
        }
    }

    private func currentSession() throws -> Session {
        try session.withLock { session in
            if let session { return session }
            let access = try loadAccess()
            for warning in access.warnings { settings.log.warn("client configuration", ["warning": .text(warning)]) }
            let made = Session(access: access, settings: settings)
            session = made
            return made
        }
    }

    /// A name as one segment of a path.
    private static func encoded(_ name: String) -> String {
        var text = ""
        for byte in name.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "%" + hexadecimal([byte]).uppercased()
            }
        }
        return text
    }
}
