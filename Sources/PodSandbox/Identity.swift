import Documents
import FileTrees
import SystemSupport

/// Users and groups of a root file system, by its own files.
struct UserDatabase: Sendable {
    struct User: Sendable, Equatable {
        let name: String
        let id: UInt32
        let group: UInt32
        let home: BytePath
    }

    struct Group: Sendable, Equatable {
        let name: String
        let id: UInt32
        let members: [String]
    }

    let users: [User]
    let groups: [Group]

    /// A file that is absent or unreadable counts as empty.
    init(passwd: BytePath?, group: BytePath?) {
        users = Self.lines(passwd).compactMap { fields in
            guard fields.count >= 6, let id = UInt32(fields[2]), let group = UInt32(fields[3]) else { return nil }
            return User(name: fields[0], id: id, group: group, home: BytePath(fields[5]))
        }
        groups = Self.lines(group).compactMap { fields in
            guard fields.count >= 3, let id = UInt32(fields[2]) else { return nil }
            let members = fields.count > 3 ? fields[3].split(separator: ",").map(String.init) : []
            return Group(name: fields[0], id: id, members: members)
        }
    }

    private static func lines(_ path: BytePath?) -> [[String]] {
        guard let path, let content = try? SmallFile.read(path, limit: 16 << 20) else { return [] }
        return content.split(separator: UInt8(ascii: "\n")).map { line in
            line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map {
                String(decoding: $0, as: UTF8.self)
            }
        }
    }

    func user(_ id: UInt32) -> User? { users.first { $0.id == id } }
}

/// Who a container's command runs as.
struct Identity: Sendable, Equatable {
    enum Method: Sendable, Equatable {
        /// As bubblewrap itself runs.
        case own
        /// As another user: the command is started by this program, `setpriv`.
        case switched(by: BytePath)
        /// As a user of that number inside, who outside is the one that runs everything.
        case mapped
    }

    let user: UInt32
    let group: UInt32
    /// Further groups; they count only where identities are real.
    let groups: [UInt32]
    let home: BytePath
    let method: Method
}

/// What a pod and an image say on who a container's command shall run as.
struct IdentityRequest: Sendable {
    /// Of the pod or the container.
    let user: UInt32?
    let group: UInt32?
    let groups: [UInt32]
    /// Given to the pod's volumes.
    let volumeGroup: UInt32?
    let refusesRoot: Bool

    init(of container: ContainerManifest, in pod: PodManifest) {
        let (own, shared) = (container.securityContext, pod.securityContext)
        let number = { (field: String) -> UInt32? in
            (own.field(field)?.int ?? shared.field(field)?.int).flatMap(UInt32.init(exactly:))
        }
        user = number("runAsUser")
        group = number("runAsGroup")
        volumeGroup = shared.field("fsGroup")?.int.flatMap(UInt32.init(exactly:))
        let supplemental = (shared.field("supplementalGroups")?.array ?? []).compactMap(\.int).compactMap(UInt32.init(exactly:))
        groups = supplemental + (volumeGroup.map { [$0] } ?? [])
        refusesRoot = (own.field("runAsNonRoot") ?? shared.field("runAsNonRoot"))?.bool ?? false
    }

    /// The numbers, looked up in a root's own users.
    ///
    /// - Parameters:
    ///   - imageUser: the image's `User`: a name or number, with or without a group.
    ///   - fallback: the default.
    /// - Throws: `ExecutorError` for a name that is not in the root.
    func resolve(
        imageUser: String?, fallback: (user: UInt32, group: UInt32), database: UserDatabase
    ) throws -> (user: UInt32, group: UInt32, groups: [UInt32], home: BytePath) {
        var (user, group) = (self.user, self.group)
        let words = (imageUser ?? "").split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if user == nil, let word = words.first, !word.isEmpty {
            user = UInt32(word) ?? database.users.first { $0.name == word }?.id
            if user == nil { throw ExecutorError.badRequest("the image's user '\(word)' is not in its /etc/passwd") }
            if group == nil, words.count > 1 {
                group = UInt32(words[1]) ?? database.groups.first { $0.name == words[1] }?.id
                if group == nil { throw ExecutorError.badRequest("the image's group '\(words[1])' is not in its /etc/group") }
            }
        }
        if user == nil { group = group ?? fallback.group }
        let number = user ?? fallback.user
        let known = database.user(number)
        let own = known.map { known in database.groups.filter { $0.members.contains(known.name) }.map(\.id) } ?? []
        var all: [UInt32] = []
        for id in groups + own where !all.contains(id) { all.append(id) }
        let home = known?.home ?? (number == 0 ? "/root" : "/")
        return (number, group ?? known?.group ?? 0, all, home.isAbsolute ? home : "/")
    }
}
