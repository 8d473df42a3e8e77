import SystemSupport

/// Why a text is no JSON, and where.
package struct JSONError: ClassifiedError, Equatable, Sendable {
    package let reason: String
    /// From 1.
    package let line: Int
    /// In bytes, from 1.
    package let column: Int

    package var message: String { "parse JSON: line \(line), column \(column): \(reason)" }
}
