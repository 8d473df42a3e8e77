import CommandLineInterface
import Executor
import SystemSupport

/// What the flags of every command set (contract 01 §2, "Global flags").
package struct GlobalSettings: Sendable {
    /// Nil where no flag names one.
    var logLevel: BytePath?
    var logFormat: BytePath = "text"
    /// The client-go flags as given, by name; repeatable ones keep all their values.
    var client: [String: [String]] = [:]

    package init() {}

    /// The log that the flags ask for.
    ///
    /// - Throws: `StartFailure` with exit code 1 for an unknown level or format.
    ///
    /// - Parameter fallback: the level where no flag names one.
    func makeLog(atLeast fallback: Log.Level = .info) throws(StartFailure) -> Log {
        let level: Log.Level
        switch logLevel?.text.lowercased() {
        case "debug", "trace": level = .debug
        case nil: level = fallback
        case "info", "print": level = .info
        case "warn": level = .warn
        case "error", "fatal", "panic": level = .error
        default: throw .fatal("read the flag --loglevel: unknown level \"\(logLevel ?? "")\"")
        }
        switch logFormat.text.lowercased() {
        case "text": return Log(level: level, format: .text)
        case "json": return Log(level: level, format: .json)
        default: throw .fatal("read the flag --log-format: unknown format \"\(logFormat)\"")
        }
    }
}

extension GlobalSettings {
    static let flags: [Flag<GlobalSettings>] =
        [
            Flag("loglevel", value: "debug|info|warn|error", help: "log level (default info)") {
                (settings, value) throws(UsageError) in settings.logLevel = value
            },
            Flag("log-format", value: "text|json", help: "log format (default text)") {
                (settings, value) throws(UsageError) in settings.logFormat = value
            },
            Flag("gloglevel", value: "LEVEL", help: "accepted for the controller's sake; has no effect") {
                (_, value) throws(UsageError) in
                // The controller can write an empty word here; it means 0.
                if !value.isEmpty, Int(value.text) == nil { throw .badValue(value, "--gloglevel", "not a number") }
            },
        ]
        + [
            (
                "kubeconfig", nil, "FILE",
                "kubeconfig file (default: $KUBECONFIG, ~/.kube/config, then the pod's service account)"
            ),
            ("as", nil, "USER", "user to impersonate"),
            ("as-uid", nil, "UID", "uid to impersonate"),
            ("as-group", nil, "GROUP", "group to impersonate; repeatable"),
            ("certificate-authority", nil, "FILE", "certificate authority of the API server"),
            ("client-certificate", nil, "FILE", "client certificate"),
            ("client-key", nil, "FILE", "key of the client certificate"),
            ("cluster", nil, "NAME", "cluster of the kubeconfig"),
            ("context", nil, "NAME", "context of the kubeconfig"),
            ("namespace", "n", "NAME", "namespace"),
            ("password", nil, "PASSWORD", "password for basic authentication"),
            ("proxy-url", nil, "URL", "proxy to the API server: http, https or socks5"),
            ("request-timeout", nil, "DURATION", "limit of one request (0: none)"),
            ("server", nil, "URL", "address of the API server"),
            ("tls-server-name", nil, "NAME", "name expected in the API server's certificate"),
            ("token", nil, "TOKEN", "bearer token"),
            ("user", nil, "NAME", "user of the kubeconfig"),
            ("username", nil, "NAME", "user name for basic authentication"),
        ].map { (name: String, short: Character?, value: String, help: String) in
            Flag(name, short: short, value: value, help: help) { (settings, value) throws(UsageError) in
                settings.client[name, default: []].append(value.text)
            }
        }
        + [
            ("disable-compression", "ask the API server for uncompressed answers"),
            ("insecure-skip-tls-verify", "trust any certificate of the API server"),
        ].map { (name: String, help: String) in
            Flag(toggle: name, help: help) { settings, value in settings.client[name] = [String(value)] }
        }
}
