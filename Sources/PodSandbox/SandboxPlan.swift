import SystemSupport

/// Everything about one container that its sandbox is made of.
struct SandboxPlan: Sendable {
    let container: String
    /// The program and its arguments; an engine takes from the image what is missing.
    var command: [[UInt8]]
    /// Whether the command's first word is the pod's own and not left to the image.
    var hasExplicitCommand: Bool
    var variables: ContainerEnvironment
    var workingDirectory: BytePath
    var hasExplicitDirectory: Bool
    var identity: Identity
    var hasExplicitUser: Bool
    var hostname: String
    /// The container's own root cannot be written to.
    var hasReadOnlyRoot: Bool
    var capabilities: CapabilitySet
    /// Everything that is seen, in the order in which it is mounted; the container's own root is not among them.
    var mounts: [MountTable.Entry]
    /// What becomes `/`.
    var root: BytePath
}

/// The privileges of a container's root, named as Kubernetes does (`NET_ADMIN`).
struct CapabilitySet: Sendable, Equatable {
    /// What container runtimes leave by default.
    static let usual = [
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW", "SETFCAP",
        "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
    ]

    /// All that the kernel knows.
    private static let known =
        usual + [
            "AUDIT_CONTROL", "AUDIT_READ", "BLOCK_SUSPEND", "BPF", "CHECKPOINT_RESTORE", "DAC_READ_SEARCH", "IPC_LOCK",
            "IPC_OWNER", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "NET_ADMIN", "NET_BROADCAST", "PERFMON",
            "SYSLOG", "SYS_ADMIN", "SYS_BOOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE",
            "SYS_TIME", "SYS_TTY_CONFIG", "WAKE_ALARM",
        ]

    let isPrivileged: Bool
    /// All that we have ourselves.
    let isUnlimited: Bool
    let names: [String]
    let added: [String]
    let dropped: [String]

    init(isPrivileged: Bool = false, added: [String] = [], dropped: [String] = []) {
        let plain = { (names: [String]) in
            names.map { name in
                let name = name.uppercased()
                return name.hasPrefix("CAP_") ? String(name.dropFirst(4)) : name
            }
        }
        (self.added, self.dropped) = (plain(added), plain(dropped))
        self.isPrivileged = isPrivileged
        isUnlimited = isPrivileged || self.added.contains("ALL")
        let (gained, lost) = (self.added, self.dropped)
        var names = lost.contains("ALL") ? [] : Self.usual.filter { !lost.contains($0) }
        for name in gained where !names.contains(name) && Self.known.contains(name) { names.append(name) }
        self.names = names
    }

    /// What is asked for and is no capability.
    var unknown: [String] { (added + dropped).filter { $0 != "ALL" && !Self.known.contains($0) } }
}
