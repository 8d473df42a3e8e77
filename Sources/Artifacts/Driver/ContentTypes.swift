import Synchronization
package import SystemSupport

/// Content types by a file name's extension, as Go's `mime` package finds them (contract 03 §6): a small table of our
/// own, overridden by the system's.
package final class ContentTypes: Sendable {
    private struct Table {
        var exact: [String: String] = [:]
        var lowerCased: [String: String] = [:]

        mutating func set(_ fileExtension: String, _ type: String) {
            let type = type.hasPrefix("text/") && !type.contains("charset=") ? type + "; charset=utf-8" : type
            exact[fileExtension] = type
            lowerCased[fileExtension.lowercased()] = type
        }
    }

    private static let builtIn: [(String, String)] = [
        ("avif", "image/avif"), ("css", "text/css"), ("gif", "image/gif"), ("htm", "text/html"), ("html", "text/html"),
        ("jpeg", "image/jpeg"), ("jpg", "image/jpeg"), ("js", "text/javascript"), ("json", "application/json"),
        ("mjs", "text/javascript"), ("pdf", "application/pdf"), ("png", "image/png"), ("svg", "image/svg+xml"),
        ("wasm", "application/wasm"), ("webp", "image/webp"), ("xml", "text/xml"),
    ]

    private let systemTable: BytePath
    private let loaded = Mutex<Table?>(nil)

    /// - Parameter systemTable: read when a type is first asked for; need not exist.
    package init(systemTable: BytePath = "/etc/mime.types") { self.systemTable = systemTable }

    /// The type for a file's name; nil where its extension tells none.
    package func type(for fileName: BytePath) -> String? {
        let name = fileName.base.bytes
        guard let dot = name.lastIndex(of: UInt8(ascii: ".")),
            let fileExtension = String(validating: name[(dot + 1)...], as: UTF8.self)
        else { return nil }
        return loaded.withLock { loaded in
            let table = loaded ?? read()
            loaded = table
            return table.exact[fileExtension] ?? table.lowerCased[fileExtension.lowercased()]
        }
    }

    private func read() -> Table {
        var table = Table()
        for (fileExtension, type) in Self.builtIn { table.set(fileExtension, type) }
        guard let bytes = try? SmallFile.read(systemTable, limit: 4 << 20) else { return table }
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let words = String(decoding: line.prefix { $0 != UInt8(ascii: "#") }, as: UTF8.self)
                .split { $0 == " " || $0 == "\t" || $0 == "\r" }
            guard let type = words.first, type.contains("/") else { continue }
            for fileExtension in words.dropFirst() { table.set(String(fileExtension), String(type)) }
        }
        return table
    }
}
