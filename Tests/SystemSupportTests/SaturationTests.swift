import SystemSupport
import Testing

@Suite struct SaturationTests {
    @Test func numbersThatDoNotFitBecomeTheNearestBound() {
        let cases: [(Double, Int64)] = [
            (1.9, 1), (-1.9, -1), (1e300, .max), (-1e300, .min), (.infinity, .max), (-.infinity, .min), (.nan, 0),
            (0x1p63, .max), (-0x1p63, .min), (0x1p62, 1 << 62),
        ]
        for (number, whole) in cases { #expect(Int64(saturating: number) == whole) }
        #expect(UInt8(saturating: -1) == 0)
        #expect(UInt8(saturating: 300) == 255)
    }

    @Test func sumsStopAtTheBound() {
        #expect(Int64.max.addingSaturating(1) == .max)
        #expect(Int64.min.addingSaturating(-1) == .min)
        #expect(Int64(1).addingSaturating(2) == 3)
        #expect(monotonicNanoseconds(after: .max) == .max)
    }

    /// A wait without end is one, and ends with what it waits for.
    @Test func waitsForAsLongAsCanBeCounted() {
        #expect(Monitor(1).wait(atMost: .max) { $0 } == 1)
        #expect(Monitor(1).wait(atMost: .min) { _ in Int?.none } == nil)
    }
}
