internal import Documents
import ExpressionValues
import SystemSupport

extension SprigCall {
    /// The parts of a URL (RFC 3986 §3).
    func urlParts() throws(Fault) -> Value {
        var rest = Array(text(0).utf8)[...]
        func cut(_ byte: UInt8, at place: ArraySlice<UInt8>.Index) -> String {
            defer { rest = rest[..<place] }
            return Bytes.text(rest[(place + 1)...])
        }
        if let bad = rest.first(where: { $0 < 0x20 || $0 == 0x7F }) {
            throw Fault("unable to parse url: byte \(bad) is a control character")
        }
        let fragment = rest.firstIndex(of: UInt8(ascii: "#")).map { cut(UInt8(ascii: "#"), at: $0) } ?? ""
        var scheme = ""
        if let colon = rest.firstIndex(of: UInt8(ascii: ":")), !rest[..<colon].contains(UInt8(ascii: "/")) {
            let name = rest[..<colon]
            guard let first = name.first, (0x61...0x7A).contains(first | 0x20) else {
                throw Fault("unable to parse url: parse \(GoText.quoted(text(0))): missing protocol scheme")
            }
            if name.allSatisfy({ (0x61...0x7A).contains($0 | 0x20) || (0x30...0x39).contains($0) || "+-.".utf8.contains($0) }) {
                scheme = Bytes.lower(Bytes.text(name))
                rest = rest[(colon + 1)...]
            }
        }
        let query = rest.firstIndex(of: UInt8(ascii: "?")).map { cut(UInt8(ascii: "?"), at: $0) } ?? ""
        var (opaque, host, user) = ("", "", "")
        if !scheme.isEmpty, rest.first != UInt8(ascii: "/") {
            opaque = Bytes.text(rest)
            rest = []
        } else if rest.starts(with: "//".utf8) {
            let authority = rest.dropFirst(2).prefix { $0 != UInt8(ascii: "/") }
            rest = rest.dropFirst(2 + authority.count)
            let at = authority.lastIndex(of: UInt8(ascii: "@"))
            user = at.map { Bytes.text(authority[..<$0]) } ?? ""
            host = Bytes.text(at.map { authority[($0 + 1)...] } ?? authority)
        }
        return .object([
            ("scheme", .string(scheme)), ("host", .string(host)), ("hostname", .string(Self.name(ofHost: host))),
            ("path", .string(try decoded(rest))), ("query", .string(query)), ("opaque", .string(opaque)),
            ("fragment", .string(try decoded(Array(fragment.utf8)[...]))), ("userinfo", .string(user)),
        ])
    }

    /// Without a port and without the brackets of an IPv6 address.
    private static func name(ofHost host: String) -> String {
        let bytes = Array(host.utf8)
        if bytes.first == UInt8(ascii: "["), let end = bytes.lastIndex(of: UInt8(ascii: "]")) {
            return Bytes.text(bytes[1..<end])
        }
        return Bytes.text(bytes.prefix { $0 != UInt8(ascii: ":") })
    }

    private func decoded(_ text: ArraySlice<UInt8>) throws(Fault) -> String {
        var output: [UInt8] = []
        var at = text.startIndex
        while at < text.endIndex {
            if text[at] == UInt8(ascii: "%") {
                guard at + 2 < text.endIndex, let high = hexadecimalValue(text[at + 1]),
                    let low = hexadecimalValue(text[at + 2])
                else {
                    throw Fault("unable to parse url: invalid URL escape \(GoText.quoted(Bytes.text(text[at...].prefix(3))))")
                }
                output.append(high << 4 | low)
                at += 3
            } else {
                output.append(text[at])
                at += 1
            }
        }
        return Bytes.text(output)
    }

    func joinedURL() throws(Fault) -> String {
        func part(_ name: String) throws(Fault) -> String {
            guard let value = map(0)[name] else { return "" }
            guard case .string(let text) = value else {
                throw Fault("unable to parse \(name) key, must be of type string, but \(kind(value)) found")
            }
            return text
        }
        let (scheme, host, user, opaque) = (try part("scheme"), try part("host"), try part("userinfo"), try part("opaque"))
        var output = scheme.isEmpty ? "" : scheme + ":"
        if !opaque.isEmpty {
            output += opaque
        } else {
            let path = try part("path")
            if !scheme.isEmpty || !host.isEmpty || !user.isEmpty, !host.isEmpty || !path.isEmpty || !user.isEmpty {
                if !host.isEmpty || !user.isEmpty { output += "//" }
                if !user.isEmpty { output += user + "@" }
                output += host
            }
            if !path.isEmpty, path.utf8.first != UInt8(ascii: "/"), !host.isEmpty { output += "/" }
            output += encoded(path)
        }
        let (query, fragment) = (try part("query"), try part("fragment"))
        if !query.isEmpty { output += "?" + query }
        if !fragment.isEmpty { output += "#" + encoded(fragment) }
        return output
    }

    private func encoded(_ text: String) -> String {
        var output: [UInt8] = []
        for byte in text.utf8 {
            let isPlain =
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || "-_.~$&+,/:;=@!'()*".utf8.contains(byte)
            if isPlain {
                output.append(byte)
            } else {
                output += ("%" + GoText.hexadecimal(UInt32(byte), 2, uppercase: true)).utf8
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
