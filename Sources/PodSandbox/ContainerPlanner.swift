import Documents
import FileTrees
import Glibc
import ProcessControl
import SystemSupport

/// Turns a container of a pod into what its sandbox is made of. Asked anew for each start: what volumes hold changes as
/// containers run.
struct ContainerPlanner {
    let pod: PodManifest
    let folder: PodFolder
    let settings: SandboxSettings
    let machine: MachineRoot
    let volumes: VolumeSet
    /// For containers of the executor's own image.
    let attachment: ExecutorAttachment

    /// Where containers of the executor's image find it.
    private static let executorFolder = EngineProbe.executorFolder
    static let usualSearchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// Whether a container runs our own program.
    func isExecutor(_ container: ContainerManifest) -> Bool { container.image == settings.executorImage }

    /// Lays out the container's own folder and root, and plans its sandbox.
    ///
    /// - Throws: a `Finding`, `ExecutorError` or `SystemError` that says why it cannot be started.
    func plan(_ container: ContainerManifest) throws -> SandboxPlan {
        let own = folder.container(container.name)
        try DirectoryIO.makeDirectories(own.path, mode: 0o755)
        try SmallFile.write(own.terminationLog, [])
        try DirectoryIO.chmod(AT_FDCWD, own.terminationLog, mode: 0o666, subject: own.terminationLog.text)
        let image = try givenImage(of: container)
        switch settings.runtime {
        case .bubblewrap(let bubblewrap): return try sandbox(of: container, own, image, bubblewrap)
        case .engine: return try engineContainer(of: container, own)
        }
    }

    private func givenImage(of container: ContainerManifest) throws -> GivenImage? {
        try settings.images.path(for: container.image).map { try GivenImage($0) }
    }

    // MARK: Bubblewrap

    private func sandbox(
        of container: ContainerManifest, _ own: ContainerFolder, _ image: GivenImage?, _ bubblewrap: Bubblewrap
    ) throws -> SandboxPlan {
        var plan = try common(of: container, image)
        try TreeRemoval.remove(own.root)
        if let image {
            try ImageStore(settings.imageCache, log: settings.log).copy(image, to: own.root)
        } else {
            try DirectoryIO.makeDirectory(AT_FDCWD, own.root, mode: 0o755, subject: own.root.text)
            try DirectoryIO.chmod(AT_FDCWD, own.root, mode: 0o755, subject: own.root.text)
            try machine.lay(in: own.root)
        }
        plan.root = try ProcessAttributes.realPath(of: own.root)

        var table = MountTable(root: plan.root)
        if image == nil { try machine.mount(in: &table) }
        for special: BytePath in ["/proc", "/dev"] {
            try table.makeDirectory(special)
            table.addSpecial(special)
        }
        plan.identity = try identity(of: container, image, table, bubblewrap)
        if image != nil, bubblewrap.mode == .privileged, plan.identity.method == .mapped {
            // What belongs to others is nobody's in the user namespace.
            try ImageStore.takeOver(plan.root)
        }
        try layNames(in: table, isImage: image != nil)
        try addHome(plan.identity, to: &table)
        for mount in try mounts(of: container, own, environment: plan.variables) {
            do { try table.add(mount.source, at: mount.path, isReadOnly: mount.isReadOnly) } catch {
                throw ExecutorError.wrapping(container.subject, error)
            }
        }
        try table.makeDirectory(plan.workingDirectory)
        plan.workingDirectory = try table.resolve(plan.workingDirectory).path
        plan.mounts = table.entries
        plan.variables.setDefault("HOME", plan.identity.home.bytes)
        if let word = plan.command.first {
            try ProgramCheck(table: table, workingDirectory: plan.workingDirectory).check(
                BytePath(bytes: word), searchPath: plan.variables["PATH"] ?? [])
        }
        return plan
    }

    private func identity(
        of container: ContainerManifest, _ image: GivenImage?, _ table: MountTable, _ bubblewrap: Bubblewrap
    ) throws -> Identity {
        let request = IdentityRequest(of: container, in: pod)
        let file = { (path: BytePath) in (try? table.resolve(path))?.host }
        // The machine's programs know the machine's users; an image's expect root.
        let isOurs = image == nil && bubblewrap.mode == .userNamespace
        let found = try request.resolve(
            imageUser: image?.configuration.user, fallback: isOurs ? (geteuid(), getegid()) : (0, 0),
            database: UserDatabase(passwd: file("/etc/passwd"), group: file("/etc/group")))
        if request.refusesRoot, found.user == 0 {
            throw ExecutorError.badRequest("\(container.subject): runAsNonRoot is set, and it would run as root")
        }
        let method: Identity.Method
        if bubblewrap.mode == .userNamespace {
            method = .mapped
        } else if found.user == 0 && found.group == 0 {
            method = .own
        } else if image == nil, let setpriv = setpriv(table) {
            method = .switched(by: setpriv)
        } else {
            method = found.user == 0 ? .own : .mapped
        }
        return Identity(user: found.user, group: found.group, groups: found.groups, home: found.home, method: method)
    }

    /// The machine's own `setpriv`, as the container sees it.
    private func setpriv(_ table: MountTable) -> BytePath? {
        for path: BytePath in ["/usr/bin/setpriv", "/bin/setpriv"] {
            if let place = try? table.resolve(path), place.kind == .file { return path }
        }
        return nil
    }

