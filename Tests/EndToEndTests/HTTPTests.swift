import Foundation
import TestSupport
import Testing

/// Artifacts of whole pods behind URLs: nginx keeps them, with passwords, tokens and certificates before it.
@Suite("Over HTTP", .requires(.nginx), .requires(.seaweedFS), .requires(.standInAPI))
struct HTTPTests {
    let server: WebServer
    let store: StepStore
    let cluster: ClusterServer
    let folder: String

    init() async throws {
        server = try await .shared()
        store = try await .make()
        cluster = try await .shared()
        folder = server.makeFolder()
    }

    /// A step that trusts the web server's authority; its archive location is the S3 store's until it is given another.
    func step(_ script: String, inputs: JSON = [], outputs: JSON = [:]) throws -> Step {
        var step = Step(script, store: store, cluster: cluster, inputs: inputs, outputs: outputs)
        // What main has mounted the executor has below /mainctrfs.
        let authority = URL(filePath: server.authority)
        step.request.volumes = [["name": "trust", "hostPath": ["path": .string(authority.deletingLastPathComponent().path)]]]
        step.request.template["container"]?["volumeMounts"] = [["name": "trust", "mountPath": "/trust", "readOnly": true]]
        step.request.executorEnvironment["SSL_CERT_FILE"] = "/mainctrfs/trust/\(authority.lastPathComponent)"
        step.request.secrets["web"] = [
            "user": server.user, "password": server.password, "id": server.clientID, "secret": server.clientSecret,
            "token": "http://\(server.helper)/token/body", "certificate": try server.pem("client.crt"),
            "key": try server.pem("client.key"),
        ]
        return step
    }

    func secret(_ key: String) -> JSON { ["name": "web", "key": .string(key)] }

    func location(_ name: String, _ door: WebServer.Door, _ auth: JSON = [:]) -> JSON {
        ["url": .string(server.url("\(folder)/\(name)", through: door)), "auth": auth]
    }

    var basic: JSON { ["basicAuth": ["usernameSecret": secret("user"), "passwordSecret": secret("password")]] }

    var token: JSON {
        [
            "oauth2": [
                "clientIDSecret": secret("id"), "clientSecretSecret": secret("secret"), "tokenURLSecret": secret("token"),
                "scopes": ["read", "write"], "endpointParams": [["key": "audience", "value": "the store"]],
            ]
        ]
    }

    var certificate: JSON { ["clientCert": ["clientCertSecret": secret("certificate"), "clientKeySecret": secret("key")]] }

    func artifactory(_ name: String) -> JSON {
        [
            "url": .string("http://\(server.helper)/here/307/\(folder)/\(name)"), "usernameSecret": secret("user"),
            "passwordSecret": secret("password"),
        ]
    }

