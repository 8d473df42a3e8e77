import Documents
import FileTrees
import Glibc
import SystemSupport

/// A pod's volumes as folders and files of this machine.
struct VolumeSet {
    struct Volume {
        let path: BytePath
        let isReadOnly: Bool
        /// What is mounted over parts of it: a source and the place inside.
        var parts: [(source: BytePath, place: BytePath)] = []
    }

    private(set) var volumes: [String: Volume] = [:]
    /// Hold the volumes made of secrets, which go with these objects.
    private(set) var secrets: [SecretFolder] = []

    private let pod: PodManifest
    private let folder: PodFolder
    private let settings: SandboxSettings
    /// The group that is given the pod's volumes; nil where groups are not real.
    private let group: UInt32?

    /// Makes all volumes.
    ///
    /// - Throws: the first problem, or what the file system says.
    init(of pod: PodManifest, in folder: PodFolder, settings: SandboxSettings, group: UInt32?) throws {
        self.pod = pod
        self.folder = folder
        self.settings = settings
        self.group = group
        for volume in pod.volumes {
            let name = volume.field("name")?.string ?? ""
            volumes[name] = try make(name, VolumeSource(volume))
        }
    }

    /// What is wrong with a pod's volumes, without making any.
    static func check(_ pod: PodManifest, settings: SandboxSettings, problems: inout PodFindings) throws {
        var names: Set<String> = []
        for volume in pod.volumes {
            let name = volume.field("name")?.string ?? ""
            let subject = "volume '\(name)'"
            if !ObjectFolders.isFileName(BytePath(name)) { problems.add(.error, subject, "its name is missing or invalid") }
            if !names.insert(name).inserted { problems.add(.error, subject, "there are two of this name") }
            let source: VolumeSource
            do { source = try VolumeSource(volume) } catch {
                problems.add(.error, subject, errorText(error))
                continue
            }
            switch source {
            case .emptyDirectory: break
            case .files(let projections, let mode):
                _ = try VolumeFile.all(
                    of: projections, defaultMode: mode, fields: PodFields(pod: pod), objects: settings.objects,
                    subject: subject, problems: &problems)
            case .claim(let claim):
                if settings.claimFolders[claim] == nil, !ObjectFolders.isFileName(BytePath(claim)) {
                    problems.add(.error, subject, "the claim '\(claim)' has no usable name")
                }
            case .hostPath(let path, let type):
                if let cause = hostProblem(path, type) { problems.add(.error, subject, cause) }
            case .image(let image):
                if image != settings.executorImage, settings.images.path(for: image) == nil {
                    problems.add(.error, subject, "the image '\(image)' is not given by --image")
                }
            }
        }
        for container in pod.allContainers {
            for mount in container.mounts where !names.contains(mount.volume) {
                problems.add(.error, container.subject, "the pod has no volume '\(mount.volume)'")
            }
        }
    }

    private static func hostProblem(_ path: BytePath, _ type: String) -> String? {
        guard path.isAbsolute else { return "the host path '\(path)' is not absolute" }
        let kind = try? FileStatus.of(path, followingLinks: true).kind
        let wanted: [String: FileKind] = [
            "Directory": .directory, "DirectoryOrCreate": .directory, "File": .file, "FileOrCreate": .file, "Socket": .socket,
            "CharDevice": .characterDevice, "BlockDevice": .blockDevice,
        ]
        if !type.isEmpty, wanted[type] == nil { return "host paths have no type '\(type)'" }
        guard let kind else {
            // A cluster's node would make it, but what a local run makes stands in its own folder, unless this is asked for.
            return type.hasSuffix("OrCreate") ? nil : "this machine has no \(path)"
        }
        if let wanted = wanted[type], wanted != kind { return "\(path) is a \(kind.word), not of type \(type)" }
        return nil
    }

    // MARK: Making

    private mutating func make(_ name: String, _ source: VolumeSource) throws -> Volume {
        let path = folder.volume(name)
        switch source {
        case .emptyDirectory:
            try makeOpen(path)
            guard name == Self.runDirectory, hasProgramForAll else { return Volume(path: path, isReadOnly: false) }
            // Where `init` would copy it to: with it there already nothing is copied.
            try SmallFile.write(path.appending("argoexec"), [], mode: 0o644)
            return Volume(path: path, isReadOnly: false, parts: [(settings.executor, "argoexec")])
        case .files(let projections, let mode):
            var problems = PodFindings(pod: pod.name)
            let files = try VolumeFile.all(
                of: projections, defaultMode: mode, fields: PodFields(pod: pod), objects: settings.objects,
                subject: "volume '\(name)'", problems: &problems)
            if let refusal = problems.refusal { throw refusal }
            let isSecret = projections.contains { if case .object(.secret, _, _, _) = $0 { true } else { false } }
            let place = isSecret ? try secretPlace(name, files) : path
            try write(files, into: place)
            return Volume(path: place, isReadOnly: true)
        case .claim(let claim):
            let place = settings.claimFolders[claim] ?? settings.claims.appending(BytePath(claim))
            if (try? FileStatus.of(place, followingLinks: true)) == nil { try makeOpen(place) }
            return Volume(path: place, isReadOnly: false)
        case .hostPath(let place, let type):
            if let cause = Self.hostProblem(place, type) { throw ExecutorError.badRequest("volume '\(name)': \(cause)") }
            if type == "DirectoryOrCreate" { try DirectoryIO.makeDirectories(place, mode: 0o755) }
            if type == "FileOrCreate", (try? FileStatus.of(place, followingLinks: true)) == nil {
                try SmallFile.write(place, [])
            }
            return Volume(path: place, isReadOnly: false)
        case .image(let image):
            if image == settings.executorImage, settings.images.path(for: image) == nil {
                try DirectoryIO.makeDirectories(path.appending("bin"), mode: 0o755)
                try SmallFile.write(path.appending("bin/argoexec"), [])
                return Volume(path: path, isReadOnly: true, parts: [(settings.executor, "bin/argoexec")])
            }
            guard let given = settings.images.path(for: image) else {
                throw ExecutorError.badRequest("volume '\(name)': the image '\(image)' is not given by --image")
            }
            let root = try ImageStore(settings.imageCache, log: settings.log).root(of: try GivenImage(given))
            return Volume(path: root, isReadOnly: true)
        }
    }

