import SystemSupport

/// What a name of the workflow language stands for.
package enum Variable: Sendable, Equatable {
    case text(String)
    /// The output of a step or task that was not run, without a default: nothing, which expressions can tell from an empty text.
    case absent
    /// Something that only the run itself brings forth; in a dry run this text stands for it.
    case unknown(String)

    /// A text, or one that stands for what is not known.
    package init(_ text: String) { self = UnknownValue.isPart(of: text) ? .unknown(text) : .text(text) }

    package var text: String? {
        switch self {
        case .text(let text), .unknown(let text): text
        case .absent: nil
        }
    }
}

/// Variables by name, in layers: what is put in later hides what was there.
package struct VariableTable: Sendable {
    private var layers: [[String: String]]

    package init(_ layers: [String: String]...) { self.layers = layers }

    package subscript(name: String) -> String? {
        for layer in layers.reversed() {
            if let value = layer[name] { return value }
        }
        return nil
    }

    /// Sets a variable of the innermost layer.
    package mutating func set(_ name: String, _ value: String?) { layers[layers.count - 1][name] = value }

    /// With one more layer.
    package func with(_ layer: [String: String]) -> VariableTable {
        var result = self
        result.layers.append(layer)
        return result
    }

    /// All of them in one.
    package var flattened: [String: String] {
        var result = layers.first ?? [:]
        for layer in layers.dropFirst() { result.merge(layer) { _, inner in inner } }
        return result
    }
}
