/// Which proxy a request goes through, by the rules of Go's `httpproxy` (contract 01 §5.2).
package struct ProxySettings: Sendable, Equatable {
    /// URL of the proxy for `http` URLs; without a scheme it is `http`. May hold a user and password.
    package var http: String?
    /// URL of the proxy for `https` URLs.
    package var https: String?
    /// Comma list of hosts, domains, addresses and networks reached directly.
    package var direct: String?

    package init(http: String?, https: String?, direct: String?) {
        self.http = http
        self.https = https
        self.direct = direct
    }

    /// No proxy, whatever the environment says.
    package static let none = ProxySettings(http: nil, https: nil, direct: nil)

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
}
