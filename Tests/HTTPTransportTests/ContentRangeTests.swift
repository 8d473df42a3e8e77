import Testing

@testable import HTTPTransport

@Suite struct ContentRangeTests {
    @Test(arguments: [
        ("bytes 2-4/11", Int64(2), Int64?(11)), ("bytes 0-0/*", 0, nil), ("BYTES 5-9/10", 5, 10),
    ])
    func readsContentRanges(text: String, start: Int64, total: Int64?) {
        let range = ContentRange(text)
        #expect(range?.start == start)
        #expect(range?.total == total)
    }

    @Test(arguments: [
        "", "bytes", "bytes */11", "items 1-2/3", "bytes x-4/11", "bytes 99999999999999999999-1/2",
        "bytes 0-1/99999999999999999999", "bytes 5-6/5", "bytes 0-1/x",
    ])
    func refusesOtherContentRanges(text: String) { #expect(ContentRange(text) == nil) }

    @Test func standsInTheHeaders() {
        #expect(HTTPHeaders(dictionaryLiteral: ("content-range", "bytes 1-2/3")).contentRange == ContentRange("bytes 1-2/3"))
        #expect(HTTPHeaders().contentRange == nil)
    }
}