    @Test func passFilesAndDirectoriesFromStepToStep() async throws {
        let producer = try step(
            "mkdir /d; echo one > /d/f; printf 'as it is' > /plain; echo two > /t; echo three > /z; echo four > /a",
            outputs: [
                "artifacts": [
                    ["name": "d", "path": "/d", "http": location("d.tgz", .basic, basic)],
                    [
                        "name": "plain", "path": "/plain", "archive": ["none": [:]],
                        "http": location("plain", .certificate, certificate),
                    ],
                    ["name": "t", "path": "/t", "http": location("t.tgz", .bearer, token)],
                    ["name": "z", "path": "/z", "archive": ["zip": [:]], "http": location("z.zip", .tls)],
                    ["name": "a", "path": "/a", "archive": ["none": [:]], "artifactory": artifactory("a")],
                ]
            ])
        let made = try await producer.run()
        #expect(made.exitCodes == allWell, "\(made.report)")
        #expect(made.artifactNames == ["d", "plain", "t", "z", "a"])
        #expect(made.artifact("d")?["http"]?["url"] == .string(server.url("\(folder)/d.tgz", through: .basic)))
        #expect(server.get("\(folder)/plain") == Array("as it is".utf8))
        #expect(server.get("\(folder)/a") == Array("four\n".utf8))
        let entries = try listing(ofArchive: try #require(server.get("\(folder)/d.tgz")))
        #expect(entries.map(\.name) == ["d", "d/f"])

        let inputs: [JSON] = [
            ["name": "d", "path": "/in/d", "http": location("d.tgz", .basic, basic)],
            ["name": "plain", "path": "/in/plain", "mode": 292, "http": location("plain", .certificate, certificate)],
            ["name": "t", "path": "/in/t", "http": location("t.tgz", .bearer, token)],
            ["name": "z", "path": "/in/z", "archive": ["zip": [:]], "http": location("z.zip", .tls)],
            ["name": "a", "path": "/in/a", "artifactory": artifactory("a")],
            ["name": "absent", "path": "/in/absent", "optional": true, "http": location("absent", .plain)],
        ]
        let consumer = try step(
            "cd /in; cat d/f plain t z a; stat -c '%a %n' plain a; test ! -f absent", inputs: .array(inputs))
        let used = try await consumer.run()
        #expect(used.exitCodes == allWell, "\(used.report)")
        #expect(used.pod["main"]?.standardOutput == "one\nas it istwo\nthree\nfour\n444 plain\n666 a\n")
    }

    @Test func keepOutputsAndLogsInAnHTTPRepository() async throws {
        var step = try step(
            "echo said; echo v > /out", outputs: ["artifacts": [["name": "out", "path": "/out"]]])
        step.request.template["archiveLocation"] = ["archiveLogs": true, "http": location("repo/wf/step", .basic, basic)]
        let outcome = try await step.run()
        #expect(outcome.exitCodes == allWell, "\(outcome.report)")
        #expect(outcome.artifactNames == ["out", "main-logs"])
        #expect(
            outcome.artifact("out")?["http"]?["url"] == .string(server.url("\(folder)/repo/wf/step/out.tgz", through: .basic)))
        #expect(server.get("\(folder)/repo/wf/step/main.log") == Array("said\n".utf8))
        let entries = try listing(ofArchive: try #require(server.get("\(folder)/repo/wf/step/out.tgz")))
        #expect(entries.map(\.bytes) == [Array("v\n".utf8)])

        // The next step names the key alone.
        var next = try self.step(
            "cat /in", inputs: [["name": "in", "path": "/in", "http": ["url": .string("http://nowhere.invalid/x")]]])
        next.request.template["archiveLocation"] = step.request.template["archiveLocation"]
        next.request.template["inputs"] = [
            "artifacts": [["name": "in", "path": "/in", "s3": ["key": .string("/\(folder)/repo/wf/step/out.tgz")]]]
        ]
        let used = try await next.run()
        #expect(used.exitCodes == allWell, "\(used.report)")
        #expect(used.pod["main"]?.standardOutput == "v\n")
    }

    @Test func refuseADirectoryAsItIsAndStoreTheRest() async throws {
        let step = try step(
            "mkdir /d; echo one > /d/f; echo two > /t",
            outputs: [
                "artifacts": [
                    ["name": "d", "path": "/d", "archive": ["none": [:]], "http": location("d", .plain)],
                    ["name": "t", "path": "/t", "http": location("t.tgz", .plain)],
                ]
            ])
        let outcome = try await step.run()
        #expect(outcome.exitCodes == ["init": 0, "main": 0, "wait": 64], "\(outcome.report)")
        #expect(outcome.artifactNames == ["t"])
        let message = outcome.pod["wait"]?.message ?? ""
        #expect(
            isOneLine(message) && message.contains("save artifact 'd'") && message.contains("archive it (tar or zip)"),
            "\(message)")
        #expect(server.get("\(folder)/d") == nil)
    }

    @Test func sayWhatTheServerRefuses() async throws {
        for (location, words) in [
            (location("x", .plain), "404 Not Found"), (location("x", .basic), "401 Unauthorized"),
            (location("x", .otherName, [:]), "certificate is not valid for 127.0.0.1"),
        ] as [(JSON, String)] {
            let outcome = try await step("true", inputs: [["name": "gone", "path": "/gone", "http": location]]).run()
            #expect(outcome.exitCodes == ["init": 64], "\(outcome.report)")
            let message = outcome.pod["init"]?.message ?? ""
            #expect(isOneLine(message) && message.contains("gone") && message.contains(words), "\(message)")
        }
    }
}
