import Documents
import ExpressionValues
import Foundation
import Testing

@testable import Expressions

/// What the rows of the tables refer to.
enum Rows {
    static let variables: [(String, ExpressionValue)] = members(
        #"""
        {"l": [3, 1, 2], "s": "Hello", "o": {"b": 1, "a": [1]}, "us": [{"n": "x", "a": 3}, {"n": "y", "a": 1}, {"n": "x", "a": 2}],
         "z": null, "e": [], "f": 1.5, "t": true, "m": [[1, 2], [3]], "w": ["b", "a"]}
        """#)
    static let sprigVariables = members(
        #"{"l": [3, 1, 2], "s": "Hello World", "o": {"b": 1, "a": "x"}, "z": null, "e": [], "w": ["b", "a", "b", ""]}"#)

    static func members(_ json: String) -> [(String, ExpressionValue)] {
        let object = (try? JSONValue(parsing: json))?.object ?? JSONObject()
        return object.members.map { ($0.name, ExpressionValue($0.value)) }
    }

    static let hasZones = FileManager.default.fileExists(atPath: "/usr/share/zoneinfo/Europe/Zurich")

    /// Whether the machine has what a row needs: a table of time zones.
    static func isPossible(_ expression: String) -> Bool {
        hasZones || !expression.contains("Europe/") && !expression.contains("America/")
    }

    /// The rows whose result is another one, with what it is.
    static func failures(_ rows: [(String, String)], _ environment: ExpressionEnvironment) -> [String] {
        rows.filter { isPossible($0.0) }.compactMap { expression, expected in
            do {
                let json = try Expression.value(of: expression, in: environment).json()
                return isSame(json, try JSONValue(parsing: expected))
                    ? nil : "\(expression): \(json.serializedText(sortedKeys: true))"
            } catch { return "\(expression): \(error)" }
        }
    }

    /// Whether two documents mean the same; 1 and 1.0 do.
    static func isSame(_ left: JSONValue, _ right: JSONValue) -> Bool {
        switch (left, right) {
        case (.number(let a), .number(let b)): a.double == b.double
        case (.array(let a), .array(let b)): a.count == b.count && zip(a, b).allSatisfy { isSame($0, $1) }
        case (.object(let a), .object(let b)):
            a.count == b.count && a.members.allSatisfy { member in b[member.name].map { isSame(member.value, $0) } ?? false }
        default: left == right
        }
    }

    /// The rows whose fault has another first line, with what it is.
    static func wrongFaults(_ rows: [(String, String)], _ environment: ExpressionEnvironment) -> [String] {
        rows.filter { isPossible($0.0) }.compactMap { expression, expected in
            do throws(ExpressionError) {
                let value = try Expression.value(of: expression, in: environment)
                return "\(expression): no fault but \(value.shown)"
            } catch {
                let text =
                    error.referenceText(of: expression).split(separator: "\n", omittingEmptySubsequences: false).first ?? ""
                return text == expected ? nil : "\(expression): \(text)"
            }
        }
    }
}

@Suite struct ExpressionTableTests {
    private let environment = ExpressionEnvironment(Rows.variables)
    private let controller = ExpressionEnvironment(Rows.sprigVariables, functions: .controller)

    @Test func functionsGiveWhatTheReferenceGives() { #expect(Rows.failures(functionRows, environment) == []) }
    @Test func theLanguageIsTheReferences() { #expect(Rows.failures(languageRows, environment) == []) }
    @Test func timesAreTheReferences() { #expect(Rows.failures(timeRows, environment) == []) }
    @Test func operatorsGiveWhatTheReferenceGives() { #expect(Rows.failures(operatorRows, environment) == []) }
    @Test func operatorsBindAsTheReferences() { #expect(Rows.failures(precedenceRows, environment) == []) }
    @Test func faultsAreToldInTheReferencesWords() { #expect(Rows.wrongFaults(errorRows, environment) == []) }
    @Test func controllersFunctionsGiveWhatTheReferenceGives() { #expect(Rows.failures(sprigRows, controller) == []) }
    @Test func faultsOfTheControllersFunctionsAreTold() { #expect(Rows.wrongFaults(sprigErrorRows, controller) == []) }

    @Test func everyFunctionOfTheLanguageHasARow() {
        let all = (functionRows + languageRows + timeRows + operatorRows).map(\.0).joined(separator: "\n")
        let names = [
            "all", "none", "any", "one", "filter", "map", "count", "sum", "find", "findIndex", "findLast", "findLastIndex",
            "groupBy",
            "sortBy", "reduce", "len", "type", "abs", "ceil", "floor", "round", "int", "float", "string", "trim", "trimPrefix",
            "trimSuffix", "upper", "lower", "split", "splitAfter", "replace", "repeat", "join", "indexOf", "lastIndexOf",
            "hasPrefix",
            "hasSuffix", "max", "min", "mean", "median", "toJSON", "fromJSON", "toBase64", "fromBase64", "duration", "date",
            "timezone",
            "first", "last", "get", "take", "keys", "values", "toPairs", "fromPairs", "reverse", "uniq", "concat", "flatten",
            "sort",
            "bitand", "bitor", "bitxor", "bitnand", "bitshl", "bitshr", "bitushr", "bitnot",
        ]
        #expect(names.filter { !all.contains("\($0)(") } == [])
    }

    @Test func loneOperatorsNeedNoRowsToBindAsTold() throws {
        // Whatever binds tighter may be put in parentheses without a change.
        let levels = [
            ["||", "or"], ["&&", "and"], ["==", "!=", "<", "<=", ">", ">="], ["+", "-"], ["*", "/", "%"], ["**"],
        ]
        for (loose, looseSymbols) in levels.enumerated() {
            for tightSymbols in levels[(loose + 1)...] {
                for a in looseSymbols {
                    for b in tightSymbols {
                        let (x, y, z) = loose < 2 ? ("true", "false", "true") : ("2", "3", "4")
                        let plain = try? Expression.value(of: "\(x) \(a) \(y) \(b) \(z)", in: environment).shown
                        let grouped = try? Expression.value(of: "\(x) \(a) (\(y) \(b) \(z))", in: environment).shown
                        #expect(plain == grouped, "\(a) \(b)")
                    }
                }
            }
        }
    }
}
