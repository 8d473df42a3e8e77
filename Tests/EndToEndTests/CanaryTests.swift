import Foundation
import TestSupport
import Testing

/// A canary stands in every secret that the program is given; none may be seen in what it prints, reports or starts, at any level
/// and in either format of the log, whatever the servers do.
@Suite("A canary", .requires(.nginx))
struct CanaryTests {
    struct Place: Sendable, CustomTestStringConvertible {
        let location: CanaryLocation
        let behaviour: CanaryServers.Behaviour
        var testDescription: String { "\(location.name), \(behaviour.rawValue)" }

        static let all = CanaryLocation.all.flatMap { location in
            location.behaviours.map { Place(location: location, behaviour: $0) }
        }

        /// Those that can be tried with others in one run, and soon fail.
        static let together = all.filter { place in
            let isRepeated = [.failing500, .closed, .unreachable].contains(place.behaviour)
            return !place.location.needsEnvironment && !isRepeated
        }
    }

    /// Each level and each format of the log.
    static let logs = ["debug", "info", "warn", "error"].flatMap { level in
        ["text", "json"].map { ["--loglevel", level, "--log-format", $0] }
    }

    let server: WebServer
    let servers: CanaryServers

    init() async throws {
        server = try await .shared()
        servers = try CanaryServers(untrusted: server.endpoint(.otherAuthority))
    }

    func box(_ behaviour: CanaryServers.Behaviour) throws -> ProgramBox {
        let box = try ProgramBox()
        for (key, value) in CanaryLocation.secrets(servers, behaviour) { try box.secret("canaries", key, value) }
        return box
    }

    func template(inputs: [JSON] = [], outputs: [JSON] = []) -> JSON {
        [
            "name": "t", "inputs": ["artifacts": .array(inputs)], "outputs": ["artifacts": .array(outputs)],
            "container": [
                "image": "i", "command": ["true"], "volumeMounts": [["name": "volume", "mountPath": "/volume"]],
            ],
        ]
    }

    func artifact(_ name: String, _ path: String, _ fields: JSON) -> JSON {
        var artifact: JSON = ["name": .string(name), "path": .string(path), "archive": ["none": [:]]]
        for name in fields.names { artifact[name] = fields[name] }
        return artifact
    }

    /// Checks everything that a run has left. What a template itself holds may come back in the report of its artifacts.
    func expectSilence(_ traces: ProgramBox.Traces, _ words: [String], sourceLocation: SourceLocation = #_sourceLocation) {
        for (name, text) in traces.texts {
            let sighting = Canary.sighting(in: text, includingLiterals: name != "task result")
            #expect(sighting == nil, "\(words.joined(separator: " ")): in the \(name)", sourceLocation: sourceLocation)
        }
        #expect(traces.commandLines.contains("\"/argoexec\", "), "nothing was traced", sourceLocation: sourceLocation)
    }

    @Test(arguments: Place.all) func isNotSeenWhileOneArtifactMoves(place: Place) async throws {
        defer { servers.stop() }
        let fields = place.location.fields(servers, place.behaviour)
        let environment = place.location.environment(servers, place.behaviour)
        let loading = template(inputs: [artifact("a", "/in/a", fields)])
        let saving = template(outputs: [artifact("a", "/volume/f", fields)])
        for (mode, template) in [("init", loading), ("wait", saving)] {
            let words = [mode] + Self.logs[mode == "init" ? 0 : 1]
            let traces = try await box(place.behaviour).run(words, template: template, environment: environment)
            expectSilence(traces, words)
            // Whatever went wrong, it says something.
            let isTold = traces.exitCode == 0 || !traces.terminationLog.isEmpty && !traces.standardError.isEmpty
            #expect(isTold, "\(mode): \(traces.exitCode)")
        }
    }

