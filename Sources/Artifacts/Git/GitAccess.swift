import Artifacts
import SystemSupport
import WorkflowModel

/// How a repository is reached, and as whom (contract 03 §6.7).
struct GitAccess: Sendable {
    let address: GitAddress
    let environment: GitEnvironment
    /// A private key, as ssh reads it.
    let key: Secret?
    /// What git's credential protocol has for the repository's origin.
    let credentials: Secret?
    private let ignoresHostKeys: Bool
    private let skipsTLS: Bool

    /// - Throws: `SystemError` for a secret that is not there, `ArtifactError` for what cannot be used.
    init(_ location: GitLocation, _ context: DriverContext) throws {
        address = try GitAddress(location.repo)
        environment = context.clouds[GitEnvironment.self]
        ignoresHostKeys = location.insecureIgnoreHostKey
        skipsTLS = location.insecureSkipTLS
        let files = SecretFiles(context.secretsDirectory)
        key = try files.value(location.sshPrivateKeySecret).flatMap { $0.isEmpty ? nil : Self.key($0) }
        let user = try files.value(location.usernameSecret) ?? address.user
        let password = try files.value(location.passwordSecret) ?? address.password
        let isNamed = !(user?.isEmpty ?? true) || !(password?.isEmpty ?? true)
        switch address.transport {
        case .http where isNamed: credentials = try Self.credentials(user, password)
        case .ssh where isNamed && key == nil && location.passwordSecret != nil:
            throw ArtifactError.invalid("use", address.text, "over ssh no password is taken: name sshPrivateKeySecret")
        default: credentials = nil
        }
    }

    /// ssh wants lines that end, and by a line feed alone.
    private static func key(_ secret: Secret) -> Secret {
        Secret(secret.reveal().filter { $0 != UInt8(ascii: "\r") } + [UInt8(ascii: "\n")])
    }

    private static func credentials(_ user: Secret?, _ password: Secret?) throws -> Secret {
        var bytes: [UInt8] = []
        for (name, value) in [("username", user), ("password", password)] {
            let value = value?.reveal() ?? []
            guard !value.contains(where: { $0 == 0 || $0 == 0x0A }) else {
                throw ArtifactError.invalid("use", "the git repository's \(name)", "it has more than one line")
            }
            bytes += Array("\(name)=".utf8) + value + [0x0A]
        }
        return Secret(bytes)
    }

    /// git's configuration. Memory is bounded by small windows and caches: a repository may be of any size.
    ///
    /// - Parameter credentials: the file that holds them.
    func settings(credentials: BytePath?) -> String {
        let cores = CPULimit.cores
        var text = """
            [core]
            hooksPath = /dev/null
            attributesFile = /dev/null
            excludesFile = /dev/null
            fsmonitor = false
            packedGitWindowSize = 1m
            packedGitLimit = 8m
            deltaBaseCacheLimit = 4m
            bigFileThreshold = 2m
            [safe]
            directory = *
            [gc]
            auto = 0
            [maintenance]
            auto = false
            [fetch]
            unpackLimit = 1
            writeCommitGraph = false
            [pack]
            threads = \(cores)
            [index]
            threads = \(cores)
            [init]
            defaultBranch = master
            [advice]
            detachedHead = false
            [http]
            lowSpeedLimit = 1
            lowSpeedTime = 120
            [credential]
            helper =

            """
        guard case .http(let origin) = address.transport else { return text }
        let scope = Self.escaped(origin, #"\""#, by: #"\"#)
        if skipsTLS { text += "[http \"\(scope)/\"]\nsslVerify = false\n" }
        if let credentials {
            text += "[credential \"\(scope)\"]\nhelper = \"!f() { test \\\"$1\\\" = get && cat \(credentials); }; f\"\n"
        }
        return text
    }

    /// ssh's configuration.
    ///
    /// - Parameter key: the file that holds it.
    func sshSettings(key: BytePath?) -> String {
        func quoted(_ path: String) -> String { "\"" + Self.escaped(path, "%", by: "%") + "\"" }
        let knownHosts = environment.knownHosts.filter { !$0.contains("\"") && !$0.contains("\n") }.map(quoted)
        var lines = [
            "Host *", "BatchMode yes", "ConnectTimeout 30", "ServerAliveInterval 30", "ServerAliveCountMax 4", "User git",
            "ControlPath none", "ForwardAgent no", "ClearAllForwardings yes", "UpdateHostKeys no", "LogLevel ERROR",
            "PasswordAuthentication no", "KbdInteractiveAuthentication no", "GlobalKnownHostsFile /dev/null",
        ]
        if ignoresHostKeys {
            lines += ["StrictHostKeyChecking no", "UserKnownHostsFile /dev/null"]
        } else {
            lines += ["StrictHostKeyChecking yes", "UserKnownHostsFile " + knownHosts.joined(separator: " ")]
        }
        if let key { lines += ["IdentitiesOnly yes", "IdentityAgent none", "IdentityFile \(quoted(key.text))"] }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The text with a mark before each of these characters.
    private static func escaped(_ text: String, _ characters: String, by mark: String) -> String {
        text.unicodeScalars.reduce(into: "") { result, scalar in
            if characters.unicodeScalars.contains(scalar) { result += mark }
            result.unicodeScalars.append(scalar)
        }
    }
}
