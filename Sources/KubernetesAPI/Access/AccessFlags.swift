import SystemSupport

/// The client flags of the command line, which go before everything else (contract 01 §2, "Global flags").
///
/// Prints the names only: values may be secrets.
package struct AccessFlags: Sendable, CustomStringConvertible, CustomReflectable {
    private let values: [String: [String]]

    /// - Parameter values: what was given, by name without dashes; of a flag that cannot be repeated the last one counts, and an
    ///   empty one is as none.
    package init(_ values: [String: [String]]) { self.values = values }

    package var description: String { values.keys.sorted().joined(separator: ", ") }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// The value of a flag; nil where it is empty or not given.
    subscript(name: String) -> String? {
        guard let value = values[name]?.last, !value.isEmpty else { return nil }
        return value
    }

    /// The kubeconfig that was named, if one was.
    var kubeconfig: BytePath? { self["kubeconfig"].map { BytePath($0) } }

    /// Puts what was given in place of what the configuration says.
    ///
    /// - Throws: `ExecutorError` for a duration that makes no sense.
    func apply(to settings: inout AccessSettings) throws {
        applyCluster(&settings)
        applyUser(&settings)
        if let text = self["request-timeout"] { settings.requestTimeout = try Self.seconds(text) }
        settings.namespace = self["namespace"] ?? settings.namespace
    }

    private func applyCluster(_ settings: inout AccessSettings) {
        let server = self["server"]
        settings.server = server ?? settings.server
        let authority = self["certificate-authority"].map { PEMSource.file(BytePath($0)) }
        let skips = self["insecure-skip-tls-verify"] == "true"
        if skips || authority != nil {
            settings.skipsVerification = skips
            settings.authority = authority
        }
        // Another server has another name: the configuration's own goes with its server.
        if let name = self["tls-server-name"] { settings.serverName = name } else if server != nil { settings.serverName = nil }
        if let proxy = self["proxy-url"] { settings.proxy = Secret(proxy) }
        if let flag = self["disable-compression"] { settings.disablesCompression = flag == "true" }
    }

    private func applyUser(_ settings: inout AccessSettings) {
        if let token = self["token"] {
            settings.token = Secret(token)
            settings.tokenFile = nil
        }
        if let file = self["client-certificate"] { settings.certificate = .file(BytePath(file)) }
        if let file = self["client-key"] { settings.key = .file(BytePath(file)) }
        settings.userName = self["username"] ?? settings.userName
        if let password = self["password"] { settings.password = Secret(password) }
        settings.impersonatedUser = self["as"] ?? settings.impersonatedUser
        settings.impersonation.uid = self["as-uid"] ?? settings.impersonation.uid
        let groups = (values["as-group"] ?? []).filter { !$0.isEmpty }
        if !groups.isEmpty { settings.impersonation.groups = groups }
    }

    /// Seconds of a duration, rounded up: a plain number of them, or Go's notation; nil for 0, which means no limit.
    private static func seconds(_ text: String) throws -> Int? {
        guard let nanoseconds = GoDuration.nanoseconds(Int(text) == nil ? text : text + "s"), nanoseconds >= 0 else {
            throw AccessSettings.fault("the value of --request-timeout is not a duration")
        }
        return nanoseconds == 0 ? nil : Int((nanoseconds - 1) / 1_000_000_000 + 1)
    }
}
