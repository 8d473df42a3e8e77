import Documents
import SystemSupport
import Testing

/// Random changes to valid texts: whatever comes of them, the reader answers with a value or an error and never traps.
@Suite struct JSONMutationTests {
    /// A small generator with a fixed start (SplitMix64), so that a failure comes back.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    private static let seeds = [
        #"{"name":"make","inputs":{},"outputs":{"artifacts":[{"name":"a","path":"/a","archive":{"none":{}}}]},"metadata":{}}"#,
        #"{"k":[1,-2.5e-10,true,false,null,"\u0000\ud83d\ude00\\\"",[[[]]],{"":{}}]}"#,
        "[\"ä€😀\u{2028}\", 0, 10000000000000000000000000000, 1e400, -0.0e-0]",
    ]

    private static let snippets: [[UInt8]] = [
        [0x22], [0x5C], Array("\\u".utf8), Array("\\ud800".utf8), [0x7B], [0x7D], [0x5B], [0x5D], [0x2C], [0x3A], [0x2D],
        [0x2E],
        Array("e+".utf8), [0x00], [0xFF], [0xC3], [0xE2, 0x80], [0xF0, 0x9F], [0x0A], Array("null".utf8),
    ]

    @Test(arguments: [1, 2, 3] as [UInt64])
    func mutatedTextsGiveAnErrorOrAStableValue(_ start: UInt64) throws {
        var generator = Generator(state: start)
        var accepted = 0
        var refused = 0
        for seed in Self.seeds {
            for _ in 0..<2_000 {
                var bytes = Array(seed.utf8)
                for _ in 0..<Int.random(in: 1...4, using: &generator) { mutate(&bytes, &generator) }
                switch Self.read(bytes) {
                case .success(let value):
                    let written = value.serialized()
                    let again = try JSONValue(parsing: written)
                    #expect(again == value)
                    #expect(again.serialized() == written)
                    accepted += 1
                case .failure(let error):
                    #expect(error.line >= 1 && error.column >= 1 && error.column <= bytes.count + 1)
                    refused += 1
                }
            }
        }
        // Both ways were really taken.
        #expect(accepted > 100)
        #expect(refused > 100)
    }

    private static func read(_ bytes: [UInt8]) -> Result<JSONValue, JSONError> {
        Result { () throws(JSONError) in try JSONValue(parsing: bytes) }
    }

    private func mutate(_ bytes: inout [UInt8], _ generator: inout Generator) {
        let at = Int.random(in: 0...bytes.count, using: &generator)
        switch Int.random(in: 0..<5, using: &generator) {
        case 0 where at < bytes.count: bytes[at] = UInt8.random(in: 0...255, using: &generator)
        case 1 where at < bytes.count: bytes.remove(at: at)
        case 2: bytes.insert(contentsOf: Self.snippets.randomElement(using: &generator) ?? [], at: at)
        case 3: bytes.removeLast(bytes.count - at)
        default:
            let end = Int.random(in: at...bytes.count, using: &generator)
            bytes.insert(contentsOf: bytes[at..<end], at: at)
        }
    }
}
