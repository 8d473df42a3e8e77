/// Writes a message of Protocol Buffers, field by field. Fields of the default value are left out, as proto3 has it.
///
/// By hand: Debian has no small library for it, and the messages of traces and of artifact plugins need four kinds of fields.
package struct ProtobufWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    private enum Wire: UInt64 {
        case varint = 0
        case fixed64 = 1
        case bytes = 2
        case fixed32 = 5
    }

    package mutating func integer(_ field: UInt64, _ value: UInt64) {
        guard value != 0 else { return }
        key(field, .varint)
        varint(value)
    }

    package mutating func fixed(_ field: UInt64, _ value: UInt64) {
        guard value != 0 else { return }
        key(field, .fixed64)
        for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    package mutating func fixed(_ field: UInt64, _ value: UInt32) {
        guard value != 0 else { return }
        key(field, .fixed32)
        for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    package mutating func text(_ field: UInt64, _ value: String) { if !value.isEmpty { content(field, Array(value.utf8)) } }

    package mutating func data(_ field: UInt64, _ value: [UInt8]) { if !value.isEmpty { content(field, value) } }

    /// A message within the message; written even where it is empty.
    package mutating func message(_ field: UInt64, _ body: (inout ProtobufWriter) -> Void) {
        var inner = ProtobufWriter()
        body(&inner)
        content(field, inner.bytes)
    }

    /// As `integer` and `text`, but written whatever the value: members of a `oneof`.
    package mutating func chosenInteger(_ field: UInt64, _ value: UInt64) {
        key(field, .varint)
        varint(value)
    }
    package mutating func chosenText(_ field: UInt64, _ value: String) { content(field, Array(value.utf8)) }

    @inline(never)
    private mutating func content(_ field: UInt64, _ value: [UInt8]) {
        key(field, .bytes)
        varint(UInt64(value.count))
        bytes += value
    }

    private mutating func key(_ field: UInt64, _ wire: Wire) { varint(field << 3 | wire.rawValue) }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}

/// Reads the fields of a message one after the other. What comes from outside may be anything.
package struct ProtobufReader {
    package enum Value {
        case integer(UInt64)
        case bytes(ArraySlice<UInt8>)
    }

    private var rest: ArraySlice<UInt8>

    package init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// The next field; nil at the end, and where what follows is no field.
    @inline(never)  // or it is in the program a dozen times
    package mutating func next() -> (field: UInt64, value: Value)? {
        guard let key = varint() else { return nil }
        switch key & 7 {
        case 0: return varint().map { (key >> 3, .integer($0)) }
        case 1: return take(8).map { (key >> 3, .bytes($0)) }
        case 2: return varint().flatMap { Int(exactly: $0) }.flatMap { take($0) }.map { (key >> 3, .bytes($0)) }
        case 5: return take(4).map { (key >> 3, .bytes($0)) }
        default: return nil
        }
    }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }
}
