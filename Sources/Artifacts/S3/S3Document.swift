import Artifacts
import Documents

/// XML documents in answers of success: a proxy in front of the store may answer 200 as well.
enum S3Document {
    /// Reads the document that an answer must be.
    ///
    /// - Parameters:
    ///   - name: the root element's name.
    ///   - what: what the answer must be, for messages, e.g. `a list of objects`.
    ///   - failure: makes an error of an `Error` element.
    /// - Throws: a transient error for an answer that was cut; `unintelligible` for one that is something else.
    static func read(
        _ body: [UInt8], root name: String, _ what: String, _ operation: String, _ subject: String,
        failure: (XMLElement) throws -> ArtifactError
    ) throws -> XMLElement {
        // The status is sent before the work is done: blanks keep the connection alive, and an error can still follow.
        let text = Array(body.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) })
        guard let root = XMLElement.parse(text) else {
            if isCut(text) { throw ArtifactError.cut(operation, subject, "the answer is not \(what): it ends too early") }
            let isWhole = hasEnd(text) && !isPage(text)
            throw ArtifactError.unintelligible(
                operation, subject,
                isWhole ? "the response is not well-formed XML" : "the response is not \(what) but \(kind(text))")
        }
        if root.name == "Error" { throw try failure(root) }
        if let error = root["Error"], root.name == name, error["Key"] == nil { throw try failure(error) }
        guard root.name == name else {
            throw ArtifactError.unintelligible(operation, subject, "the response is not \(what) but \(kind(text, root))")
        }
        return root
    }

    /// Throws for a body that an answer of success should not have: a page of a proxy's, or an error.
    static func checkNone(
        _ body: [UInt8], _ operation: String, _ subject: String, failure: (XMLElement) throws -> ArtifactError
    ) throws {
        let text = Array(body.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) })
        if text.isEmpty { return }
        if let root = XMLElement.parse(text) {
            if root.name == "Error" { throw try failure(root) }
            if root.name.lowercased() != "html" { return }
        } else if !isPage(text) {
            return
        }
        throw ArtifactError.unintelligible(operation, subject, "the answer is not the store's but \(kind(text))")
    }

    /// Whether bytes that are no document may be the beginning of one.
    private static func isCut(_ text: [UInt8]) -> Bool {
        text.isEmpty || text[0] == UInt8(ascii: "<") && !isPage(text) && !hasEnd(text)
    }

    /// Whether the last thing is the end of the first element: what cannot be read then was not cut.
    private static func hasEnd(_ text: [UInt8]) -> Bool {
        let blanks: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]
        guard let end = text.lastIndex(where: { !blanks.contains($0) }), text[end] == UInt8(ascii: ">"),
            let tag = text[..<end].lastIndex(of: UInt8(ascii: "<")), text[tag + 1] == UInt8(ascii: "/")
        else { return false }
        let name = text[(tag + 2)..<end].prefix { !blanks.contains($0) }
        // Declarations and comments may stand before it.
        let starts = text[..<tag].indices.lazy.filter { text[$0] == UInt8(ascii: "<") }
        guard !name.isEmpty, let start = starts.first(where: { !"?!".utf8.contains(text[$0 + 1]) }) else { return false }
        return text[(start + 1)...].starts(with: name)
    }

    private static func isPage(_ text: [UInt8]) -> Bool {
        let start = String(decoding: text.prefix(64), as: UTF8.self).lowercased()
        return start.hasPrefix("<!doctype html") || start.hasPrefix("<html") || start.hasPrefix("<head")
            || start.hasPrefix("<body")
    }

    private static func kind(_ text: [UInt8], _ root: XMLElement? = nil) -> String {
        if isPage(text) || root?.name.lowercased() == "html" { return "a page for people, perhaps a proxy's" }
        return root.map { "a document '\($0.name.prefix(64))'" } ?? "no XML"
    }
}