    /// What a node writes into every container: its names.
    private func layNames(in table: MountTable, isImage: Bool) throws {
        var hosts = machine.hosts
        if hosts.last != 0x0A { hosts.append(0x0A) }
        hosts += Array("127.0.0.1\t\(pod.hostname)\n".utf8)
        for alias in pod.spec.field("hostAliases")?.array ?? [] {
            let names = (alias.field("hostnames")?.array ?? []).compactMap(\.string)
            hosts += Array("\(alias.field("ip")?.string ?? "")\t\(names.joined(separator: "\t"))\n".utf8)
        }
        try table.write("/etc/hosts", hosts)
        try table.write("/etc/hostname", Array("\(pod.hostname)\n".utf8))
        if isImage, let settings = machine.resolverSettings { try table.write("/etc/resolv.conf", settings) }
    }

    /// The home that the user's entry names, of which a private root has none.
    private func addHome(_ identity: Identity, to table: inout MountTable) throws {
        guard let place = try? table.resolve(identity.home), place.kind == nil, let host = place.host else { return }
        // A home in a read-only folder of the machine's, such as that of a service, stays missing.
        guard (try? table.makeDirectory(place.path)) != nil else { return }
        if case .switched = identity.method {
            try DirectoryIO.chown(AT_FDCWD, host, user: identity.user, group: identity.group, subject: host.text)
        }
    }

    // MARK: Engines

    private func engineContainer(of container: ContainerManifest, _ own: ContainerFolder) throws -> SandboxPlan {
        var plan = try common(of: container, nil)
        var mounts = try mounts(of: container, own, environment: plan.variables)
        if isExecutor(container) {
            mounts = machine.mounts.filter { part in !mounts.contains { $0.path == part.path } } + mounts
        }
        for mount in mounts {
            let source = try ProcessAttributes.realPath(of: mount.source)
            plan.mounts.append(
                MountTable.Entry(
                    target: mount.path, source: source, isReadOnly: mount.isReadOnly,
                    isDirectory: try FileStatus.of(source, followingLinks: true).kind == .directory, isMachine: false))
        }
        return plan
    }

    // MARK: Both

    private func common(of container: ContainerManifest, _ image: GivenImage?) throws -> SandboxPlan {
        var problems = PodFindings(pod: pod.name)
        var variables = try ContainerEnvironment(
            of: container, in: PodFields(pod: pod), objects: settings.objects, problems: &problems)
        if let refusal = problems.refusal { throw refusal }
        for word in image?.configuration.environment ?? [] {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            variables.setDefault(String(parts[0]), parts.count > 1 ? Array(parts[1].utf8) : [])
        }
        let isEngine = if case .engine = settings.runtime { true } else { false }
        if !isEngine || isExecutor(container) { variables.setDefault("PATH", Array(Self.usualSearchPath.utf8)) }
        variables.setDefault("HOSTNAME", Array(pod.hostname.utf8))
        if isExecutor(container) {
            for (name, value) in settings.executorAttachment.adding(attachment).environment {
                variables.set(ContainerEnvironment.Variable(name: name, value: value.bytes))
            }
            let path = Self.executorFolder.bytes + [UInt8(ascii: ":")] + (variables["PATH"] ?? [])
            variables.set(ContainerEnvironment.Variable(name: "PATH", value: path))
        }

        let command = container.command ?? image?.configuration.entrypoint ?? []
        let arguments = container.arguments ?? (container.command == nil ? image?.configuration.command : nil) ?? []
        let security = container.securityContext
        let names = { (list: String) in
            (security.field("capabilities")?.field(list)?.array ?? []).compactMap(\.string)
        }
        let request = IdentityRequest(of: container, in: pod)
        let directory = container.workingDirectory ?? image?.configuration.workingDirectory
        return SandboxPlan(
            container: container.name, command: (command + arguments).map(variables.expand),
            hasExplicitCommand: container.command != nil, variables: variables,
            workingDirectory: BytePath("/").appending(directory ?? "").cleaned, hasExplicitDirectory: directory != nil,
            identity: Identity(
                user: request.user ?? 0, group: request.group ?? 0, groups: request.groups, home: "/", method: .own),
            hasExplicitUser: request.user != nil, hostname: pod.hostname,
            hasReadOnlyRoot: security.field("readOnlyRootFilesystem")?.bool ?? false,
            capabilities: CapabilitySet(
                isPrivileged: security.field("privileged")?.bool ?? false, added: names("add"), dropped: names("drop")),
            mounts: [], root: "/")
    }

    /// All that the container sees of the pod and the run, the outermost first.
    private func mounts(
        of container: ContainerManifest, _ own: ContainerFolder, environment: ContainerEnvironment
    ) throws -> [HostMount] {
        var mounts = try container.mounts.flatMap { try volumes.mounts(for: $0, environment: environment) }
        if isExecutor(container) {
            mounts += settings.executorAttachment.adding(attachment).mounts
            let place = Self.executorFolder.appending("argoexec")
            mounts.append(HostMount(source: settings.executor, path: place, isReadOnly: true))
        }
        mounts.append(HostMount(source: own.terminationLog, path: container.terminationMessagePath))
        let depths = mounts.enumerated().map { (depth: $0.element.path.components.count, order: $0.offset) }
        return depths.sorted { ($0.depth, $0.order) < ($1.depth, $1.order) }.map { mounts[$0.order] }
    }
}
