import Artifacts
import FileTrees
import Glibc
import ProcessControl
import SystemSupport

/// What git and ssh are told, in a folder of ours beside the checkout, and nothing of the user's or the system's: no hooks, no
/// filters, no protocols that run programs. Secrets are in memory only.
struct GitWorkplace {
    private static let name: BytePath = "git"
    private let outer: ContainedDirectory
    private let directory: ContainedDirectory
    /// They live as long as what reads them.
    private let secrets: [MemoryFile]
    let environment: ProcessEnvironment

    init(in outer: ContainedDirectory, for access: GitAccess) throws {
        self.outer = outer
        try outer.makeDirectory(Self.name, mode: 0o700)
        directory = try outer.subdirectory(Self.name)
        try directory.makeDirectory("empty", mode: 0o700)
        let key = try access.key.map { try MemoryFile($0) }
        let credentials = try access.credentials.map { try MemoryFile($0) }
        secrets = [key, credentials].compactMap { $0 }
        try Self.write(access.settings(credentials: credentials?.path), "config", directory)
        try Self.write(access.sshSettings(key: key?.path), "ssh", directory)
        environment = try Self.environment(access.environment, directory)
    }

    func remove() { try? TreeRemoval.remove(Self.name, in: outer) }

    private static func write(_ text: String, _ name: BytePath, _ directory: ContainedDirectory) throws {
        let file = try directory.createFile(name, mode: 0o600)
        try DescriptorIO.write(file.raw, Array(text.utf8).span, subject: directory.subject(name))
        try file.close(directory.subject(name))
    }

    private static func environment(
        _ outside: GitEnvironment, _ directory: ContainedDirectory
    ) throws -> ProcessEnvironment {
        var environment = ProcessEnvironment([])
        func path(_ name: String) -> BytePath { directory.path.appending(BytePath(name)) }
        let quoted =
            Array("'".utf8)
            + path("ssh").bytes.split(separator: UInt8(ascii: "'"), omittingEmptySubsequences: false)
            .joined(separator: Array(#"'\''"#.utf8)) + Array("'".utf8)
        for (name, value) in [
            ("PATH", outside.path), ("LANG", "C"), ("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_ATTR_NOSYSTEM", "1"),
            ("GIT_TERMINAL_PROMPT", "0"), ("GIT_ALLOW_PROTOCOL", "https:http:ssh:git"), ("GIT_SSH_VARIANT", "ssh"),
            ("GIT_COMMITTER_NAME", "argoexec"), ("GIT_COMMITTER_EMAIL", "argoexec@localhost"),
        ] { environment.set(name, to: BytePath(value)) }
        environment.set("HOME", to: directory.path)
        environment.set("GIT_CONFIG_GLOBAL", to: path("config"))
        environment.set("GIT_TEMPLATE_DIR", to: path("empty"))
        environment.set("GIT_SSH_COMMAND", to: BytePath(bytes: Array("ssh -F ".utf8) + quoted))
        for (name, value) in outside.network { environment.set(name, to: BytePath(value)) }
        if let agent = outside.agent { environment.set("SSH_AUTH_SOCK", to: BytePath(agent)) }
        if outside.isNameless {
            try write("argoexec:x:\(getuid()):\(getgid()):argoexec:/:/bin/sh\n", "passwd", directory)
            try write("argoexec:x:\(getgid()):\n", "group", directory)
            environment.set("LD_PRELOAD", to: BytePath(outside.namingLibrary))
            environment.set("NSS_WRAPPER_PASSWD", to: path("passwd"))
            environment.set("NSS_WRAPPER_GROUP", to: path("group"))
        }
        return environment
    }
}
