/// Marks of languages in which workflows are written as templates: charts (`{{ .Values.x }}`, `{{- include … }}`) and Jinja (`{% if %}`).
enum TemplateMarks {
    /// The first words after opening braces that are a chart's and no variable of a workflow's.
    private static let words = [
        "include", "if", "else", "end", "range", "with", "define", "template", "toYaml", "tpl", "block", "required", "default",
        "printf", "quote",
    ]

    /// A mark that the text has, as it is written up to 40 characters; nil for none.
    static func find(in bytes: [UInt8]) -> String? {
        var at = 0
        while at + 1 < bytes.count {
            defer { at += 1 }
            guard bytes[at] == UInt8(ascii: "{") else { continue }
            if bytes[at + 1] == UInt8(ascii: "%") { return excerpt(bytes[at...], until: UInt8(ascii: "%")) }
            guard bytes[at + 1] == UInt8(ascii: "{") else { continue }
            var rest = bytes[(at + 2)...]
            if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
            rest = rest.drop { $0 == UInt8(ascii: " ") }
            let word = String(decoding: rest.prefix { (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) }, as: UTF8.self)
            let after = rest.dropFirst(word.utf8.count).first
            let isWord =
                words.contains(word) && (after == UInt8(ascii: " ") || after == UInt8(ascii: "}") || after == UInt8(ascii: "-"))
            let isField = rest.first == UInt8(ascii: ".") || rest.first == UInt8(ascii: "$")
            let isComment = rest.starts(with: Array("/*".utf8))
            if isWord || isField || isComment { return excerpt(bytes[at...], until: UInt8(ascii: "}")) }
        }
        return nil
    }

    /// The mark up to its closing sign, on one line.
    private static func excerpt(_ bytes: ArraySlice<UInt8>, until close: UInt8) -> String {
        var end = bytes.startIndex + 2
        while end < bytes.endIndex, bytes[end] != 0x0A, end - bytes.startIndex < 40 {
            if bytes[end] == close, end + 1 < bytes.endIndex, bytes[end + 1] == UInt8(ascii: "}") {
                end += 2
                break
            }
            end += 1
        }
        return String(decoding: bytes[..<end], as: UTF8.self)
    }
}
