/// Paths with `/`, by their text alone, as Go's package `path` treats them.
package enum SlashPath {
    /// The shortest path that means the same.
    package static func clean(_ path: String) -> String {
        let isAbsolute = path.utf8.first == UInt8(ascii: "/")
        var parts: [String] = []
        for part in path.utf8.split(separator: UInt8(ascii: "/")) {
            let text = String(decoding: part, as: UTF8.self)
            switch text {
            case ".": continue
            case "..":
                if let last = parts.last, last != ".." {
                    parts.removeLast()
                } else if !isAbsolute {
                    parts.append(text)
                }
            default: parts.append(text)
            }
        }
        let joined = GoText.joined(parts, by: "/")
        return isAbsolute ? "/" + joined : joined.isEmpty ? "." : joined
    }

    package static func base(_ path: String) -> String {
        if path.isEmpty { return "." }
        guard let last = path.utf8.split(separator: UInt8(ascii: "/")).last else { return "/" }
        return String(decoding: last, as: UTF8.self)
    }

    package static func directory(_ path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return clean(String(decoding: path.utf8[...slash], as: UTF8.self))
    }

    /// From the last point of the last part on.
    package static func suffix(_ path: String) -> String {
        let name = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).last ?? path.utf8[...]
        guard let point = name.lastIndex(of: UInt8(ascii: ".")) else { return "" }
        return String(decoding: name[point...], as: UTF8.self)
    }
}
