/// Looks for rings among things that refer to each other.
package enum ReferenceCycle {
    /// A way through references that comes back to where it began; nil where there is none. No recursion: chains may be long.
    package static func find(in references: [String: [String]]) -> [String]? {
        // What refers to nothing that is left is taken away, until nothing is left but rings and what refers to them.
        var left = references.mapValues { $0.filter { references[$0] != nil }.count }
        var referrers: [String: [String]] = [:]
        for (name, needed) in references {
            for other in needed { referrers[other, default: []].append(name) }
        }
        var free = left.filter { $0.value == 0 }.map(\.key)
        while let next = free.popLast() {
            left[next] = nil
            for referrer in referrers[next] ?? [] {
                guard let count = left[referrer] else { continue }
                left[referrer] = count - 1
                if count == 1 { free.append(referrer) }
            }
        }
        guard var name = left.keys.min() else { return nil }
        var way: [String] = []
        var places: [String: Int] = [:]
        while places[name] == nil {
            places[name] = way.count
            way.append(name)
            guard let next = references[name]?.first(where: { left[$0] != nil }) else { return nil }
            name = next
        }
        return Array(way[(places[name] ?? 0)...]) + [name]
    }

    /// A ring on one line; a long one in parts.
    package static func text(_ ring: [String]) -> String {
        guard ring.count > 8 else { return ring.joined(separator: " → ") }
        return (ring.prefix(4) + ["…"] + ring.suffix(3)).joined(separator: " → ")
    }
}