    /// A folder for the files of a secret's volume, where they can be executed if their modes say so.
    private mutating func secretPlace(_ name: String, _ files: [VolumeFile]) throws(SystemError) -> BytePath {
        let isExecutable = files.contains { $0.mode & 0o111 != 0 }
        let places = isExecutable ? settings.memory.executablePlaces : settings.memory.places
        let made = try SecretFolder(in: places, fallback: folder.secrets.appending(BytePath(name)))
        secrets.append(made)
        // The mounted folder is every user's, the one around it ours alone.
        return made.path.appending("files")
    }

    /// The controller's name for the volume that executor and emissary share.
    private static let runDirectory = "var-run-argo"

    /// Whether every user of a pod may run the executor's program as it is.
    private var hasProgramForAll: Bool {
        (try? FileStatus.of(settings.executor, followingLinks: true)).map { $0.permissions & 0o005 == 0o005 } ?? false
    }

    /// A folder for every user, whatever the umask.
    private func makeOpen(_ path: BytePath) throws(SystemError) {
        try DirectoryIO.makeDirectories(path, mode: 0o777)
        if let group { try DirectoryIO.chown(AT_FDCWD, path, user: geteuid(), group: group, subject: path.text) }
        try DirectoryIO.chmod(AT_FDCWD, path, mode: group == nil ? 0o777 : 0o2777, subject: path.text)
    }

    private func write(_ files: [VolumeFile], into path: BytePath) throws(SystemError) {
        try DirectoryIO.makeDirectories(path, mode: 0o755)
        try DirectoryIO.chmod(AT_FDCWD, path, mode: 0o755, subject: path.text)
        for file in files {
            let place = path.appending(file.path)
            try DirectoryIO.makeDirectories(place.directory, mode: 0o755)
            try SmallFile.write(place, file.bytes, mode: 0o600)
            if let group { try DirectoryIO.chown(AT_FDCWD, place, user: geteuid(), group: group, subject: place.text) }
            try DirectoryIO.chmod(
                AT_FDCWD, place, mode: group == nil ? file.mode : file.mode | 0o440, subject: place.text)
        }
    }

    // MARK: Mounting

    /// What a container's mount shows, for `MountTable`.
    ///
    /// - Throws: `ExecutorError` for a sub-path that leads out of the volume or refers to an unknown variable.
    func mounts(for mount: ContainerManifest.Mount, environment: ContainerEnvironment) throws -> [HostMount] {
        guard let volume = volumes[mount.volume] else {
            throw ExecutorError.badRequest("the pod has no volume '\(mount.volume)'")
        }
        var source = volume.path
        if let subPath = try subPath(of: mount, environment) { source = try resolve(subPath, in: volume) }
        let whole = HostMount(source: source, path: mount.path, isReadOnly: mount.isReadOnly || volume.isReadOnly)
        guard source == volume.path else { return [whole] }
        return [whole]
            + volume.parts.map { HostMount(source: $0.source, path: mount.path.appending($0.place), isReadOnly: true) }
    }

    private func subPath(of mount: ContainerManifest.Mount, _ environment: ContainerEnvironment) throws -> BytePath? {
        if let plain = mount.subPath { return BytePath(plain) }
        guard let expression = mount.subPathExpression else { return nil }
        guard let expanded = environment.expandStrictly(expression) else {
            throw ExecutorError.badRequest(
                "mount at \(mount.path): subPathExpr '\(expression)' refers to a variable that is not there")
        }
        return BytePath(bytes: expanded)
    }

    /// A part of a volume, by its real path; made, as a folder with the volume's own mode, where it is missing.
    private func resolve(_ subPath: BytePath, in volume: Volume) throws -> BytePath {
        guard !subPath.isAbsolute, !subPath.components.contains("..") else {
            throw ExecutorError.badRequest("mount a part of a volume: the sub-path '\(subPath)' leads out of it")
        }
        let directory = try ContainedDirectory(volume.path, resolution: .inRoot)
        if (try? directory.status(subPath, followingLinks: true)) == nil {
            if volume.isReadOnly {
                throw ExecutorError.badRequest("mount a part of a volume: there is no '\(subPath)' in it")
            }
            let mode = try FileStatus.of(volume.path, followingLinks: true).permissions
            var prefix: BytePath = ""
            for component in subPath.components {
                prefix = prefix.appending(component)
                if (try? directory.status(prefix, followingLinks: true)) != nil { continue }
                try directory.makeDirectory(prefix, mode: mode)
                try directory.chmod(prefix, mode: mode)
            }
        }
        let found = try directory.open(subPath, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        return try DirectoryIO.readLink(AT_FDCWD, BytePath("/proc/self/fd/\(found.raw)"), subject: subPath.text)
    }
}
