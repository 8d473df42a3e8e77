import CRE2

/// The user's regular expression for errors worth another attempt: `TRANSIENT_ERROR_PATTERN`, RE2 syntax, unanchored.
@safe
package final class RegularExpression: @unchecked Sendable {
    // A compiled expression never changes: any number of threads may match with it at once.
    private let pattern: OpaquePointer

    /// - Returns: nil for an expression that is not valid: it matches nothing (contract 01 §5.2).
    package init?(_ expression: String) {
        var error = [CChar](repeating: 0, count: 256)
        let capacity = error.count
        guard let pattern = unsafe cre2_compile(expression, expression.utf8.count, &error, capacity) else { return nil }
        unsafe self.pattern = pattern
    }

    deinit { unsafe cre2_free(pattern) }

    package func matches(_ text: String) -> Bool { unsafe cre2_matches(pattern, text, text.utf8.count) }
}
