import Documents
import Encodings
import SystemSupport

/// The path inside a URL's text, which is the key of HTTP and Artifactory locations (contract 03 §5).
enum URLPath {
    /// The path, percent-decoded, with its leading slash.
    static func of(_ url: String) throws(ModelError) -> String {
        let bytes = Array(url.utf8)
        let path = Array(bytes[range(bytes)])
        guard PercentEncoding.isWhole(path) else { throw .badURL(withoutPassword(url), "bad percent escape") }
        return RepairedText.string(PercentEncoding.decode(path))
    }

    /// The URL with its path replaced by a text, which is percent-encoded; scheme, user, host, query and fragment stay.
    static func replacing(in url: String, by path: String) throws(ModelError) -> String {
        let bytes = Array(url.utf8)
        let range = range(bytes)
        var result = Array(bytes[..<range.lowerBound])
        if !result.isEmpty, !path.isEmpty, !path.hasPrefix("/") { result.append(UInt8(ascii: "/")) }
        result += Array(PercentEncoding.encode(Array(path.utf8), keeping: isPlain).utf8)
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
        PercentEncoding.isUnreserved(byte) || "$&+,/:;=@".utf8.contains(byte)
    }

    /// For messages: neither user information nor query, which may hold secrets.
    private static func withoutPassword(_ url: String) -> String {
        let text = url.prefix { $0 != "?" && $0 != "#" }
        guard let scheme = text.firstRange(of: "://") else { return String(text) }
        let rest = text[scheme.upperBound...]
        guard let at = rest.prefix(while: { $0 != "/" }).lastIndex(of: "@") else { return String(text) }
        return String(text[..<scheme.upperBound] + rest[rest.index(after: at)...])
    }
}
