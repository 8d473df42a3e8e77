/// What the statuses of answers mean, whatever the server.
package enum HTTPStatus {
    package static func isSuccess(_ status: Int) -> Bool { (200..<300).contains(status) }

    /// Of the refusals that blame the request, those that may go away: time-outs and throttling (contract 02 §12).
    package static func isPassingRefusal(_ status: Int) -> Bool { [408, 425, 429, 499].contains(status) }
}

/// The stretch of an object that an answer of status 206 holds (RFC 9110 §14.4).
package struct ContentRange: Sendable, Equatable {
    package let start: Int64
    /// Bytes of the whole object; nil where the server does not tell.
    package let total: Int64?

    /// - Parameter text: e.g. `bytes 2-4/11`; the total may be `*`.
    package init?(_ text: String) {
        let parts = text.split(separator: " ")
        guard parts.count == 2, parts[0].lowercased() == "bytes" else { return nil }
        let sides = parts[1].split(separator: "/")
        guard sides.count == 2, let start = sides[0].split(separator: "-").first.flatMap({ Int64($0) }), start >= 0 else {
            return nil
        }
        let total = Int64(sides[1])
        guard sides[1] == "*" || total.map({ $0 > start }) ?? false else { return nil }
        self.start = start
        self.total = total
    }
}

extension HTTPHeaders {
    /// nil where there is none, or none that makes sense.
    package var contentRange: ContentRange? { self["Content-Range"].flatMap(ContentRange.init) }
}
