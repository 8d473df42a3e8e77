import Documents
import SystemSupport

/// The path inside a URL's text, which is the key of HTTP and Artifactory locations (contract 03 §5).
enum URLPath {
    /// The path, percent-decoded, with its leading slash.
    static func of(_ url: String) throws(ModelError) -> String {
        let bytes = Array(url.utf8)
        var decoded: [UInt8] = []
        let path = bytes[range(bytes)]
        var index = path.startIndex
        while index < path.endIndex {
            if path[index] == UInt8(ascii: "%") {
                guard index + 2 < path.endIndex, let high = hexadecimalValue(path[index + 1]),
                    let low = hexadecimalValue(path[index + 2])
                else {
                    throw .badURL(withoutPassword(url), "bad percent escape")
                }
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(path[index])
                index += 1
            }
        }
        return RepairedText.string(decoded)
    }

    /// The URL with its path replaced by a text, which is percent-encoded; scheme, user, host, query and fragment stay.
    static func replacing(in url: String, by path: String) throws(ModelError) -> String {
        let bytes = Array(url.utf8)
        let range = range(bytes)
        var result = Array(bytes[..<range.lowerBound])
        if !result.isEmpty, !path.isEmpty, !path.hasPrefix("/") { result.append(UInt8(ascii: "/")) }
        for byte in path.utf8 {
            if isPlain(byte) {
                result.append(byte)
            } else {
                result += [UInt8(ascii: "%"), hexDigits[Int(byte >> 4)], hexDigits[Int(byte & 15)]]
            }
        }
        result += bytes[range.upperBound...]
        return String(decoding: result, as: UTF8.self)
    }

    /// Where the path stands: after scheme and authority, before query and fragment.
    private static func range(_ bytes: [UInt8]) -> Range<Int> {
        let end = bytes.firstIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") } ?? bytes.endIndex
        let slashes: [UInt8] = [UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "/")]
        guard let colon = bytes[..<end].firstIndex(of: UInt8(ascii: ":")), bytes[colon..<end].starts(with: slashes),
            !bytes[..<colon].contains(UInt8(ascii: "/"))
        else { return 0..<end }
        let authority = colon + slashes.count
        return (bytes[authority..<end].firstIndex(of: UInt8(ascii: "/")) ?? end)..<end
    }

    /// What Go leaves as it is in a path: letters, digits, `-_.~` and `$&+,/:;=@`.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 0x30...0x39: true
        default: "-_.~$&+,/:;=@".utf8.contains(byte)
        }
    }

    private static let hexDigits = Array("0123456789ABCDEF".utf8)

    /// For messages: neither user information nor query, which may hold secrets.
    private static func withoutPassword(_ url: String) -> String {
        let text = url.prefix { $0 != "?" && $0 != "#" }
        guard let scheme = text.firstRange(of: "://") else { return String(text) }
        let rest = text[scheme.upperBound...]
        guard let at = rest.prefix(while: { $0 != "/" }).lastIndex(of: "@") else { return String(text) }
        return String(text[..<scheme.upperBound] + rest[rest.index(after: at)...])
    }
}
