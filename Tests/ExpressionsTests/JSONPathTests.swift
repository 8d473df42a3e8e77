import ExpressionValues
import Foundation
import Testing

@testable import Expressions

@Suite struct JSONPathTests {
    private static let document = #"""
        {"a":[{"b":1,"c":"x"},{"b":2,"c":"y"},{"b":3}],"s":"str","m":{"k":[1,2,3],"length":7},"n":null,"e":[]}
        """#
    private let environment = ExpressionEnvironment([("d", .string(document))], functions: .controller)

    @Test func pathsLeadWhereTheReferencesDo() {
        let rows = jsonPathRows.map { path, expected in
            let escaped = path.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
            return ("jsonpath(d, \"\(escaped)\")", expected)
        }
        #expect(Rows.failures(rows, environment) == [])
    }

    @Test(arguments: [
        ("$.zz", "key: invalid token key 'zz' not found"), ("$.a[5]", "index: invalid token out of range"),
        ("$.a.b", "key: invalid token target. expected [map] got [slice]"),
        ("$.s[0]", "index: invalid token target. expected [array slice] got [string]"), ("a", "invalid JSONPath selector 'a'"),
        ("", "invalid JSONPath selector ''"), ("$.a[", "invalid JSONPath selector '$.a['"),
        ("$.a[x]", "invalid token. '[x]' does not match any token format"),
    ]) func pathsThatLeadNowhereAreToldApart(path: String, reason: String) {
        let error = #expect(throws: ExpressionError.self) {
            try Expression.value(of: "jsonpath(d, '\(path)')", in: environment)
        }
        #expect(error?.reason == reason)
    }
}
