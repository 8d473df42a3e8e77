/// Where each value of a document was written. Runs beside the value tree: children stand in the order of the value's members or
/// elements.
package struct DocumentMarks: Sendable {
    /// Where the value begins.
    package let position: SourcePosition
    /// Where the names of members begin; empty for other values.
    let names: [SourcePosition]
    let children: [DocumentMarks]

    init(_ position: SourcePosition, names: [SourcePosition] = [], children: [DocumentMarks] = []) {
        self.position = position
        self.names = names
        self.children = children
    }
}

/// What is made of a key that is written twice in one object.
package enum RepeatedKeys: Sendable {
    /// An error: one of both is a mistake.
    case refused
    /// The last one counts, as most readers have it.
    case lastCounts
}

/// A document read from a file that remembers where each part of it was written, so that any later error can name the place.
package struct MarkedDocument: Sendable {
    package let value: JSONValue
    /// As the user named it.
    package let file: String
    package let marks: DocumentMarks
    /// Keys that are written twice in one object, where that is allowed (`RepeatedKeys.lastCounts`): the place of the one that
    /// counts.
    package let repeatedKeys: [DocumentError]

    init(value: JSONValue, file: String, marks: DocumentMarks, repeatedKeys: [DocumentError] = []) {
        self.value = value
        self.file = file
        self.marks = marks
        self.repeatedKeys = repeatedKeys
    }

    /// The documents in it: its items, and the items of those, where it is a list of objects as `kubectl get -o yaml` prints it; else
    /// itself alone.
    package var items: [MarkedDocument] {
        guard value["kind"]?.string?.hasSuffix("List") == true,
            let index = value.object?.members.firstIndex(where: { $0.name == "items" }),
            let elements = value.object?.members[index].value.array, marks.children.indices.contains(index)
        else { return [self] }
        return zip(elements, marks.children[index].children).flatMap { element, marks in
            MarkedDocument(value: element, file: file, marks: marks).items
        }
    }

    /// Where a value is written: for a member its name's place, for an element its own. Of what is not there, the place of the
    /// deepest value on the way to it.
    package func place(of path: DocumentPath) -> SourcePlace { SourcePlace(file: file, position: positions(path).name) }

    /// Where a value itself begins, as `place(of:)`.
    package func valuePlace(of path: DocumentPath) -> SourcePlace { SourcePlace(file: file, position: positions(path).value) }

    private func positions(_ path: DocumentPath) -> (name: SourcePosition, value: SourcePosition) {
        var value = value
        var marks = marks
        var name = marks.position
        for step in path.steps {
            let index: Int?
            switch step {
            case .member(let text): index = value.object?.members.firstIndex { hasSameBytes($0.name, text) }
            case .element(let position): index = value.array.flatMap { $0.indices.contains(position) ? position : nil }
            }
            guard let index, marks.children.indices.contains(index) else { break }
            name = marks.names.indices.contains(index) ? marks.names[index] : marks.children[index].position
            value = value.object?.members[index].value ?? value.array?[index] ?? .null
            marks = marks.children[index]
        }
        return (name, marks.position)
    }
}
