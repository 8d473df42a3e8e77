import CISAL

/// The cyclic checksums by which stores tell and check content.
package enum CyclicChecksum: Sendable, Equatable {
    /// Castagnoli's, the one that we send: by instructions of the processor.
    case crc32c
    /// That of gzip and Ethernet.
    case crc32
    /// What S3 computes by itself for objects that were stored without a checksum.
    case crc64nvme

    /// The checksum of bytes that follow others.
    ///
    /// - Parameter value: the checksum of what went before; 0 at the start.
    package func update(_ value: UInt64, _ bytes: Span<UInt8>) -> UInt64 {
        if bytes.isEmpty { return value }
        return unsafe bytes.withUnsafeBytes { buffer in
            switch self {
            case .crc32c:
                var crc = ~UInt32(truncatingIfNeeded: value)
                var rest = unsafe UnsafeMutableRawPointer(mutating: buffer.baseAddress!)
                    .assumingMemoryBound(to: UInt8.self)
                var count = buffer.count
                while count > 0 {  // the library takes the length as an Int32
                    let piece = min(count, 1 << 30)
                    crc = unsafe crc32_iscsi(rest, Int32(piece), crc)
                    unsafe rest += piece
                    count -= piece
                }
                return UInt64(~crc)
            case .crc32:
                return UInt64(
                    unsafe crc32_gzip_refl(
                        UInt32(truncatingIfNeeded: value), buffer.baseAddress!.assumingMemoryBound(to: UInt8.self),
                        UInt64(buffer.count)))
            case .crc64nvme: return unsafe CRC64Table.nvme.update(value, buffer)
            }
        }
    }

    /// The checksum of two stretches, one after the other, from the checksums of each.
    package func combine(_ first: UInt64, _ second: UInt64, secondLength: Int64) -> UInt64 {
        switch self {
        case .crc32c:
            UInt64(
                PolynomialField<UInt32>(polynomial: 0x82F6_3B78).shift(UInt32(truncatingIfNeeded: first), by: secondLength)
                    ^ UInt32(truncatingIfNeeded: second))
        case .crc32:
            UInt64(
                PolynomialField<UInt32>(polynomial: 0xEDB8_8320).shift(UInt32(truncatingIfNeeded: first), by: secondLength)
                    ^ UInt32(truncatingIfNeeded: second))
        case .crc64nvme:
            PolynomialField<UInt64>(polynomial: CRC64Table.nvmePolynomial).shift(first, by: secondLength) ^ second
        }
    }

    /// The value as S3 writes it: big-endian bytes.
    package func bytes(_ value: UInt64) -> [UInt8] {
        let width = self == .crc64nvme ? 8 : 4
        return (0..<width).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (width - 1 - $0))) }
    }

    /// The value of big-endian bytes; nil when there are too few or too many.
    package func value(_ bytes: [UInt8]) -> UInt64? {
        guard bytes.count == (self == .crc64nvme ? 8 : 4) else { return nil }
        return bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// Polynomials over GF(2) modulo a checksum's own, bits reversed: what joining checksums needs.
private struct PolynomialField<Word: FixedWidthInteger & UnsignedInteger> {
    let polynomial: Word

    private func multiply(_ left: Word, _ right: Word) -> Word {
        var bit: Word = 1 << (Word.bitWidth - 1)
        var right = right
        var product: Word = 0
        while bit != 0 {
            if left & bit != 0 { product ^= right }
            bit >>= 1
            right = right & 1 == 0 ? right >> 1 : right >> 1 ^ polynomial
        }
        return product
    }

    /// The checksum after that many zero bytes, without the inversions at either end.
    func shift(_ value: Word, by bytes: Int64) -> Word {
        var power: Word = 1 << (Word.bitWidth - 1 - 8)  // x^8: one byte
        var value = value
        var rest = bytes
        while rest > 0 {
            if rest & 1 == 1 { value = multiply(power, value) }
            power = multiply(power, power)
            rest >>= 1
        }
        return value
    }
}

/// A 64-bit checksum by eight tables, eight bytes a step: ISA-L 2.30 lacks this polynomial.
private struct CRC64Table: Sendable {
    static let nvmePolynomial: UInt64 = 0x9A6C_9329_AC4B_C9B5
    static let nvme = CRC64Table(polynomial: nvmePolynomial)

    private let words: [UInt64]

    init(polynomial: UInt64) {
        var words = [UInt64](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt64(byte)
            for _ in 0..<8 { crc = crc & 1 == 0 ? crc >> 1 : crc >> 1 ^ polynomial }
            words[byte] = crc
        }
        for index in 256..<8 * 256 {
            let before = words[index - 256]
            words[index] = before >> 8 ^ words[Int(before & 255)]
        }
        self.words = words
    }

    func update(_ value: UInt64, _ buffer: UnsafeRawBufferPointer) -> UInt64 {
        unsafe words.withUnsafeBufferPointer { table in
            var crc = ~value
            var index = 0
            while index + 8 <= buffer.count {
                crc ^= unsafe UInt64(littleEndian: buffer.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                var next: UInt64 = 0
                for place in 0..<8 {
                    unsafe next ^= table[(7 - place) * 256 + Int(crc >> UInt64(8 * place) & 255)]
                }
                crc = next
                index += 8
            }
            while index < buffer.count {
                crc = unsafe crc >> 8 ^ table[Int((crc ^ UInt64(buffer[index])) & 255)]
                index += 1
            }
            return ~crc
        }
    }
}
