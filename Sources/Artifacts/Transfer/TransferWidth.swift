import Synchronization
import SystemSupport

/// How many pieces of one object move at a time: more while that moves more bytes, taken back where it does not.
///
/// A store that holds each connection to a rate, or one that is far away, wants many. A near store that fills this machine's cores
/// wants few: more would only queue for the file's lock. A slow piece alone does not tell which it is, since on a busy machine
/// everything is slow; only what is moved in all does.
final class TransferWidth: Sendable {
    private struct State {
        var width: Int
        /// Counts the changes of width: a piece that began under another width tells nothing of this one.
        var epoch = 0
        /// Pieces that began and ended under this width, and the sum of their rates in bytes a nanosecond.
        var pieces = 0
        var rates = 0.0
        /// The width before, and what was moved then in all.
        var before: (width: Int, rate: Double)?
        var isSettled = false
    }

    private let most: Int
    private let state: Mutex<State>

    /// Bytes a nanosecond: a connection that moves more waits for this machine rather than for the network (80 MB/s).
    private static let fastConnection = 0.08
    /// What doubling the width must bring, in all.
    private static let leastGain = 1.15

    /// - Parameter limits: where to begin, and the most; the same for a fixed width.
    init(_ limits: ClosedRange<Int>) {
        most = limits.upperBound
        state = Mutex(State(width: limits.lowerBound, isSettled: limits.lowerBound == limits.upperBound))
    }

    /// Pieces that may move now.
    var current: Int { state.withLock { $0.width } }

    /// Moves a piece and learns from the time that it takes.
    func moving<R>(bytes: Int64, _ body: () throws -> R) rethrows -> R {
        let epoch = epoch
        let begun = monotonicNanoseconds()
        let result = try body()
        learn(rate: Double(bytes) / Double(max(1, monotonicNanoseconds() - begun)), since: epoch)
        return result
    }

    /// Changes with the width.
    var epoch: Int { state.withLock { $0.epoch } }

    /// Takes account of a piece that moved at a rate in bytes a nanosecond.
    func learn(rate: Double, since epoch: Int) {
        state.withLock { state in
            guard !state.isSettled, epoch == state.epoch else { return }
            state.pieces += 1
            state.rates += rate
            guard state.pieces >= state.width else { return }
            let mean = state.rates / Double(state.pieces)
            let total = mean * Double(state.width)
            (state.pieces, state.rates) = (0, 0)
            if let before = state.before, total < before.rate * Self.leastGain {
                state.width = before.width
                state.isSettled = true
            } else if state.width < most, mean < Self.fastConnection {
                state.before = (state.width, total)
                state.width = min(most, state.width * 2)
                state.epoch += 1
            }
        }
    }
}
