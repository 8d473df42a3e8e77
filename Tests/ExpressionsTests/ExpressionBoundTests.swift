import ExpressionValues
import Foundation
import Testing

@testable import Expressions

/// Runs a body on a thread with the smallest stack of the product's own, 512 KiB.
private func onSmallStack(_ body: @escaping @Sendable () -> Void) {
    let done = DispatchSemaphore(value: 0)
    let thread = Thread {
        body()
        done.signal()
    }
    thread.stackSize = 512 << 10
    thread.start()
    #expect(done.wait(timeout: .now() + 120) == .success)
}

@Suite struct ExpressionBoundTests {
    private static let environment = ExpressionEnvironment(Rows.variables, functions: .controller)

    private static var quick: EvaluationLimits {
        var limits = EvaluationLimits()
        limits.steps = 100_000
        return limits
    }

    @Test func deepTextsAreRefusedOnTheSmallestStack() {
        let texts = [
            String(repeating: "(", count: 5000) + "1", String(repeating: "[", count: 5000),
            String(repeating: "-", count: 5000) + "1",
            String(repeating: "not ", count: 5000) + "true", "l" + String(repeating: ".a", count: 5000),
            "l" + String(repeating: "?.a", count: 5000), "l" + String(repeating: "[0]", count: 5000),
            String(repeating: "true ? 1 : ", count: 3000) + "1", String(repeating: "if t {1} else ", count: 3000) + "{2}",
            String(repeating: "{a:", count: 3000), String(repeating: "let x = ", count: 3000),
            String(repeating: "map(l, ", count: 3000),
            "1" + String(repeating: " | max(1)", count: 3000),
        ]
        onSmallStack {
            for text in texts {
                #expect(throws: ExpressionError.self, "\(text.prefix(20))") {
                    try Expression.value(of: text, in: Self.environment)
                }
            }
        }
    }

    @Test func whatMayBeNestedFitsTheSmallestStack() {
        let depth = Parser.maximumDepth - 2
        let texts = [
            String(repeating: "(", count: depth) + "1" + String(repeating: ")", count: depth),
            String(repeating: "[", count: depth) + "1" + String(repeating: "]", count: depth),
            String(repeating: "-", count: depth) + "1", "us[0]" + String(repeating: "?.zz", count: depth / 2),
            String(repeating: "false ? 1 : ", count: depth) + "1", "[1]" + String(repeating: " | concat([1])", count: depth),
            String(repeating: "map([1], ", count: depth / 2) + "1" + String(repeating: ")", count: depth / 2),
            String(repeating: "sprig.list(", count: depth / 2) + "1" + String(repeating: ")", count: depth / 2),
        ]
        onSmallStack {
            for text in texts {
                #expect(throws: Never.self, "\(text.prefix(20))") { try Expression.value(of: text, in: Self.environment) }
            }
        }
    }

    @Test func conditionsOfThousandsOfPartsAreNoDepth() throws {
        let all = "t" + String(repeating: " && t", count: 3000)
        #expect(try Expression.holds(all, in: Self.environment))
        #expect(try Expression.value(of: "1" + String(repeating: "+1", count: 3000), in: Self.environment).shown == "3001")
    }

    @Test func anExpressionOfTooManyPartsIsRefused() {
        let error = #expect(throws: ExpressionError.self) { try Expression("1" + String(repeating: "+1", count: 6000)) }
        #expect(error?.reason == "compilation failed: expression exceeds maximum allowed nodes")
    }

    @Test(arguments: [
        "reduce(1..200, #acc + #acc, 'x')", "map(1..999998, map(1..999998, 1))",
        "let q = 1..90000; all(q, all(q, all(q, true)))",
        "let q = 1..50000; map(1..40000, q[1:])", "repeat('x', 1000000)", "1..9223372036854775807",
        "repeat(repeat('x',999),999999)",
        "replace(repeat('a',90000),'a',repeat('b',90000))", "uniq(map(1..3000, [#]))",
        "map(1..9000, split(repeat('a,',999), ','))",
        "sprig.repeat(99999999,'x')", "sprig.untilStep(0,99999999999,1)", "sprig.seq(1,99999999)",
        "sprig.indent(99999,repeat('\\n',99999))", "sprig.regexReplaceAll('', repeat('a',9999), repeat('b',9999))",
        "jsonpath(toJSON(map(1..2000,[[#],[#]])), '$..*..*..*..*..*')", "reduce(1..10000, {a: #acc}, 1)",
        "reduce(1..10000, [#acc], 1)",
    ]) func costlyExpressionsEndWithAnError(text: String) {
        #expect(throws: ExpressionError.self) {
            try Expression.value(of: text, in: Self.environment, limits: Self.quick)
        }
    }

    @Test(arguments: [
        "9223372036854775807 + 1", "-9223372036854775807 - 2", "9223372036854775807 * 9223372036854775807", "5 % -1",
        "(-9223372036854775807 - 1) % -1", "abs(-9223372036854775807 - 1)", "int(1e300)", "bitshl(1, 9999999999)",
        "sprig.div(sprig.sub(-9223372036854775807, 1), -1)", "sprig.mod(sprig.sub(-9223372036854775807, 1), -1)",
        "[1, 2][-9223372036854775807:9223372036854775807]", "take([1], 9223372036854775807)", "sprig.ago(date('0001-01-01'))",
        "date('2006-01-02').Sub(date('0001-01-01'))", "sprig.round(1.5, 400) > 1", "sprig.date('2006', 9223372036854775807)",
    ]) func numbersAtTheEdgeEndNothing(text: String) {
        #expect(throws: Never.self) { try Expression.value(of: text, in: Self.environment) }
    }

    @Test func expressionsThatWereChangedAtRandomEndInTime() {
        let rows =
            (functionRows + languageRows + timeRows + sprigRows + errorRows).map(\.0)
            + jsonPathRows.map { "jsonpath(toJSON(o), '\($0.0)')" }
        onSmallStack {
            var random = SplitMix(state: 20_240_601)
            let signs = Array("()[]{}.,;:|#?'\"`\\$@*+-0 9az".utf8)
            for _ in 0..<6000 {
                var text = Array(rows[random.below(rows.count)].utf8)
                for _ in 0..<1 + random.below(4) where !text.isEmpty {
                    let at = random.below(text.count)
                    switch random.below(4) {
                    case 0: text.remove(at: at)
                    case 1: text.insert(UInt8(random.below(256)), at: at)
                    case 2: text[at] = signs[random.below(signs.count)]
                    default:
                        let other = Array(rows[random.below(rows.count)].utf8)
                        text.insert(contentsOf: other.prefix(random.below(other.count + 1)), at: at)
                    }
                }
                var limits = EvaluationLimits()
                limits.steps = 20_000
                limits.elements = 20_000
                if let value = try? Expression.value(
                    of: String(decoding: text, as: UTF8.self), in: Self.environment, limits: limits)
                {
                    _ = try? value.json()
                    _ = value.shown
                }
            }
        }
    }
}

/// Random numbers that are the same in every run.
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
