import Documents
import ExpressionValues
import Testing

@testable import Expressions

@Suite struct ExpressionEnvironmentTests {
    private let dotted = ExpressionEnvironment(
        dotted: [
            ("inputs.parameters.a-b", .string("1")), ("inputs.parameters.c", .string("x")),
            ("inputs.parameters", .string("[]")),
            ("workflow.name", .string("w")), ("retries", .string("2")),
        ])

    @Test func dottedNamesBecomeMaps() throws {
        #expect(try Expression.value(of: "inputs.parameters['a-b'] + workflow.name", in: dotted).tagText() == "1w")
        #expect(try Expression.value(of: "asInt(retries) + 1", in: dotted).tagText() == "3")
        #expect(try Expression.value(of: "keys(inputs)", in: dotted).tagText() == #"["parameters"]"#)
    }

    @Test func functionsOfTheControllerAreOnlyThereForTheController() {
        for text in ["sprig.trim(' a ')", "asInt('1')", "toJson(1)", "jsonpath('{}', '$')"] {
            #expect(throws: Never.self) { try Expression.value(of: text, in: dotted) }
            let error = #expect(throws: ExpressionError.self) { try Expression.value(of: text, in: ExpressionEnvironment()) }
            #expect(error?.reason.hasPrefix("unknown name ") == true)
        }
    }

    @Test(arguments: ["sha256sum", "genPrivateKey", "getHostByName", "env", "uuidv4", "randBytes", "bcrypt"])
    func whatSprigHasAndWeHaveNotIsRefusedByName(name: String) {
        let error = #expect(throws: ExpressionError.self) { try Expression.value(of: "sprig.\(name)('x')", in: dotted) }
        #expect(error?.reason == "sprig.\(name) is not supported")
        #expect(error?.message == "evaluate expression: line 1, column 7: sprig.\(name) is not supported")
    }

    @Test func functionsOfChanceGiveWhatIsAskedFor() throws {
        #expect(
            try Expression.holds("len(sprig.randAlphaNum(12)) == 12 && sprig.randAlpha(5) matches '^[a-zA-Z]{5}$'", in: dotted))
        #expect(try Expression.holds("sprig.randNumeric(4) matches '^[0-9]{4}$' && sprig.randInt(3, 5) in [3, 4]", in: dotted))
        #expect(try Expression.holds("join(sort(split(sprig.shuffle('cab'), ''))) == 'abc'", in: dotted))
        #expect(
            try Expression.holds(
                "now().Year() > 2000 && now() - now() <= duration('1s') && sprig.ago(now()) == '0s'", in: dotted))
    }

    @Test func conditionsMustBeTruthValues() {
        let error = #expect(throws: ExpressionError.self) { try Expression.holds("1 + 1", in: dotted) }
        #expect(error?.message == "evaluate expression: unable to cast expression result '2' to bool")
        #expect((try? Expression.holds("retries == '2'", in: dotted)) == true)
    }

    @Test func faultsHaveAPlace() {
        let error = #expect(throws: ExpressionError.self) { try Expression.value(of: "1 +\n  nope", in: dotted) }
        #expect(error?.position == SourcePosition(line: 2, column: 3))
        #expect(error?.referenceText(of: "1 +\n  nope") == "unknown name nope (2:3)\n |   nope\n | ..^")
    }

    @Test func resultsStandInTagsAsTheControllerPutsThem() throws {
        for (text, expected) in [
            ("'a<b'", "a<b"), ("1 / 2", "0.5"), ("4 / 2", "2"), ("[1, 'a', nil]", #"[1,"a",null]"#),
            ("{b: 1, a: true}", #"{"a":true,"b":1}"#),
            ("duration('1s')", "1000000000"), ("date('2023-08-14')", #""2023-08-14T00:00:00Z""#), ("b'hi'", #""aGk=""#),
        ] {
            #expect(try Expression.value(of: text, in: dotted).tagText() == expected)
        }
        #expect(throws: ExpressionError.self) { try Expression.value(of: "1 / 0", in: dotted).tagText() }
        #expect(throws: ExpressionError.self) { try Expression.value(of: "groupBy([1], #)", in: dotted).tagText() }
    }

    @Test func variablesThatAnExpressionNeedsAreTold() throws {
        #expect(try Expression("a.b.c + d['e']").references == ["a", "a.b", "a.b.c", "d", "d.e"])
        #expect(try Expression("a.b ?? c.d").references == ["a", "c", "c.d"])
        #expect(try Expression("a.b?.c").references == ["a"])
        #expect(try Expression("let x = a; filter(x, # > b[0]) | len()").references == ["a", "b"])
    }

    @Test func theListThatWasNeverMadeIsEmpty() throws {
        let environment = ExpressionEnvironment([("data", .list(.none))])
        for (text, expected) in [
            ("data", "null"), ("filter(data, true)", "[]"), ("len(data)", "0"), ("data ?? 1", "1"), ("data == nil", "true"),
        ] {
            #expect(try Expression.value(of: text, in: environment).json().serializedText() == expected)
        }
    }

    @Test func textsAreComparedByTheirBytes() throws {
        let environment = ExpressionEnvironment([("a", .string("e\u{301}")), ("b", .string("\u{E9}"))])
        #expect(
            try !Expression.holds(
                "a == b || a in [b] || {'k': 1}[a] == 1 || indexOf(a, b) >= 0 || len(uniq([a, b])) == 1", in: environment))
    }
}
