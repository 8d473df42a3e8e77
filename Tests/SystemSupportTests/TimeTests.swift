import Glibc
import SystemSupport
import Testing

@Suite struct TimeTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0, 0), ("0001-01-01T00:00:00Z", -62_135_596_800, 0),
        ("2026-11-24T03:38:32+01:30", 1_795_486_112, 0), ("2024-02-29T23:59:59.123456789123Z", 1_709_251_199, 123_456_789),
        ("9999-12-31T23:59:59Z", 253_402_300_799, 0),
    ])
    func readsTimes(text: String, seconds: Int, nanoseconds: Int) throws {
        let time = try #require(Timestamp(rfc3339: text))
        #expect(time == Timestamp(seconds: Int64(seconds), nanoseconds: Int32(nanoseconds)))
    }

    @Test(arguments: [
        "", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00Zx", "2026-1-01T00:00:00Z", "0000-01-01T00:00:00Z",
        "2026-01-01T00:00:00+1:00",
    ])
    func refusesWhatIsNoTime(text: String) { #expect(Timestamp(rfc3339: text) == nil) }

    @Test func agreesWithTheCLibraryOnEveryDay() {
        for day in stride(from: -719_162, through: 2_932_896, by: 1) {
            let (year, month, date) = Timestamp.civil(days: day)
            guard Timestamp.days(year: year, month: month, day: date) == day else {
                Issue.record("day \(day) comes back as another")
                return
            }
            if day % 97 == 0 {
                var seconds = time_t(day) * 86400
                var fields = tm()
                gmtime_r(&seconds, &fields)
                #expect(Int(fields.tm_year) + 1900 == year && Int(fields.tm_mon) + 1 == month && Int(fields.tm_mday) == date)
            }
        }
    }

    @Test func printsWhatItRead() throws {
        for text in ["2026-11-24T03:38:32Z", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z"] {
            #expect(try #require(Timestamp(rfc3339: text)).rfc3339() == text)
        }
        #expect(Timestamp(seconds: 0, nanoseconds: 5_000_000).rfc3339(fractionDigits: 3) == "1970-01-01T00:00:00.005Z")
    }

    @Test(
        arguments: [
            ("300ms", 300_000_000), ("1.5s", 1_500_000_000), ("2m", 120_000_000_000), ("1h2m3s", 3_723_000_000_000), ("0", 0),
            ("-1s", -1_000_000_000), ("+.5s", 500_000_000), ("1.s", 1_000_000_000), ("1µs", 1000),
        ] as [(String, Int64)])
    func readsGoDurations(text: String, nanoseconds: Int64) { #expect(GoDuration.nanoseconds(text) == nanoseconds) }

    @Test(arguments: ["", "1", "s", "1 s", "1x", ".s", "1..5s", "999999999h", "-"])
    func refusesWhatIsNoGoDuration(text: String) { #expect(GoDuration.nanoseconds(text) == nil) }
}
