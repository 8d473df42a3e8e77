import Documents
import Testing

/// Random changes to valid texts: whatever comes of them, the reader answers with values or an error and never traps, and what it
/// accepts can be written and read again.
@Suite struct YAMLMutationTests {
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
        "apiVersion: v1\nkind: Workflow\nspec:\n  templates:\n  - name: a\n    steps:\n    - - {name: b, template: c}\n",
        "a: &x [1, -2.5e-10, yes, ~, \"\\u00e4\\n\"]\nb: *x\nc: {<<: {d: e}, f: 'it''s'}\n--- |\n  lit\n   eral\n--- >-\n fol\n ded\n...\n",
        "? key\n: - a\n  - b: !!str 12\n    c: 0x_1F\n# end\n",
        "{\"a\":[1,{\"b\":\"\\ud83d\\ude00\"}],\"c\":null}",
    ]

    private static let snippets: [[UInt8]] = [
        Array("\t".utf8), Array("\n".utf8), Array(" ".utf8), Array("- ".utf8), Array(": ".utf8), Array("? ".utf8),
        Array("&a ".utf8),
        Array("*a".utf8), Array("*x".utf8), Array("<<: *x".utf8), Array("[".utf8), Array("]".utf8), Array("{".utf8),
        Array("}".utf8),
        Array("|".utf8), Array(">".utf8), Array("'".utf8), Array("\"".utf8), Array("\\".utf8), Array("---\n".utf8),
        Array("...\n".utf8),
        Array("%YAML 1.1\n".utf8), Array("%TAG ! a\n".utf8), Array("!!int ".utf8), Array("!<x> ".utf8), [0x00], [0xFF], [0xC3],
        [0xE2, 0x80, 0xA8], [0xEF, 0xBB, 0xBF], Array("0x".utf8), Array("\r".utf8), Array("\\x".utf8),
        Array("\\UFFFFFFFF".utf8),
    ]

    @Test(arguments: [1, 2, 3] as [UInt64])
    func mutatedTextsGiveAnErrorOrAStableValue(_ start: UInt64) throws {
        var generator = Generator(state: start)
        var accepted = 0
        var refused = 0
        for seed in Self.seeds {
            for _ in 0..<1_500 {
                var bytes = Array(seed.utf8)
                for _ in 0..<Int.random(in: 1...4, using: &generator) { mutate(&bytes, &generator) }
                do throws(DocumentError) {
                    let documents = try YAMLReader.file(bytes, name: "m.yaml")
                    for document in documents {
                        let again = try YAMLReader.documents(document.value.yaml(), file: "again")
                        #expect(again.count == 1 && again.first?.value == document.value, "\(bytes)")
                        accepted += 1
                    }
                } catch {
                    #expect(error.place.position.line >= 1 && error.place.position.column >= 1)
                    #expect(!error.message.contains("\n"))
                    refused += 1
                }
            }
        }
        // Both ways were really taken.
        #expect(accepted > 500)
        #expect(refused > 500)
    }

    private func mutate(_ bytes: inout [UInt8], _ generator: inout Generator) {
        let at = Int.random(in: 0...bytes.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes.insert(contentsOf: Self.snippets.randomElement(using: &generator) ?? [], at: at)
        case 1: bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 0...6, using: &generator)))
        case 2: bytes.removeSubrange(at...)
        default:
            let from = Int.random(in: 0...bytes.count, using: &generator)
            let piece = bytes[from..<min(bytes.count, from + Int.random(in: 0...12, using: &generator))]
            bytes.insert(contentsOf: Array(piece), at: at)
        }
    }

    @Test func everyCutOfATextIsReadOrRefused() {
        for seed in Self.seeds {
            let bytes = Array(seed.utf8)
            for end in 0...bytes.count { _ = try? YAMLReader.file(Array(bytes[..<end]), name: "cut.json") }
            for end in 0...bytes.count { _ = try? YAMLReader.file(Array(bytes[..<end]), name: "cut.yaml") }
        }
    }
}
