/// Base64 and Base32 with the standard alphabets and padding (RFC 4648 §4, §6).
package enum BaseText {
    /// Why a text is not valid.
    package struct Fault: Error {
        /// As Go's decoders word it.
        package let reason: String

        init(_ reason: String) { self.reason = reason }
    }

    package static func encode64(_ bytes: [UInt8]) -> String { encode(bytes, bits: 6, group: 4) }
    package static func encode32(_ bytes: [UInt8]) -> String { encode(bytes, bits: 5, group: 8) }
    /// Line breaks are skipped, as the reference skips them.
    package static func decode64(_ text: String) throws(Fault) -> [UInt8] {
        try decode(text, bits: 6, group: 4, name: "base64")
    }
    package static func decode32(_ text: String) throws(Fault) -> [UInt8] {
        try decode(text, bits: 5, group: 8, name: "base32")
    }

    private static func digit(_ value: UInt8, bits: Int) -> UInt8 {
        if bits == 5 { return value < 26 ? 0x41 + value : 0x32 + value - 26 }
        switch value {
        case 0..<26: return 0x41 + value
        case 26..<52: return 0x61 + value - 26
        case 52..<62: return 0x30 + value - 52
        case 62: return UInt8(ascii: "+")
        default: return UInt8(ascii: "/")
        }
    }

    private static func value(_ digit: UInt8, bits: Int) -> UInt32? {
        switch digit {
        case 0x41...0x5A: return UInt32(digit - 0x41)
        case 0x61...0x7A where bits == 6: return UInt32(digit - 0x61) + 26
        case 0x30...0x39 where bits == 6: return UInt32(digit - 0x30) + 52
        case 0x32...0x37 where bits == 5: return UInt32(digit - 0x32) + 26
        case UInt8(ascii: "+") where bits == 6: return 62
        case UInt8(ascii: "/") where bits == 6: return 63
        default: return nil
        }
    }

    private static func encode(_ bytes: [UInt8], bits: Int, group: Int) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 8 / bits + group)
        var held: UInt32 = 0
        var count = 0
        for byte in bytes {
            held = held << 8 | UInt32(byte)
            count += 8
            while count >= bits {
                count -= bits
                text.append(digit(UInt8(held >> UInt32(count) & (1 << UInt32(bits) - 1)), bits: bits))
            }
            held &= 1 << UInt32(count) - 1
        }
        if count > 0 { text.append(digit(UInt8(held << UInt32(bits - count) & (1 << UInt32(bits) - 1)), bits: bits)) }
        while text.count % group != 0 { text.append(UInt8(ascii: "=")) }
        return String(decoding: text, as: UTF8.self)
    }

    private static func decode(_ text: String, bits: Int, group: Int, name: String) throws(Fault) -> [UInt8] {
        let input = Array(text.utf8)
        var bytes: [UInt8] = []
        var held: UInt32 = 0
        var count = 0
        var digits = 0
        var padding = 0
        for (place, byte) in input.enumerated() {
            if byte == 0x0A || byte == 0x0D { continue }
            if byte == UInt8(ascii: "=") {
                padding += 1
                continue
            }
            guard padding == 0, let value = value(byte, bits: bits) else {
                throw Fault("illegal \(name) data at input byte \(place)")
            }
            held = held << UInt32(bits) | value
            count += bits
            digits += 1
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: held >> UInt32(count)))
                held &= 1 << UInt32(count) - 1
            }
        }
        let isWhole = (digits + padding) % group == 0 && count < bits && (padding == 0 || digits % group != 0)
        if !isWhole { throw Fault("illegal \(name) data at input byte \(input.count)") }
        return bytes
    }
}
