import Synchronization
import SystemSupport
import Testing

@testable import Artifacts

@Suite struct TransferWidthTests {
    /// Ends as many pieces as move at a time, each at a rate in MB/s that depends on how many there are.
    private func round(_ width: TransferWidth, _ rate: (Int) -> Double) {
        let (count, epoch) = (width.current, width.epoch)
        for _ in 0..<count { width.learn(rate: rate(count) / 1000, since: epoch) }
    }

    @Test func widensToTheMostWhereEachConnectionIsHeldToARate() {
        let width = TransferWidth(4...16)
        for _ in 0..<4 { round(width) { _ in 25 } }
        #expect(width.current == 16)
    }

    @Test func staysNarrowWhereConnectionsAreFast() {
        let width = TransferWidth(4...16)
        for _ in 0..<4 { round(width) { _ in 200 } }
        #expect(width.current == 4)
    }

    /// On a busy machine every piece is slow, and more of them at a time only share the same.
    @Test func goesBackWhereMorePiecesMoveNoMore() {
        let width = TransferWidth(4...16)
        round(width) { 160 / Double($0) }
        #expect(width.current == 8)
        for _ in 0..<4 { round(width) { 160 / Double($0) } }
        #expect(width.current == 4)
    }

    @Test func stopsWhereTheWayToTheStoreIsFull() {
        let width = TransferWidth(4...16)
        for _ in 0..<6 { round(width) { min(25, 200 / Double($0)) } }
        #expect(width.current == 8)
    }

    @Test func learnsNothingFromPiecesThatBeganUnderAnotherWidth() {
        let width = TransferWidth(4...16)
        let old = width.epoch
        round(width) { _ in 25 }
        for _ in 0..<8 { width.learn(rate: 0.001, since: old) }
        #expect(width.current == 8)
    }

    @Test func keepsAFixedWidth() {
        let width = TransferWidth(3...3)
        for _ in 0..<4 { round(width) { _ in 1 } }
        #expect(width.current == 3)
    }
}
