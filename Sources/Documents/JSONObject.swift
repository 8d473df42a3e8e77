/// The members of a JSON object in the order they were written, found quickly by name.
///
/// Names are compared by their bytes, never by canonical equivalence: two spellings of `é` are two names.
package struct JSONObject: Sendable {
    package struct Member: Sendable {
        package let name: String
        package var value: JSONValue
    }

    package private(set) var members: [Member] = []
    /// Where each name stands; kept only for objects too large to be searched from end to end.
    private var index: [Name: Int]?

    private static let indexedFrom = 17

    package init() {}

    /// Of several members with one name the last counts, at the first one's place.
    package init(_ members: some Sequence<(String, JSONValue)>) {
        for (name, value) in members { self[name] = value }
    }

    package var count: Int { members.count }
    package var isEmpty: Bool { members.isEmpty }

    /// The member of exactly this name. Setting replaces the value in place or adds a member at the end; setting nil removes.
    package subscript(name: String) -> JSONValue? {
        get { position(of: name).map { members[$0].value } }
        set {
            let position = position(of: name)
            switch (position, newValue) {
            case (let position?, let value?): members[position].value = value
            case (let position?, nil): remove(at: position)
            case (nil, let value?): append(name, value)
            case (nil, nil): break
            }
        }
    }

    /// The value of the member that Go's JSON reader would take for a field of this name: the exact one, else the last whose
    /// name differs only in the case of ASCII letters.
    package func field(_ name: String) -> JSONValue? { fieldPosition(of: name).map { members[$0].value } }

    /// Sets the member that `field(_:)` finds, keeping its place and spelling; adds one at the end where there is none.
    package mutating func setField(_ name: String, to value: JSONValue) {
        if let position = fieldPosition(of: name) { members[position].value = value } else { append(name, value) }
    }

    /// Removes every member that Go's reader would take for this field.
    package mutating func removeField(_ name: String) {
        members.removeAll { Self.isSameField($0.name, name) }
        reindex()
    }

    /// Whether two names mean the same field to Go's reader: equal but for the case of ASCII letters.
    package static func isSameField(_ left: String, _ right: String) -> Bool {
        guard left.utf8.count == right.utf8.count else { return false }
        for (a, b) in zip(left.utf8, right.utf8) where lowercased(a) != lowercased(b) { return false }
        return true
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

    private func position(of name: String) -> Int? {
        if let index { return index[Name(text: name)] }
        return members.firstIndex { hasSameBytes($0.name, name) }
    }

    private func fieldPosition(of name: String) -> Int? {
        position(of: name) ?? members.lastIndex { Self.isSameField($0.name, name) }
    }

    private mutating func append(_ name: String, _ value: JSONValue) {
        members.append(Member(name: name, value: value))
        if index != nil { index?[Name(text: name)] = members.count - 1 } else { reindex() }
    }

    private mutating func remove(at position: Int) {
        members.remove(at: position)
        reindex()
    }

    private mutating func reindex() {
        index = nil
        guard members.count >= Self.indexedFrom else { return }
        var fresh: [Name: Int] = [:]
        for (position, member) in members.enumerated() { fresh[Name(text: member.name)] = position }
        index = fresh
    }

    /// A name as a key: equal only when the bytes are.
    private struct Name: Hashable {
        let text: String

        static func == (left: Name, right: Name) -> Bool { hasSameBytes(left.text, right.text) }

        func hash(into hasher: inout Hasher) { text.hash(into: &hasher) }
    }
}

extension JSONObject: Equatable {
    /// Whether both have the same members with the same values, in whatever order.
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        guard left.count == right.count else { return false }
        for member in left.members where right[member.name] != member.value { return false }
        return true
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, JSONValue)...) { self.init(elements) }
}

/// Whether two texts are the same bytes in UTF-8; `==` would also take canonical equivalents for the same.
func hasSameBytes(_ left: String, _ right: String) -> Bool {
    left == right && left.utf8.elementsEqual(right.utf8)
}
