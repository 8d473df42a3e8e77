import Foundation
import TestSupport
import Testing

/// What a program of the tests' machine left.
private struct Ran {
    let status: Int32
    /// Standard output and error together.
    let output: String

    init(_ words: [String], environment: [String: String] = [:]) async throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = words
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, own in own }
        let folder = try TemporaryFolder()
        try folder.write(Data(), to: "output")
        let file = folder.url.appending(path: "output")
        let handle = try FileHandle(forWritingTo: file)
        process.standardOutput = handle
        process.standardError = handle
        process.standardInput = FileHandle.nullDevice
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in continuation.resume() }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        status = process.terminationStatus
        output = String(decoding: try Data(contentsOf: file), as: UTF8.self)
    }
}

extension Trait where Self == ConditionTrait {
    /// The test runs where images can be made without the internet and unpacked by a program of others.
    fileprivate static var requiresImageTools: Self {
        .enabled("umoci, kubectl or Debian's packages are not there: scripts/test fetches them") {
            let packages = Checkout.root.appending(path: ".build/image-packages/amd64.list").path
            return Checkout.kubectlFolder != nil && FileManager.default.fileExists(atPath: packages)
                && ["/usr/bin/umoci", "/usr/bin/bwrap"].allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }
        }
    }
}

/// An image as `scripts/image` makes it, unpacked by umoci.
private struct UnpackedImage {
    let folder: TemporaryFolder
    let configuration: JSON
    var root: String { folder.url.appending(path: "bundle/rootfs").path }

    init(_ name: String) async throws {
        folder = try TemporaryFolder()
        let output = folder.url.appending(path: "images").path
        let made = try await Ran(
            [Checkout.root.appending(path: "scripts/image").path, "--output", output, name],
            environment: [
                "ARGOEXEC_BINARY": Checkout.executor.path, "KUBECTL_BINARY": (Checkout.kubectlFolder ?? "") + "/kubectl",
                "SOURCE_DATE_EPOCH": "1700000000",
            ])
        try #require(made.status == 0, "\(made.output)")
        let layout = "\(output)/\(name)"
        let unpacked = try await Ran(
            ["umoci", "unpack"] + (geteuid() == 0 ? [] : ["--rootless"]) + [
                "--image", "\(layout):latest", "\(folder.url.path)/bundle",
            ])
        try #require(unpacked.status == 0, "\(unpacked.output)")
        func blob(_ reference: JSON?) throws -> JSON {
            let digest = try #require(reference?["digest"]?.text).dropFirst("sha256:".count)
            return try JSON(parsing: try Data(contentsOf: URL(filePath: "\(layout)/blobs/sha256/\(digest)")))
        }
        let index = try JSON(parsing: try Data(contentsOf: URL(filePath: "\(layout)/index.json")))
        configuration = try blob(try blob(index["manifests"]?.items.first)["config"])
    }

    /// Runs a program in the image as the user of the images for others than root, without a network.
    func run(_ words: [String]) async throws -> Ran {
        try await Ran(
            [
                "bwrap", "--bind", root, "/", "--dev", "/dev", "--proc", "/proc", "--unshare-all", "--uid", "8737", "--gid",
                "8737",
                "--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "HOME", "/tmp", "--chdir", "/tmp", "--",
            ] + words)
    }

    func text(_ path: String) throws -> String { try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8) }
    func has(_ path: String) -> Bool { FileManager.default.fileExists(atPath: "\(root)/\(path)") }
    func mode(_ path: String) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: "\(root)/\(path)")[.posixPermissions] as? Int)
    }
}

@Suite("Images", .requiresImageTools)
struct ImageTests {
    /// What every image holds (contract 01 §1).
    private func expectContract(_ image: UnpackedImage, user: String?) throws {
        let kind = try FileManager.default.attributesOfItem(atPath: "\(image.root)/bin/argoexec")[.type] as? FileAttributeType
        #expect(kind == .typeRegular)
        #expect(try image.mode("bin/argoexec") == 0o755)
        #expect(try image.mode("bin") == 0o755)
        #expect(try image.mode("tmp") == 0o1777)
        #expect(try image.text("etc/nsswitch.conf") == "hosts: files dns\n")
        #expect(try image.text("etc/mime.types").contains("application/json"))
        #expect(try image.text("etc/ssl/certs/ca-certificates.crt").contains("BEGIN CERTIFICATE"))
        #expect(try image.text("etc/passwd").contains(":8737:"))
        let hosts = try image.text("etc/ssh/ssh_known_hosts")
        for host in ["bitbucket.org", "github.com", "gitlab.com", "ssh.dev.azure.com", "vs-ssh.visualstudio.com"] {
            #expect(hosts.contains(host))
        }
        let configuration = image.configuration["config"]
        #expect(configuration?["Entrypoint"] == ["argoexec"])
        #expect(configuration?["User"]?.text == user)
        #expect(image.configuration["os"] == "linux")
    }

