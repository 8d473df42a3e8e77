import SystemSupport

/// Bounds how many large answers are in memory at a time, each of them several times over: as it came, as text, and as the result that
/// is reported. The controller gives the agent's pod 64 MiB.
final class AnswerRoom: Sendable {
    /// Bytes up to which an answer is taken without asking.
    static let small = 256 << 10

    private static let places = 2
    /// After so many nanoseconds an answer is taken all the same: a server that sends its answer slowly must not hold up all others.
    private static let patience: Int64 = 30_000_000_000

    private let free = Monitor(places)
    private let stop: StopSwitch

    init(stop: StopSwitch) { self.stop = stop }

    /// For one task; ended when its result has been handed over.
    func share() -> AnswerShare { AnswerShare(self) }

    fileprivate func take() -> Bool {
        let end = monotonicNanoseconds(after: Self.patience)
        while !stop.isStopped, monotonicNanoseconds() < end {
            let isTaken = free.wait(atMost: 200_000_000) { free -> Bool? in
                if free == 0 { return nil }
                free -= 1
                return true
            }
            if isTaken != nil { return true }
        }
        return false
    }

    fileprivate func give() { free.update { $0 += 1 } }
}

/// What one task's answers take up.
final class AnswerShare {
    private let room: AnswerRoom
    private var isLarge = false
    private var holdsPlace = false

    fileprivate init(_ room: AnswerRoom) { self.room = room }

    /// Waits until there is room for a large answer.
    func grow() {
        if isLarge { return }
        isLarge = true
        holdsPlace = room.take()
    }

    func end() {
        if holdsPlace { room.give() }
        (isLarge, holdsPlace) = (false, false)
    }
}

/// Collects an answer's body.
final class AnswerCollector: ByteSink {
    private(set) var bytes: [UInt8] = []
    private let limit: Int
    private let share: AnswerShare

    /// - Parameter limit: bytes of the largest body that is taken.
    init(limit: Int, _ share: AnswerShare) {
        self.limit = limit
        self.share = share
    }

    /// - Throws: `OversizedAnswer`.
    func write(_ block: Span<UInt8>) throws {
        let count = bytes.count + block.count
        guard count <= limit else { throw OversizedAnswer(limit: limit) }
        if count > AnswerRoom.small, bytes.capacity < limit {
            share.grow()
            bytes.reserveCapacity(limit)
        }
        for index in block.indices { bytes.append(block[index]) }
    }
}

/// An answer that no task set can hold.
struct OversizedAnswer: Error {
    let limit: Int
}
