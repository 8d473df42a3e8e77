package import ExpressionValues

/// What an expression may refer to.
package struct ExpressionEnvironment: Sendable {
    /// Which functions there are besides the language's own.
    package enum Functions: Sendable {
        /// None: data templates, `depends`, conditions of HTTP templates.
        case builtins
        /// The controller's: `asInt`, `asFloat`, `toJson`, `jsonpath` and `sprig`.
        case controller
    }

    /// By name; a name is what stands before the first point of a reference: `inputs`, `workflow`.
    package var variables: ValueMap

    package init(_ variables: ValueMap = ValueMap(), functions: Functions = .builtins) {
        self.variables = variables
        guard functions == .controller else { return }
        let own: [(String, EnvironmentFunction)] = [
            ("asInt", .asInt), ("asFloat", .asFloat), ("toJson", .toJson), ("jsonpath", .jsonpath), ("sprig", .sprigGroup),
        ]
        for (name, function) in own { self.variables.set(.string(name), .function(function)) }
    }

    package init(_ variables: some Sequence<(String, ExpressionValue)>, functions: Functions = .builtins) {
        var map = ValueMap()
        for (name, value) in variables { map.set(.string(name), value) }
        self.init(map, functions: functions)
    }

    /// The variables of dotted names (`inputs.parameters.x`) as nested maps.
    ///
    /// Of two names of which one goes on where the other ends, the shorter is dropped, as the controller does.
    package init(dotted variables: some Sequence<(String, ExpressionValue)>, functions: Functions = .controller) {
        let sorted = variables.sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
        let root = Branch()
        for (place, (name, value)) in sorted.enumerated() {
            if place + 1 < sorted.count, sorted[place + 1].0.utf8.starts(with: (name + ".").utf8) { continue }
            let parts = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            root.set(parts.prefix(ExpressionValue.maximumDepth - 1).map { String(decoding: $0, as: UTF8.self) }[...], value)
        }
        self.init(root.map, functions: functions)
    }

    /// Maps on the way to values of dotted names.
    private final class Branch {
        private var names: [String] = []
        private var branches: [String: Branch] = [:]
        private var values: [String: ExpressionValue] = [:]

        func set(_ path: ArraySlice<String>, _ value: ExpressionValue) {
            guard let first = path.first else { return }
            if branches[first] == nil, values[first] == nil { names.append(first) }
            if path.count == 1 {
                values[first] = value
            } else {
                let branch = branches[first] ?? Branch()
                branches[first] = branch
                branch.set(path.dropFirst(), value)
            }
        }

        var map: ValueMap {
            var map = ValueMap()
            for name in names { map.set(.string(name), branches[name].map { .map($0.map) } ?? values[name] ?? .null) }
            return map
        }
    }
}

/// What an evaluation may cost before it ends with an error.
package struct EvaluationLimits: Sendable {
    /// Elements of lists and maps that are made, as the reference counts them.
    package var elements = 1_000_000
    /// Steps of the evaluation; work that grows with a text or a list counts by its length.
    package var steps = 20_000_000

    package init() {}
}
