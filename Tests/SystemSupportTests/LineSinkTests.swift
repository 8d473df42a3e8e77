import SystemSupport
import Testing

@Suite struct LineSinkTests {
    private func lines(of pieces: [String], limit: Int = 100) throws -> [String] {
        var lines: [String] = []
        let sink = LineSink(limit: limit, subject: "read") { lines.append(String(decoding: $0, as: UTF8.self)) }
        for piece in pieces { try sink.write(Array(piece.utf8).span) }
        return lines
    }

    @Test func cutsAtLineEnds() throws {
        #expect(try lines(of: ["a\nb", "c\r", "\n\n\r\nd", "\ne"]) == ["a", "bc", "d"])
        #expect(try lines(of: [String(repeating: "x", count: 100) + "\n"]).map(\.utf8.count) == [100])
    }

    @Test func refusesLinesThatAreTooLong() {
        let error = #expect(throws: ExecutorError.self) { try lines(of: ["ab\n", "abcd", "efgh"], limit: 6) }
        #expect(error?.message == "read: a line is longer than 6 bytes")
    }

    @Test func handsOnTheTakersError() {
        let sink = LineSink(limit: 9, subject: "read") { _ in throw ExecutorError.failed("mine") }
        #expect(throws: ExecutorError.self) { try sink.write(Array("a\n".utf8).span) }
    }
}
