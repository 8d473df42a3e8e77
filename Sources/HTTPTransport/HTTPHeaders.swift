/// Header fields in the order given; names are compared without regard to case.
///
/// Prints the names only: values may be secrets.
package struct HTTPHeaders: Sendable, Equatable, ExpressibleByDictionaryLiteral, CustomStringConvertible, CustomReflectable {
    package struct Field: Sendable, Equatable {
        package var name: String
        package var value: String
    }

    package private(set) var fields: [Field] = []

    package init() {}

    package var description: String { fields.map(\.name).joined(separator: ", ") }
    package var customMirror: Mirror { Mirror(self, children: []) }

    package init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { add(name, value) }
    }

    /// The value of the first field of that name; setting replaces all fields of the name, nil removes them.
    package subscript(name: String) -> String? {
        get { fields.first { Self.same($0.name, name) }?.value }
        set { if let newValue { set(name, newValue) } else { remove(name) } }
    }

    /// The values of all fields of that name.
    package func all(_ name: String) -> [String] { fields.filter { Self.same($0.name, name) }.map(\.value) }

    /// Adds a field after the others, whether or not there is one of that name.
    package mutating func add(_ name: String, _ value: String) { fields.append(Field(name: name, value: value)) }

    /// Puts this value in place of all fields of that name.
    package mutating func set(_ name: String, _ value: String) {
        guard let index = fields.firstIndex(where: { Self.same($0.name, name) }) else { return add(name, value) }
        fields[index].value = value
        fields = fields.enumerated().filter { $0.offset <= index || !Self.same($0.element.name, name) }.map(\.element)
    }

    package mutating func remove(_ name: String) { fields.removeAll { Self.same($0.name, name) } }

    /// Names are ASCII (RFC 9110 §5.1).
    static func same(_ left: String, _ right: String) -> Bool {
        left.utf8.count == right.utf8.count
            && zip(left.utf8, right.utf8).allSatisfy { lowerCased($0) == lowerCased($1) }
    }

    private static func lowerCased(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
}
