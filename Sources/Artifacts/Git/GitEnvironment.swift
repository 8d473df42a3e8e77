import Artifacts
import FileTrees
import Glibc
package import SystemSupport

/// What the environment says to git and ssh. Nothing else of it reaches them.
package struct GitEnvironment: CloudSettings {
    /// Folders in which git and ssh are looked for.
    package var path: String
    /// Files of host keys, each a path.
    package var knownHosts: [String]
    package var agent: String?
    /// Whether our user has no name, which ssh wants: this library of nss_wrapper's gives it one then.
    package var isNameless: Bool
    package var namingLibrary = "libnss_wrapper.so"
    /// What git's HTTP client wants, by its own names.
    package var network: [(name: String, value: String)] = []

    package init(_ environment: Environment) {
        path = environment[.path] ?? ""
        isNameless = ResolvedUserNames().user(getuid()) == nil
        agent = environment.nonEmpty(.sshAgent)
        if let files = environment.nonEmpty(.sshKnownHosts) {
            knownHosts = files.split(separator: ":").map(String.init)
        } else {
            knownHosts = ["/etc/ssh/ssh_known_hosts"]
            if let home = environment.nonEmpty(.home) { knownHosts.insert(home + "/.ssh/known_hosts", at: 0) }
        }
        for (name, variables) in [
            ("http_proxy", [.httpProxy, .httpProxyLower]), ("https_proxy", [.httpsProxy, .httpsProxyLower]),
            ("no_proxy", [.noProxy, .noProxyLower]), ("GIT_SSL_CAINFO", [.sslCertFile]),
            ("GIT_SSL_CAPATH", [.sslCertDirectory]),
        ] as [(String, [EnvironmentVariable])] {
            if let value = variables.lazy.compactMap({ environment.nonEmpty($0) }).first { network.append((name, value)) }
        }
    }
}
