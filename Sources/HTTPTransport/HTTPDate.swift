import SystemSupport

/// The dates of HTTP's headers, as all servers write them today: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
package enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Seconds since 1970; nil for anything else.
    package static func seconds(_ text: String) -> Int64? {
        let words = text.split(separator: " ")
        guard words.count == 6, words[5] == "GMT", let day = Int(words[1]), let year = Int(words[3]),
            (1970...9999).contains(year),
            let month = months.firstIndex(of: String(words[2])), (1...31).contains(day)
        else { return nil }
        let clock = words[4].split(separator: ":").map { Int($0) ?? -1 }
        guard clock.count == 3, (0..<24).contains(clock[0]), (0..<60).contains(clock[1]), (0...60).contains(clock[2]) else {
            return nil
        }
        let days = Timestamp.days(year: year, month: month + 1, day: day)
        return Int64(days * 86400 + clock[0] * 3600 + clock[1] * 60 + clock[2])
    }
}
