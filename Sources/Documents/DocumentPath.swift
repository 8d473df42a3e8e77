/// The way from a document's root to a value in it, printed as `spec.templates[2].steps[0][1].name`.
package struct DocumentPath: Sendable, Hashable, CustomStringConvertible {
    package enum Step: Sendable, Hashable {
        case member(String)
        case element(Int)
    }

    package var steps: [Step]

    package init(_ steps: [Step] = []) { self.steps = steps }

    /// A path of members only.
    package init(members: String...) { steps = members.map { .member($0) } }

    package static let root = DocumentPath()

    package func member(_ name: String) -> DocumentPath { DocumentPath(steps + [.member(name)]) }

    package func element(_ index: Int) -> DocumentPath { DocumentPath(steps + [.element(index)]) }

    package func appending(_ other: DocumentPath) -> DocumentPath { DocumentPath(steps + other.steps) }

    /// Names that are no plain words stand in brackets and quotes: `labels['a.b/c']`.
    package var description: String {
        var text = ""
        for step in steps {
            switch step {
            case .element(let index): text += "[\(index)]"
            case .member(let name) where Self.isPlain(name): text += text.isEmpty ? name : ".\(name)"
            case .member(let name): text += "['\(name)']"
            }
        }
        return text
    }

    private static func isPlain(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "$"): true
                default: false
                }
            }
    }
}

extension JSONValue {
    /// The value at a path; nil where there is none. Names are matched exactly.
    package subscript(path: DocumentPath) -> JSONValue? {
        var value = self
        for step in path.steps {
            switch step {
            case .member(let name):
                guard let next = value[name] else { return nil }
                value = next
            case .element(let index):
                guard let elements = value.array, elements.indices.contains(index) else { return nil }
                value = elements[index]
            }
        }
        return value
    }
}