    @Test(arguments: logs) func isNotSeenAtAnyLevel(log: [String]) async throws {
        defer { servers.stop() }
        let inputs = Place.together.enumerated().map { index, place in
            artifact("a\(index)", "/in/a\(index)", place.location.fields(servers, place.behaviour))
        }
        let outputs = Place.together.enumerated().map { index, place in
            artifact("a\(index)", "/volume/f", place.location.fields(servers, place.behaviour))
        }
        for words in [["init"] + log, ["wait"] + log, ["emissary"] + log + ["--", "sh", "-c", "true; true"]] {
            let traces = try await box(.refusing403).run(words, template: template(inputs: inputs, outputs: outputs))
            expectSilence(traces, words)
            if words[0] == "wait" {
                #expect(traces.exitCode == 64)
                // Those that went well are there to be looked at.
                #expect(traces.taskResult.contains("\"outputs\""))
            }
        }
    }

    @Test(arguments: logs) func isNotSeenInWhatTheAPIServerIsAsked(log: [String]) async throws {
        defer { servers.stop() }
        let template = template()
        let echo = { (status: Int) in server.url("echo/\(status)", through: .tls) }
        for (url, told) in [
            (echo(401), "401"), (echo(403), "403"), ("https://\(servers.endpoint(.untrusted))", "x509"),
            ("http://\(servers.endpoint(.refusing403))", "/workflowtaskresults"),
        ] {
            let box = try box(.refusing403)
            try box.folder.write(Data(try kubeconfig(url).utf8), to: "home/config")
            for user in ["token", "password", "certificate"] {
                let words = ["wait"] + log + ["--kubeconfig", "/home/config", "--user", user]
                let traces = try await box.run(words, template: template, environment: ["ARGOEXEC_TASK_RESULT_FILE": ""])
                expectSilence(traces, words)
                #expect(traces.exitCode == 64, "\(user): \(traces.standardError)")
                let message = traces.terminationLog
                #expect(message.contains(user == "certificate" && url.hasPrefix("https") ? "PEM" : told), "\(user): \(message)")
            }
        }
        let box = try box(.untrusted)
        try box.folder.write(Data(Canary.named("ServiceAccountToken").utf8), to: "account/token")
        try box.folder.write(Data(contentsOf: URL(filePath: self.server.authority)), to: "account/ca.crt")
        try box.folder.write(Data("default".utf8), to: "account/namespace")
        let parts = servers.endpoint(.untrusted).split(separator: ":").map(String.init)
        let traces = try await box.run(
            ["wait"] + log, template: template,
            environment: [
                "ARGOEXEC_TASK_RESULT_FILE": "", "KUBERNETES_SERVICE_HOST": parts[0], "KUBERNETES_SERVICE_PORT": parts[1],
            ])
        expectSilence(traces, ["wait"] + log)
        #expect(traces.exitCode == 64, "\(traces.standardError)")
    }

    /// A kubeconfig with three users, whose secrets are canaries.
    private func kubeconfig(_ url: String) throws -> String {
        let authority = try Data(contentsOf: URL(filePath: server.authority)).base64EncodedString()
        let trust = url.hasPrefix("https") ? ", certificate-authority-data: \(authority)" : ""
        return """
            apiVersion: v1
            kind: Config
            current-context: c
            contexts: [{name: c, context: {cluster: c, user: token, namespace: default}}]
            clusters: [{name: c, cluster: {server: "\(url)"\(trust)}}]
            users:
            - {name: token, user: {token: "\(Canary.named("UserToken"))"}}
            - {name: password, user: {username: "\(Canary.named("UserName"))", password: "\(Canary.named("UserPassword"))"}}
            - name: certificate
              user:
                client-certificate-data: \(Data(Canary.named("UserCertificate").utf8).base64EncodedString())
                client-key-data: \(Data(Canary.named("UserKey").utf8).base64EncodedString())
            """
    }

    /// A search that finds nothing must be able to find something.
    @Test func wouldBeSeen() {
        let word = Canary.named("Secret")
        for text in [
            "x \(word) y", "Basic " + Data("user:\(word)".utf8).base64EncodedString(),
            "Basic " + Data("us:\(word)".utf8).base64EncodedString(), "Basic " + Data("u:\(word)".utf8).base64EncodedString(),
            word.utf8.map { String($0, radix: 16) }.joined(), word.lowercased(), Canary.written("Key"),
        ] {
            #expect(Canary.sighting(in: text) != nil, "\(text)")
        }
        #expect(Canary.sighting(in: "nothing of it") == nil)
        #expect(Canary.sighting(in: Canary.written("Key"), includingLiterals: false) == nil)
    }
}
