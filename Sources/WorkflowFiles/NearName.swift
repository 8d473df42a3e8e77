/// Finds the name that was probably meant where one was mistyped.
package enum NearName {
    /// The first name, in order, that one edit makes of `name`; nil for none.
    package static func of(_ name: String, among names: some Sequence<String>) -> String? {
        names.filter { isNear($0, name) }.min()
    }

    /// `; did you mean 'NAME'?`, or nothing where no name is near.
    package static func hint(_ name: String, among names: some Sequence<String>) -> String {
        of(name, among: names).map { "; did you mean '\($0)'?" } ?? ""
    }

    /// Whether one insertion, removal or replacement, or two letters swapped, make one of the other.
    private static func isNear(_ left: String, _ right: String) -> Bool {
        let (a, b) = (Array(left.lowercased().utf8), Array(right.lowercased().utf8))
        if abs(a.count - b.count) > 1 || min(a.count, b.count) < 2 { return false }
        let start = zip(a, b).prefix { $0 == $1 }.count
        let end = zip(a.dropFirst(start).reversed(), b.dropFirst(start).reversed()).prefix { $0 == $1 }.count
        let rest = max(a.count, b.count) - start - end
        return rest <= 1 || rest == 2 && a.count == b.count && a[start] == b[start + 1] && a[start + 1] == b[start]
    }
}
