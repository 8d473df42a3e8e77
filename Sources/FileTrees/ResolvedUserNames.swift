package import SystemSupport

/// User and group names of numbers, read from `/etc/passwd` and `/etc/group` as files: the C library would load the machine's NSS
/// modules into a static program.
package struct ResolvedUserNames: Sendable {
    private let users: [UInt32: [UInt8]]
    private let groups: [UInt32: [UInt8]]

    /// A file that is absent or unreadable counts as empty.
    package init(passwd: BytePath = "/etc/passwd", group: BytePath = "/etc/group") {
        users = Self.names(passwd, fields: 7)
        groups = Self.names(group, fields: 4)
    }

    /// Nobody has a name.
    package static let none = ResolvedUserNames(users: [:], groups: [:])

    private init(users: [UInt32: [UInt8]], groups: [UInt32: [UInt8]]) {
        self.users = users
        self.groups = groups
    }

    package func user(_ id: UInt32) -> [UInt8]? { users[id] }
    package func group(_ id: UInt32) -> [UInt8]? { groups[id] }

    /// Lines `name:password:number:…` with that many fields; the first of a number counts. Names that begin with `+` or `-` refer
    /// to other sources of names and are passed over.
    private static func names(_ path: BytePath, fields count: Int) -> [UInt32: [UInt8]] {
        guard let content = try? SmallFile.read(path, limit: 16 << 20) else { return [:] }
        var names: [UInt32: [UInt8]] = [:]
        for line in content.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: ":"), maxSplits: count - 1, omittingEmptySubsequences: false)
            guard fields.count == count, let first = fields[0].first, !"+-#".utf8.contains(first),
                let number = UInt32(String(decoding: fields[2], as: UTF8.self)), names[number] == nil
            else { continue }
            names[number] = Array(fields[0])
        }
        return names
    }
}
