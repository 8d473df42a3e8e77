/// Kubernetes' references to variables in values, commands and arguments: `$(NAME)`; `$$` stands for `$`.
enum VariableExpansion {
    /// Puts values in the place of references. A reference to nothing stays as it is written.
    ///
    /// - Parameter value: the value of a name; nil for an unknown one.
    static func expand(_ text: [UInt8], _ value: ([UInt8]) -> [UInt8]?) -> [UInt8] {
        var result: [UInt8] = []
        var rest = text[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "$"), let next = rest.first else {
                result.append(byte)
                continue
            }
            switch next {
            case UInt8(ascii: "$"):
                rest.removeFirst()
                result.append(byte)
            case UInt8(ascii: "("):
                guard let end = rest.firstIndex(of: UInt8(ascii: ")")) else {
                    result.append(byte)
                    continue
                }
                let reference = rest[...end]
                result += value(Array(reference.dropFirst().dropLast())) ?? [byte] + reference
                rest = rest[(end + 1)...]
            default: result.append(byte)
            }
        }
        return result
    }

    /// The names that are referred to.
    static func names(in text: [UInt8]) -> [[UInt8]] {
        var names: [[UInt8]] = []
        _ = expand(text) { name in
            names.append(name)
            return nil
        }
        return names
    }
}
