import SystemSupport

/// Which proxy a request goes through, by the rules of Go's `httpproxy` (contract 01 §5.2).
///
/// Prints without the addresses: they may hold passwords.
package struct ProxySettings: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    /// URL of the proxy for `http` URLs; without a scheme it is `http`. May hold a user and password.
    package var http: String?
    /// URL of the proxy for `https` URLs.
    package var https: String?
    /// Comma list of hosts, domains, addresses and networks reached directly.
    package var direct: String?
    /// Whether every host is reached through the proxy, also this machine itself.
    private var isUnconditional = false

    package init(http: String?, https: String?, direct: String?) {
        self.http = http
        self.https = https
        self.direct = direct
    }

    package var description: String { http == nil && https == nil ? "no proxy" : "a proxy" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// No proxy, whatever the environment says.
    package static let none = ProxySettings(http: nil, https: nil, direct: nil)

    /// One proxy for everything, as a kubeconfig's `proxy-url` has it.
    package static func always(_ url: String) -> ProxySettings {
        var settings = ProxySettings(http: url, https: url, direct: nil)
        settings.isUnconditional = true
        return settings
    }

    /// The settings in the environment; `value` looks a variable up. Upper case goes first, as in Go; empty counts as unset.
    package init(environment value: (String) -> String?) {
        func first(_ names: String...) -> String? {
            for name in names { if let text = value(name), !text.isEmpty { return text } }
            return nil
        }
        self.init(
            http: first("HTTP_PROXY", "http_proxy"), https: first("HTTPS_PROXY", "https_proxy"),
            direct: first("NO_PROXY", "no_proxy"))
    }

    /// The proxy for a URL, with its port filled in; nil where the host is reached directly.
    ///
    /// - Throws: `TransferError` (`invalid`) for a proxy address that makes no sense, without quoting it.
    func proxy(for url: HTTPURL) throws -> HTTPURL? {
        guard let setting = url.scheme == "https" ? https : http, isUnconditional || !isDirect(url) else { return nil }
        let parsed = try? HTTPURL(URLParser(setting))
        var proxy: HTTPURL
        if let parsed, ["http", "https", "socks5", "socks5h"].contains(parsed.scheme) {
            proxy = parsed
        } else if !setting.contains("://"), let retried = try? HTTPURL("http://" + setting) {
            proxy = retried
        } else {
            throw TransferError.invalid("invalid proxy address")
        }
        // libcurl's default port is 1080 for every kind.
        if proxy.port == nil { proxy.port = proxy.scheme.hasPrefix("socks5") ? 1080 : proxy.effectivePort }
        proxy.path = ""
        proxy.query = nil
        return proxy
    }

    private func isDirect(_ url: HTTPURL) -> Bool {
        let host = url.bareHost.lowercased()
        if host == "localhost" { return true }
        let address = IPAddress(host)
        if address?.isLoopback == true { return true }
        for entry in (direct ?? "").split(separator: ",") {
            let entry = entry.trimmed.lowercased()
            if entry == "*" { return true }
            if entry.isEmpty { continue }
            if let network = IPNetwork(entry) {
                if let address, network.contains(address) { return true }
                continue
            }
            let (name, port) = Self.split(entry)
            if let port, port != url.effectivePort { continue }
            if let listed = IPAddress(name) {
                if listed == address { return true }
                continue
            }
            let suffix = name.hasPrefix("*.") ? String(name.dropFirst()) : name
            if suffix.hasPrefix(".") {
                if host.hasSuffix(suffix) { return true }
            } else if !suffix.isEmpty, host == suffix || host.hasSuffix("." + suffix) {
                return true
            }
        }
        return false
    }

    /// `host:port`, `[address]:port`, or a host alone.
    private static func split(_ entry: String) -> (name: String, port: Int?) {
        if entry.hasPrefix("["), let end = entry.firstIndex(of: "]") {
            let name = String(entry[entry.index(after: entry.startIndex)..<end])
            return (name, Int(entry[end...].dropFirst(2)))
        }
        let parts = entry.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let port = Int(parts[1]) else { return (entry, nil) }
        return (String(parts[0]), port)
    }
}
