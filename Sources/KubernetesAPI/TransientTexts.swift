import SystemSupport

/// The texts by which an error, of whatever kind, counts as transient (contract 02 §12, "network by text" and below).
package enum TransientTexts {
    private static let parts = [
        "unexpected error when reading response body", "stream error when reading response body",
        "Connection closed by foreign host", "net/http: TLS handshake timeout", "i/o timeout", "connection timed out",
        "connection reset by peer", "http2: client connection lost", "http2: server sent GOAWAY and closed the connection",
        "request did not complete within requested timeout", "connect: connection refused", "invalid connection",
        "etcdserver: leader changed", "etcdserver: request timed out", "etcdserver: too many requests",
        "client rate limiter Wait returned an error", "upper: no more rows in",
    ]

    package static func match(_ text: String) -> Bool { parts.contains { text.contains($0) } }
}
