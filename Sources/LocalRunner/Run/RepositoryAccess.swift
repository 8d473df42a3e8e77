import FileTrees
import PodSandbox
import ProcessControl
import SystemSupport
import WorkflowModel

/// What of this machine's environment gives access to a real repository: the pods' executor gets it, the user's containers do not.
struct RepositoryAccess: Sendable {
    let environment: ProcessEnvironment

    /// Variables that stores' own tools read, and the way to the network.
    private static let prefixes = ["AWS_", "AZURE_", "GOOGLE_", "ALIBABA_CLOUD_"]
    private static let names = [
        "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE",
    ]
    /// Those of them whose values are files.
    private static let files = [
        "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AZURE_FEDERATED_TOKEN_FILE", "GOOGLE_APPLICATION_CREDENTIALS",
        "SSL_CERT_FILE",
    ]
    /// Files that are read where no variable names another, below the user's home.
    private static let homeFiles: [(name: String, path: BytePath)] = [
        ("AWS_CONFIG_FILE", ".aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
    ]
    private static let folder: BytePath = "/.argoexec/credentials"

    /// Variables with which users and administrators set how the executor works, and the prefixes of several.
    private static let settings: [EnvironmentVariable] = [
        .transientErrorPattern, .s3UploadThreads, .s3UploadPartSize, .s3MaximumParts, .transferReportInterval, .faithfulTrees,
        .retryDuration, .retryFactor, .retryJitter, .retrySteps,
    ]
    private static let settingPrefixes = ["ARGOEXEC_EXTRACT_", "ARGOEXEC_VERIFY_"]

    /// What of this machine's environment sets how transfers go: for the executor's containers, whatever store they use.
    var executorSettings: [(name: String, value: BytePath)] {
        let names = Set(Self.settings.map(\.rawValue))
        return environment.words.compactMap { word in
            guard let equals = word.bytes.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let name = String(decoding: word.bytes[..<equals], as: UTF8.self)
            guard names.contains(name) || Self.settingPrefixes.contains(where: { name.hasPrefix($0) }) else { return nil }
            return (name, BytePath(bytes: word.bytes[(equals + 1)...]))
        }
    }

    /// Variables and files for the executor's containers.
    var attachment: ExecutorAttachment {
        var attachment = ExecutorAttachment()
        var variables: [(name: String, value: BytePath)] = []
        for word in environment.words {
            guard let equals = word.bytes.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = String(decoding: word.bytes[..<equals], as: UTF8.self)
            guard Self.names.contains(name) || Self.prefixes.contains(where: { name.hasPrefix($0) }) else { continue }
            variables.append((name, BytePath(bytes: word.bytes[(equals + 1)...])))
        }
        if let home = environment["HOME"] {
            for (name, path) in Self.homeFiles where environment[name] == nil { variables.append((name, home.appending(path))) }
        }
        for (name, value) in variables {
            guard Self.files.contains(name) else {
                attachment.environment.append((name, value))
                continue
            }
            guard let source = try? ProcessAttributes.realPath(of: value) else { continue }
            let place = Self.folder.appending(BytePath(name))
            attachment.mounts.append(HostMount(source: source, path: place, isReadOnly: true))
            attachment.environment.append((name, place))
        }
        return attachment
    }

    /// The keys that a repository's location asks secrets for, where they are not in the folder of secrets and the environment has
    /// them under their usual names.
    func secrets(for location: ArtifactLocation, besides objects: ObjectFolders) -> [String: [String: Secret]] {
        var found: [String: [String: Secret]] = [:]
        for (field, selector) in location.secrets where selector.isNamed {
            guard let name = field.variable, let value = environment[name], !value.isEmpty else { continue }
            let known = try? objects.value(of: .secret, selector.name, key: BytePath(selector.key))
            if known.flatMap({ $0 }) == nil { found[selector.name, default: [:]][selector.key] = Secret(value.bytes) }
        }
        return found
    }
}
