import Digests
import Testing

@Suite struct CyclicChecksumTests {
    private let digits = Array("123456789".utf8)

    // The check values of the catalogue of parametrised CRC algorithms.
    @Test(arguments: [
        (CyclicChecksum.crc32c, UInt64(0xE306_9283)), (.crc32, 0xCBF4_3926), (.crc64nvme, 0xAE8B_1486_0A79_9888),
    ])
    func givesTheCheckValue(algorithm: CyclicChecksum, expected: UInt64) {
        #expect(algorithm.update(0, digits.span) == expected)
    }

    @Test(arguments: [CyclicChecksum.crc32c, .crc32, .crc64nvme])
    func goesOnPieceByPiece(algorithm: CyclicChecksum) {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let whole = algorithm.update(0, bytes.span)
        for cut in [0, 1, 7, 8, 9, 500, 999, 1000] {
            let first = algorithm.update(0, bytes.span.extracting(first: cut))
            #expect(algorithm.update(first, bytes.span.extracting(droppingFirst: cut)) == whole)
        }
    }

    @Test(arguments: [CyclicChecksum.crc32c, .crc32, .crc64nvme])
    func joinsStretches(algorithm: CyclicChecksum) {
        let bytes = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* $0) }
        let whole = algorithm.update(0, bytes.span)
        for cut in [0, 1, 4095, 4999, 5000] {
            let first = algorithm.update(0, bytes.span.extracting(first: cut))
            let second = algorithm.update(0, bytes.span.extracting(droppingFirst: cut))
            #expect(algorithm.combine(first, second, secondLength: Int64(bytes.count - cut)) == whole)
        }
    }

    @Test func joinsAStretchOfManyZeroBytes() {
        let zeros = [UInt8](repeating: 0, count: 3 << 20)
        for algorithm in [CyclicChecksum.crc32c, .crc32, .crc64nvme] {
            let first = algorithm.update(0, digits.span)
            let second = algorithm.update(0, zeros.span)
            #expect(algorithm.combine(first, second, secondLength: 3 << 20) == algorithm.update(first, zeros.span))
        }
    }

    @Test func isWrittenBigEndian() {
        // S3's `x-amz-checksum-crc32c: yZRlqg==` of "hello world".
        let value = CyclicChecksum.crc32c.update(0, Array("hello world".utf8).span)
        #expect(CyclicChecksum.crc32c.bytes(value) == [0xC9, 0x94, 0x65, 0xAA])
        #expect(CyclicChecksum.crc32c.value([0xC9, 0x94, 0x65, 0xAA]) == value)
        #expect(CyclicChecksum.crc32c.value([0xC9, 0x94, 0x65]) == nil)
        #expect(CyclicChecksum.crc64nvme.value([1, 2, 3, 4]) == nil)
        #expect(CyclicChecksum.crc64nvme.value([0, 0, 0, 0, 0, 0, 1, 2]) == 258)
    }
}
