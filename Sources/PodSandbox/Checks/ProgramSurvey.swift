import FileTrees
import Glibc
import ProcessControl
import SystemSupport

/// Looks, before anything starts, whether the programs are there that containers begin with. What only the start can tell, such as a
/// program on a volume, is left to it.
package struct ProgramSurvey {
    let executorImage: String

    /// What is wrong with a container's program; nil where nothing is known to be.
    func problem(
        of container: ContainerManifest, image: GivenImage?, environment: ContainerEnvironment
    ) -> String? {
        guard container.image != executorImage, let command = container.command,
            let word = Self.program(of: command)
        else { return nil }
        let name = BytePath(bytes: environment.expand(word))
        let text = name.text
        if name.isEmpty || text.contains("{{") || text.contains("$(") { return nil }
        let searchPath = environment["PATH"] ?? Self.searchPath(of: image) ?? Array(ContainerPlanner.usualSearchPath.utf8)
        let directory = BytePath("/").appending(container.workingDirectory ?? image?.configuration.workingDirectory ?? "")
            .cleaned
        let folders = searchPath.split(separator: UInt8(ascii: ":")).map { directory.joined($0) }
        let isPath = name.bytes.contains(UInt8(ascii: "/"))
        let candidates = isPath ? [directory.joined(name.bytes[...])] : folders.map { $0.appending(name).cleaned }
        // What is mounted comes into being with the pod.
        let special: [BytePath] = ["/proc", "/dev", "/sys"]
        let covers = container.mounts.map(\.path) + special
        if candidates.contains(where: { candidate in covers.contains { candidate.isAtOrBelow($0) } }) { return nil }
        guard let image else {
            if candidates.contains(where: Self.isOnMachine) { return nil }
            let near = isPath ? nil : Self.near(text, in: folders)
            return "'\(text)' is not on this machine\(near.map { " (\($0) is)" } ?? ""), whose programs stand in for the image "
                + "'\(container.image)'; give the image by --image \(container.image)=PATH, or run it by --engine docker|podman"
        }
        guard case .folder(let root) = image.form, let real = try? ProcessAttributes.realPath(of: root) else { return nil }
        do {
            try ProgramCheck(table: MountTable(root: real), workingDirectory: directory).check(name, searchPath: searchPath)
            return nil
        } catch { return "'\(text)' is not in the image '\(container.image)' (\(root)): \(errorText(error))" }
    }

    /// The program of a container's command, behind the emissary or not; nil where the image says it.
    package static func program(of command: [String]) -> String? {
        guard command.count > 1, command[1] == "emissary", command[0].hasSuffix("/argoexec") else { return command.first }
        guard let end = command.firstIndex(of: "--"), end + 1 < command.count else { return nil }
        return command[end + 1]
    }

    private static func searchPath(of image: GivenImage?) -> [UInt8]? {
        let word = image?.configuration.environment.last { $0.hasPrefix("PATH=") }
        return word.map { Array($0.utf8.dropFirst("PATH=".utf8.count)) }
    }

    /// Whether a place of the machine's own root holds a program.
    private static func isOnMachine(_ path: BytePath) -> Bool {
        guard MachineRoot.folders.contains(where: { path.isAtOrBelow($0) }),
            let status = try? FileStatus.of(path, followingLinks: true)
        else { return false }
        return status.kind == .file && status.permissions & 0o111 != 0
    }

    /// A program that differs only in the version behind its name.
    private static func near(_ name: String, in folders: [BytePath]) -> String? {
        let base = withoutVersion(name)
        var found: [String] = []
        for folder in folders where MachineRoot.folders.contains(where: { folder.isAtOrBelow($0) }) {
            guard let directory = try? Descriptor.open(folder, O_RDONLY | O_DIRECTORY),
                let walk = try? TreeWalk(directory, path: folder)
            else { continue }
            while let entry = try? walk.next() {
                walk.skipDescendants()
                let text = entry.name.text
                if text.hasPrefix(base), withoutVersion(text) == base, isOnMachine(folder.appending(entry.name)) {
                    found.append(text)
                }
            }
        }
        return found.min { ($0.utf8.count, $0) < ($1.utf8.count, $1) }
    }

    private static func withoutVersion(_ name: String) -> Substring {
        var rest = name[...]
        while let last = rest.last, last.isASCII, last.isNumber || last == "." || last == "-" { rest.removeLast() }
        return rest.isEmpty ? name[...] : rest
    }
}

extension BytePath {
    /// Another path seen from this folder, without `.` and `..`.
    fileprivate func joined(_ other: ArraySlice<UInt8>) -> BytePath {
        let path = BytePath(bytes: other)
        return (path.isAbsolute ? path : appending(path)).cleaned
    }
}
