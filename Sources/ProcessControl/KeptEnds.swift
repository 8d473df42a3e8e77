/// The first bytes of a stream and the last ones, of one that may be long.
struct KeptEnds {
    private let half: Int
    private var first: [UInt8] = []
    private var last: [UInt8] = []
    private var isCut = false

    /// - Parameter limit: bytes kept in all.
    init(limit: Int) { half = max(1, limit / 2) }

    mutating func append(_ bytes: Span<UInt8>) {
        let head = min(half - first.count, bytes.count)
        for index in 0..<head { first.append(bytes[index]) }
        for index in head..<bytes.count { last.append(bytes[index]) }
        // Seldom, so that a long stream is not moved again and again.
        if last.count > 2 * half { cut() }
    }

    private mutating func cut() {
        isCut = true
        last.removeFirst(last.count - half)
    }

    private static let separator = Array("\n...\n".utf8)

    /// What was kept, with a line of dots between both parts where there was more.
    var bytes: [UInt8] {
        if !isCut, last.count <= half { return first + last }
        return first + Self.separator + last.suffix(max(0, half - Self.separator.count))
    }
}
