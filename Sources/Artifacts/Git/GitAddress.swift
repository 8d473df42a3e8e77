import Artifacts
import Encodings
import HTTPTransport
import SystemSupport

/// Where a repository is, without the secrets that its URL may hold.
struct GitAddress: Sendable {
    enum Transport: Sendable {
        /// With `scheme://host:port`, to which credentials are given and no further.
        case http(origin: String)
        case ssh
        /// git's own, which knows no credentials.
        case plain
    }

    let transport: Transport
    /// For git and for messages.
    let text: String
    private(set) var user: Secret?
    private(set) var password: Secret?

    /// - Throws: `ArtifactError` for what is no such URL: git would run programs for some, and read this machine's files for others.
    init(_ repository: String) throws {
        func refused(_ cause: String) -> ArtifactError { .invalid("use", "the git repository", cause) }
        guard !repository.isEmpty else { throw refused("repo is empty") }
        guard repository.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }), !repository.hasPrefix("-") else {
            throw refused("its URL has blanks or control characters, or begins with a dash")
        }
        guard let end = repository.firstRange(of: "://")?.lowerBound else {
            // As scp has it: [USER@]HOST:PATH.
            guard let colon = repository.firstIndex(of: ":"), !repository[..<colon].contains("/"),
                colon != repository.startIndex,
                let next = repository[colon...].dropFirst().first, next != ":", !repository[..<colon].hasSuffix("@")
            else { throw refused("\"\(repository)\" is no URL of https, http, ssh or git") }
            transport = .ssh
            text = repository
            return
        }
        switch repository[..<end].lowercased() {
        case "http", "https":
            var url: HTTPURL
            do { url = try HTTPURL(repository) } catch { throw refused("its URL cannot be understood") }
            func decoded(_ text: String) -> Secret { Secret(PercentEncoding.decode(Array(text.utf8))) }
            user = url.user.map(decoded)
            password = url.password.map { decoded($0.revealText()) }
            url.user = nil
            url.password = nil
            transport = .http(origin: url.origin)
            text = url.text
        case "ssh":
            let rest = repository[end...].dropFirst(3)
            let host = rest.prefix { $0 != "/" }
            guard !host.isEmpty, !host.hasPrefix("-"), !host.contains("@-") else {
                throw refused("its host begins with a dash, or is none")
            }
            guard let at = host.lastIndex(of: "@") else {
                transport = .ssh
                text = repository
                return
            }
            let name = host[..<at].prefix { $0 != ":" }
            transport = .ssh
            text = "ssh://\(name)@" + rest[at...].dropFirst()
        case "git":
            guard !repository[end...].dropFirst(3).prefix(while: { $0 != "/" }).contains("@") else {
                throw refused("a git:// URL takes no user and no password")
            }
            transport = .plain
            text = repository
        default: throw refused("its protocol is not https, http, ssh or git")
        }
    }
}
