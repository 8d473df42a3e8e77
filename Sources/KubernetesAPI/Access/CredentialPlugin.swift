import Documents
import HTTPTransport
import ProcessControl
import Synchronization
import SystemSupport

/// A program that fetches our credentials (`exec` of a kubeconfig's user; `client.authentication.k8s.io/v1` and `v1beta1`).
///
/// It is run when first needed, when what it gave has expired, and when the server refuses what it gave.
final class CredentialPlugin: ClusterCredentialSource {
    /// What the kubeconfig says of it.
    struct Configuration: Sendable {
        /// As messages name it.
        let user: String
        let command: BytePath
        let arguments: [BytePath]
        /// In their order.
        let variables: [(name: String, value: BytePath)]
        let apiVersion: String
        let installHint: String?
        let wantsClusterInformation: Bool

        init(_ entry: KubeconfigEntry, user: String) throws {
            self.user = user
            guard let command = try entry.text("command") else { throw entry.fault("command", "is missing") }
            // A mere name is looked for in PATH; a relative path is relative to the file.
            if command.contains("/"), let file = try entry.file("command") {
                // Of a file in the working directory the path would be a mere name.
                self.command = file.isAbsolute ? file : BytePath("./" + file.text)
            } else {
                self.command = BytePath(command)
            }
            arguments = try entry.texts("args").map { BytePath($0) }
            variables = try entry.entries("env").map { variable in
                guard let name = try variable.text("name") else { throw variable.fault("name", "is missing") }
                return (name, BytePath(try variable.text("value") ?? ""))
            }
            guard let version = try entry.text("apiVersion") else { throw entry.fault("apiVersion", "is missing") }
            let group = "client.authentication.k8s.io/"
            guard [group + "v1", group + "v1beta1"].contains(version) else {
                throw entry.fault("apiVersion", "must be \(group)v1 or \(group)v1beta1")
            }
            apiVersion = version
            installHint = try entry.text("installHint")
            wantsClusterInformation = try entry.flag("provideClusterInfo")
            switch try entry.text("interactiveMode") {
            case "Never", "IfAvailable": break
            case nil:
                if version == group + "v1" { throw entry.fault("interactiveMode", "is missing") }
            case "Always": throw entry.fault("interactiveMode", "is Always, but the plugin cannot ask: there is no terminal")
            default: throw entry.fault("interactiveMode", "must be Never, IfAvailable or Always")
            }
        }
    }

    private struct Fetched {
        let credential: ClusterCredential
        let expires: Timestamp?
    }

    /// What the plugin may take, in nanoseconds.
    private static let patience: Int64 = 60_000_000_000

    private let configuration: Configuration
    private let cluster: JSONValue?
    private let fetched = Mutex<Fetched?>(nil)

    /// - Parameter cluster: what the plugin is told of the cluster; nil for nothing.
    init(_ configuration: Configuration, cluster: JSONValue?) {
        self.configuration = configuration
        self.cluster = cluster
    }

    func current() throws -> ClusterCredential {
        try fetched.withLock { fetched in
            if let fetched, fetched.expires.map({ $0 > .now }) ?? true { return fetched.credential }
            return try fetch(into: &fetched)
        }
    }

    func replacement(for credential: ClusterCredential) throws -> ClusterCredential? {
        try fetched.withLock { fetched in
            // Another thread may have been here before.
            if let fetched, fetched.credential != credential { return fetched.credential }
            let fresh = try fetch(into: &fetched)
            return fresh == credential ? nil : fresh
        }
    }

    private func fetch(into fetched: inout Fetched?) throws -> ClusterCredential {
        do {
            let fresh = try read(try run())
            fetched = fresh
            return fresh.credential
        } catch {
            throw ExecutorError.wrapping(
                "fetch the credentials of the user \"\(configuration.user)\" with the exec plugin \(configuration.command)",
                error)
        }
    }

    private func run() throws -> [UInt8] {
        var environment = ProcessEnvironment.original()
        for (name, value) in configuration.variables { environment.set(name, to: value) }
        var specification: JSONValue = ["interactive": false]
        specification["cluster"] = cluster
        let request: JSONValue = [
            "kind": "ExecCredential", "apiVersion": .string(configuration.apiVersion), "spec": specification,
        ]
        environment.set("KUBERNETES_EXEC_INFO", to: BytePath(bytes: request.serialized()))
        let program: BytePath
        do { program = try ProgramSearch.find(configuration.command, searchPath: environment["PATH"]) } catch {
            let hint = configuration.installHint.map { "; " + ProgramText.line(Array($0.utf8), atMost: 1000) } ?? ""
            throw ExecutorError.failed(error.message + hint)
        }
        var process = Subprocess(
            Spawner(program: program, arguments: [configuration.command] + configuration.arguments, environment: environment))
        process.deadline = monotonicNanoseconds() + Self.patience
        process.outputLimit = 4 << 20
        let result = try process.run()
        guard result.status == .exited(0) else {
            let said = result.explanation()
            throw ExecutorError.failed("exit code \(result.status.code)" + (said.isEmpty ? "" : ": \(said)"))
        }
        return result.output
    }

    /// Reads the plugin's answer. Its parts are secrets and never quoted.
    private func read(_ output: [UInt8]) throws -> Fetched {
        // As the Kubernetes client library takes it: YAML, too.
        guard let answer = (try? YAMLReader.foreignFile(output, name: "the answer"))?.first?.value,
            answer["kind"]?.string == "ExecCredential"
        else {
            throw ExecutorError.failed("its answer is no ExecCredential")
        }
        guard answer["apiVersion"]?.string == configuration.apiVersion else {
            throw ExecutorError.failed("its answer is not of the version \(configuration.apiVersion)")
        }
        guard let status = answer["status"], status.object != nil else {
            throw ExecutorError.failed("its answer has no status")
        }
        func text(_ name: String) -> String? {
            guard let text = status[name]?.string, !text.isEmpty else { return nil }
            return text
        }
        let certificate = text("clientCertificateData")
        let key = text("clientKeyData")
        guard (certificate == nil) == (key == nil) else {
            throw ExecutorError.failed("its answer has only one of certificate and key")
        }
        let token = text("token")
        guard token != nil || certificate != nil else {
            throw ExecutorError.failed("its answer has neither token nor certificate")
        }
        let expires = text("expirationTimestamp").map { Timestamp(rfc3339: $0) }
        if case .some(.none) = expires { throw ExecutorError.failed("expirationTimestamp of its response is not a time") }
        var credential = ClusterCredential(authorization: token.map { ClusterCredential.bearer(Secret($0)) })
        if let certificate, let key { credential.certificate = .init(certificate: Secret(certificate), key: Secret(key)) }
        return Fetched(credential: credential, expires: expires ?? nil)
    }
}
