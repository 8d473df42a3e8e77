import Documents
import Testing

/// What scalars become, against the results of goyaml v2 followed by JSON encoding.
@Suite struct YAMLScalarTests {
    private func read(_ text: String) throws -> String {
        let documents = try YAMLReader.documents(Array("v: \(text)\n".utf8), file: "t.yaml")
        return try #require(documents.first?.value["v"]).serializedText()
    }

    @Test(arguments: [
        // Booleans and nulls of YAML 1.1
        ("y", #""y""#), ("Y", #""Y""#), ("yes", "true"), ("Yes", "true"), ("YES", "true"), ("on", "true"), ("On", "true"),
        ("ON", "true"), ("true", "true"), ("True", "true"), ("TRUE", "true"), ("n", #""n""#), ("N", #""N""#), ("no", "false"),
        ("No", "false"), ("NO", "false"), ("off", "false"), ("Off", "false"), ("OFF", "false"), ("false", "false"),
        ("False", "false"), ("FALSE", "false"), ("~", "null"), ("null", "null"), ("Null", "null"), ("NULL", "null"),
        ("", "null"),
        ("yEs", #""yEs""#), ("nULL", #""nULL""#), ("tRue", #""tRue""#),
        // Integers
        ("0", "0"), ("-0", "0"), ("12", "12"), ("+12", "12"), ("-12", "-12"), ("1_000", "1000"), ("1__0_", "10"),
        ("0x1F", "31"), ("0X1f", "31"), ("-0x10", "-16"), ("0x_0A_74_AE", "685230"), ("017", "15"), ("0o17", "15"),
        ("0O17", "15"), ("02472256", "685230"), ("0b101", "5"), ("-0b101010", "-42"),
        ("0b1010_0111_0100_1010_1110", "685230"), ("9223372036854775807", "9223372036854775807"),
        ("-9223372036854775808", "-9223372036854775808"), ("18446744073709551615", "18446744073709551615"),
        ("18446744073709551616", "18446744073709552000"), ("0x", #""0x""#), ("0xG", #""0xG""#), ("0b2", #""0b2""#),
        ("0x+1", #""0x+1""#), ("+-1", #""+-1""#), ("1-2", #""1-2""#), ("_1", #""_1""#),
        // Octal that is none is a float
        ("08", "8"), ("-09", "-9"),
        // Floats
        ("1.5", "1.5"), ("1.0", "1"), ("1.", "1"), (".5", "0.5"), ("-.1", "-0.1"), ("6.8523e+5", "685230"),
        ("685.230_15e+03", "685230.15"), ("685_230.15", "685230.15"), ("12e03", "12000"), ("1e3", "1000"), ("1E-7", "1e-7"),
        ("1e21", "1e+21"), ("+1.5", "1.5"), ("1e", #""1e""#), ("1.5.2", #""1.5.2""#), (".", #"".""#), ("1e999", #""1e999""#),
        ("0x1p4", #""0x1p4""#), ("1e+", #""1e+""#), ("._5", #""._5""#),
        // Numbers to the base 60 and dates are texts
        ("190:20:30", #""190:20:30""#), ("1:30", #""1:30""#), ("2001-12-14", #""2001-12-14""#),
        ("2001-12-14t21:59:43.10-05:00", #""2001-12-14t21:59:43.10-05:00""#), ("2001-1-1", #""2001-1-1""#),
        // Texts
        ("abc", #""abc""#), ("a b", #""a b""#), ("1 2", #""1 2""#), ("'12'", #""12""#), (#""yes""#, #""yes""#),
        ("|-\n  12", #""12""#), (">-\n  a\n  b", #""a b""#), ("'null'", #""null""#), ("''", #""""#), ("=", #""=""#),
        ("v1.0", #""v1.0""#), ("1.0.0", #""1.0.0""#), ("{{workflow.name}}x", ""),
        // Tags
        ("!!str 12", #""12""#), ("! 12", "12"), ("!!int '12'", "12"), ("!!int 0x10", "16"), ("!!float 1", "1"),
        ("!!bool yes", "true"), ("!!null ''", "null"), ("!!timestamp 2001-01-01", #""2001-01-01""#), ("!mine 12", #""12""#),
    ])
    func resolvesAsGoyamlDoes(_ text: String, _ json: String) throws {
        if json.isEmpty {
            #expect(throws: DocumentError.self) { try read(text) }
        } else {
            #expect(try read(text) == json)
        }
    }

    @Test(arguments: [".inf", "-.INF", "+.Inf", ".nan", ".NaN", "!!int abc", "!!int 1.5", "!!bool 1", "!!binary aGk="])
    func refusesWhatJSONCannotHold(_ text: String) {
        #expect(throws: DocumentError.self) { try read(text) }
    }

    @Test(arguments: [
        ("1: a", "1"), ("0x10: a", "16"), ("yes: a", "true"), ("off: a", "false"), ("1.5: a", "1.5"), ("0.1: a", "0.1"),
        ("'1.50': a", "1.50"), ("2001-01-01: a", "2001-01-01"), ("123456.5: a", "123456.5"),
    ])
    func keysBecomeTexts(_ text: String, _ name: String) throws {
        let value = try #require(try YAMLReader.documents(Array(text.utf8), file: "t.yaml").first?.value)
        #expect(value.object?.members.map(\.name) == [name])
    }

    @Test(arguments: [
        "~: a", "? [1]\n: a", "? {a: b}\n: c", "null: a", "18446744073709551615: a", "1e-5: a",
    ])
    func refusesKeysThatAreNoTexts(_ text: String) {
        #expect(throws: DocumentError.self) { try YAMLReader.documents(Array(text.utf8), file: "t.yaml") }
    }
}