    @Test func theWholeImageBringsTheProgramsThatTemplatesNeed() async throws {
        let image = try await UnpackedImage("argoexec")
        try expectContract(image, user: nil)
        for (words, said) in [
            (["kubectl", "version", "--client"], "Client Version: v1.34.5"), (["git", "--version"], "git version 2."),
            (["jq", "-n", "-c", "[1+1]"], "[2]"), (["ssh", "-V"], "OpenSSH"),
        ] {
            let ran = try await image.run(words)
            #expect(ran.status == 0, "\(ran.output)")
            #expect(ran.output.contains(said), "\(ran.output)")
        }
        if Checkout.executorIsStatic {
            let version = try await image.run(["argoexec", "version"])
            #expect(version.status == 0)
            #expect(version.output.hasPrefix("argoexec: "))
        }
    }

    /// git's own scripts find the shell and the programs that they call.
    @Test func gitClonesWithSubmodules() async throws {
        let image = try await UnpackedImage("argoexec-nonroot")
        try expectContract(image, user: "8737")
        let script = """
            set -e
            export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=protocol.file.allow GIT_CONFIG_VALUE_0=always
            export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a
            for name in inner outer; do git init -q $name; git -C $name commit -q --allow-empty -m m; done
            cd outer
            git submodule -q add /tmp/inner sub
            git commit -q -m s
            git clone -q --recurse-submodules /tmp/outer /tmp/copy
            git -C /tmp/copy submodule status
            if git ls-remote https://127.0.0.1:1/x; then exit 1; fi
            if git ls-remote ssh://127.0.0.1:1/x; then exit 1; fi
            """
        let ran = try await image.run(["sh", "-c", script])
        #expect(ran.status == 0, "\(ran.output)")
        #expect(ran.output.contains(" sub (heads/"), "\(ran.output)")
        // The helper for https and ssh have started, and found nobody.
        #expect(ran.output.contains("Failed to connect to 127.0.0.1 port 1"), "\(ran.output)")
        #expect(ran.output.contains("ssh: connect to host 127.0.0.1 port 1"), "\(ran.output)")
    }

    @Test func theSlimImageHoldsTheExecutorAlone() async throws {
        let image = try await UnpackedImage("argoexec-slim")
        try expectContract(image, user: nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(image.root)/bin") == ["argoexec"])
        #expect(!image.has("usr") && !image.has("lib"))
        guard Checkout.executorIsStatic else { return }
        let template = #"{"resource":{"action":"get","flags":["pods"]},"inputs":{},"outputs":{}}"#
        let ran = try await Ran([
            "bwrap", "--bind", image.root, "/", "--dev", "/dev", "--unshare-all", "--clearenv", "--setenv", "PATH", "/bin",
            "--setenv", "ARGO_POD_NAME", "p", "--setenv", "ARGO_DEADLINE", "0001-01-01T00:00:00Z", "--setenv", "ARGO_TEMPLATE",
            template, "--setenv", "ARGOEXEC_TASK_RESULT_FILE", "/tmp/result.json", "--setenv", "ARGOEXEC_TERMINATION_LOG",
            "/tmp/termination-log", "--", "/bin/argoexec", "resource", "get",
        ])
        #expect(ran.status == 64)
        #expect(
            ran.output.contains("this image has no kubectl: use the image argoexec, argoexec-slim is without it"),
            "\(ran.output)")
        #expect(try image.text("tmp/result.json").contains(#""workflows.argoproj.io/report-outputs-completed":"true""#))
        #expect(try image.text("tmp/termination-log").hasPrefix("run kubectl: this image has no kubectl"))
    }
}
