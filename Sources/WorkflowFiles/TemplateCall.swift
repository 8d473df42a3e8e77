package import Documents

/// A step, a task or an entrypoint: which template is run, with what.
package struct TemplateCall: Sendable {
    package enum Target: Sendable {
        /// A template of the same document.
        case named(String)
        case reference(name: String, template: String, isClusterScoped: Bool)
        case inline(JSONValue)
        case none
    }

    package let name: String
    package let target: Target
    /// `parameters` and `artifacts`.
    package let arguments: JSONValue
    /// Names of the tasks that must have succeeded first; for steps none.
    package let dependencies: [String]

    package init(_ document: JSONValue) {
        name = document["name"]?.string ?? ""
        arguments = document["arguments"] ?? [:]
        dependencies = Self.dependencies(of: document) ?? []
        if let inline = document["inline"], !inline.isNull {
            target = .inline(inline)
        } else if let reference = document["templateRef"], !reference.isNull {
            target = .reference(
                name: reference["name"]?.string ?? "", template: reference["template"]?.string ?? "",
                isClusterScoped: reference["clusterScope"]?.bool ?? false)
        } else if let template = document["template"]?.string, !template.isEmpty {
            target = .named(template)
        } else {
            target = .none
        }
    }

    /// The call that a workflow begins with.
    package init(entrypoint: String, arguments: JSONValue) {
        name = ""
        target = .named(entrypoint)
        self.arguments = arguments
        dependencies = []
    }

    /// The names in `dependencies`, or in a `depends` that says no more than they could: names joined by `&&`. Each once.
    ///
    /// - Returns: nil where `depends` says more.
    package static func dependencies(of document: JSONValue) -> [String]? {
        var names = (document["dependencies"]?.array ?? []).compactMap(\.string)
        if let depends = document["depends"]?.string, !depends.isEmpty {
            names = []
            for part in depends.split(separator: "&", omittingEmptySubsequences: false).enumerated() {
                let name = part.element.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                if part.offset % 2 == 1 {
                    if !part.element.isEmpty { return nil }
                } else if isTaskName(name) {
                    names.append(name)
                } else {
                    return nil
                }
            }
        }
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    /// The names that a task's dependencies speak of, also those of a `depends` that says more than `dependencies(of:)` can.
    package static func mentionedTasks(of document: JSONValue) -> [String] {
        if let known = dependencies(of: document) { return known }
        // `a.Succeeded && !(b.Failed || c)`: names, and words about how they ended.
        let words = (document["depends"]?.string ?? "").split {
            !($0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "-" || $0 == ".")
        }
        return words.compactMap { $0.split(separator: ".").first.map(String.init) }
    }

    private static func isTaskName(_ text: String) -> Bool {
        guard let first = text.utf8.first, first != UInt8(ascii: "-") else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"): true
            default: false
            }
        }
    }
}
