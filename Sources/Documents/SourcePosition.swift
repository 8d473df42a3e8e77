/// A place in a text: line and column, both from 1, the column in Unicode scalars.
package struct SourcePosition: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let line: Int
    package let column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package static func < (left: SourcePosition, right: SourcePosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }

    package var description: String { "\(line):\(column)" }
}

/// A place in a file, printed as compilers do: `FILE:LINE:COLUMN`.
package struct SourcePlace: Sendable, Hashable, CustomStringConvertible {
    /// As the user named it.
    package let file: String
    package let position: SourcePosition

    package init(file: String, position: SourcePosition) {
        self.file = file
        self.position = position
    }

    package var description: String { "\(file):\(position)" }
}
