import Documents
import Testing

@Suite struct LooseValueTests {
    @Test(arguments: [
        ("\"a\"", "a"), ("\"\"", ""), ("1", "1"), ("1.50", "1.5"), ("1.0", "1"), ("1e3", "1000"), ("-0.5", "-0.5"),
        ("-0", "-0"),
        ("9007199254740993", "9007199254740992"), ("12345678901234567890", "12345678901234567000"),
        ("1e21", "1000000000000000000000"), ("1e-7", "0.0000001"), ("123456.789e3", "123456789"), ("true", "true"),
        ("false", "false"),
        ("{}", ""), ("[1]", ""), ("1e400", "1e400"), ("1e-400", "0"),
    ])
    func anyStringReadsAsTheReferenceDoes(_ text: String, _ expected: String) throws {
        #expect(AnyString.text(of: try JSONValue(parsing: text)) == expected)
    }

    @Test func anyStringOfNullIsAbsent() { #expect(AnyString.text(of: .null) == nil) }

    @Test func intOrStringTakesPlainIntegersAndText() throws {
        #expect(IntOrString(3)?.int == 3)
        #expect(IntOrString("3")?.int == 3)
        #expect(IntOrString("x")?.int == nil)
        #expect(IntOrString("x") == .string("x"))
        for text in ["1.5", "true", "null", "[]", "{}"] { #expect(IntOrString(try JSONValue(parsing: text)) == nil, "\(text)") }
    }
}

@Suite struct DecimalTextTests {
    // What Go's strconv.FormatFloat(v, 'f', -1, 64) gives.
    @Test(arguments: [
        (0.0, "0"), (-0.0, "-0"), (1, "1"), (-1, "-1"), (0.1, "0.1"), (12.5, "12.5"), (100, "100"),
        (1e20, "100000000000000000000"),
        (1e22, "10000000000000000000000"), (1.5e16, "15000000000000000"), (9007199254740993, "9007199254740992"),
        (1e-5, "0.00001"),
        (1.234e-10, "0.0000000001234"), (0.30000000000000004, "0.30000000000000004"), (5e-1, "0.5"),
        (123456789.125, "123456789.125"),
    ])
    func plainHasNoExponent(_ value: Double, _ expected: String) {
        #expect(DecimalText.plain(value) == expected)
    }

    @Test func plainHoldsTheExtremes() {
        #expect(DecimalText.plain(.greatestFiniteMagnitude) == "17976931348623157" + String(repeating: "0", count: 292))
        #expect(DecimalText.plain(.leastNonzeroMagnitude) == "0." + String(repeating: "0", count: 323) + "5")
    }

    // What Go's encoding/json gives.
    @Test(arguments: [
        (0.0, "0"), (1e20, "100000000000000000000"), (1e21, "1e+21"), (1.5e300, "1.5e+300"), (1e-6, "0.000001"), (1e-7, "1e-7"),
        (-1.25e-9, "-1.25e-9"), (3, "3"), (-2.5, "-2.5"), (123456789e13, "1.23456789e+21"),
    ])
    func jsonTurnsToExponentsWhereGoDoes(_ value: Double, _ expected: String) {
        #expect(DecimalText.json(value) == expected)
        #expect(JSONNumber(value)?.text == expected)
    }

    @Test func bothReadBackAsTheSameValue() {
        var bits: UInt64 = 0x0123_4567_89AB_CDEF
        for _ in 0..<20_000 {
            bits = bits &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let value = Double(bitPattern: bits)
            guard value.isFinite else { continue }
            let plain = DecimalText.plain(value)
            #expect(Double(plain) == value)
            #expect(!plain.contains("e") && !plain.hasSuffix(".0"))
            #expect(Double(DecimalText.json(value)) == value)
        }
    }

    @Test func whatIsNoNumberHasNoJSON() {
        #expect(JSONNumber(.nan) == nil)
        #expect(JSONNumber(.infinity) == nil)
        #expect((try? JSONValue(parsing: "1e400"))?.int == nil)
        #expect(JSONNumber(2.5)?.double == 2.5)
    }
}
