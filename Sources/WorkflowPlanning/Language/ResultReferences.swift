import Documents
import WorkflowModel

extension ResolvedTemplate {
    /// The names of the steps or tasks whose results the template speaks of, as `steps.NAME.outputs.result` or
    /// `steps['NAME'].outputs.result`: theirs are captured.
    package var usedResults: Set<String> {
        guard kind == .steps || kind == .dag else { return [] }
        let word = Array((kind == .steps ? "steps" : "tasks").utf8)
        let text = JSONValue.object(template).serialized()
        let result = Array(".outputs.result".utf8)
        var names: Set<String> = []
        var at = 0
        // One pass: templates may have thousands of steps.
        while at + word.count < text.count {
            guard text[at] == word[0], text[at..<at + word.count].elementsEqual(word) else {
                at += 1
                continue
            }
            at += word.count
            let rest = text[at...]
            let name: ArraySlice<UInt8>
            let after: ArraySlice<UInt8>
            if rest.first == UInt8(ascii: ".") {
                name = rest.dropFirst().prefix { $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "\"") }
                after = rest.dropFirst(1 + name.count)
            } else if rest.starts(with: Array("['".utf8)) {
                name = rest.dropFirst(2).prefix { $0 != UInt8(ascii: "'") && $0 != UInt8(ascii: "\"") }
                after = rest.dropFirst(2 + name.count + 2)
            } else {
                continue
            }
            if after.starts(with: result) { names.insert(String(decoding: name, as: UTF8.self)) }
        }
        return names
    }
}
