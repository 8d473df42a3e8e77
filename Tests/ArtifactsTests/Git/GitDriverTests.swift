import Artifacts
import Documents
import Foundation
import GitArtifacts
import SystemSupport
import TestSupport
import Testing

@Suite(.requires(.git)) struct GitDriverTests {
    @Test func aCloneHasAllBranchesAndTags() async throws {
        let fixture = try await GitFixture()
        try fixture.load(fixture.open + "/plain.git")
        #expect(try fixture.content("file") == "three\n")
        #expect(try fixture.git("branch", "-a", "--format=%(refname)").contains("refs/remotes/origin/dev"))
        #expect(try fixture.git("tag") == "v1\nv2")
        #expect(try fixture.git("symbolic-ref", "HEAD") == "refs/heads/main")
        #expect(try fixture.git("status", "--porcelain") == "")
        #expect(try fixture.names("target") == ["tree"])
        let modes = try ["file", "run.sh", "."].map {
            try FileManager.default.attributesOfItem(atPath: fixture.path("target/tree/\($0)").text)[.posixPermissions] as? Int
        }
        #expect(modes == [0o644, 0o755, 0o755])
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: fixture.path("target/tree/link").text) == "file")
    }

    @Test(arguments: [
        ("dev", "two\n"), ("v1", "one\n"), ("v2", "two\n"), ("HEAD~1", "two\n"), ("main~2", "one\n"),
        ("refs/heads/dev", "two\n"), ("refs/tags/v2", "two\n"), ("HEAD", "three\n"),
    ]) func aRevisionIsCheckedOutAlone(_ revision: String, _ content: String) async throws {
        for depth in [0, 1, 2] as [JSONValue] {
            let fixture = try await GitFixture()
            try fixture.load(fixture.open + "/plain.git", ["revision": .string(revision), "depth": depth])
            #expect(try fixture.content("file") == content, "depth \(depth)")
            #expect(try fixture.git("symbolic-ref", "-q", "HEAD") == "", "detached")
            if depth == 0 { #expect(try fixture.git("branch", "--format=%(refname:short)").contains("dev")) }
        }
    }

    @Test func aCommitIsCheckedOut() async throws {
        let first = try await GitFixture()
        try first.load(first.open + "/plain.git")
        let commit = try first.git("rev-parse", "v1")
        for revision in [commit, String(commit.prefix(12))] {
            for depth in [0, 1] as [JSONValue] {
                let fixture = try await GitFixture()
                try fixture.load(fixture.open + "/plain.git", ["revision": .string(revision), "depth": depth])
                #expect(try fixture.git("rev-parse", "HEAD") == commit)
            }
        }
    }

    @Test func withADepthOnlyTheRevisionComes() async throws {
        for (revision, count) in [("dev", "1"), ("v2", "1"), ("refs/heads/main", "1")] {
            let fixture = try await GitFixture()
            try fixture.load(fixture.open + "/plain.git", ["revision": .string(revision), "depth": 1])
            #expect(try fixture.git("rev-list", "--all", "--count") == count, "\(revision)")
        }
        let fixture = try await GitFixture()
        try fixture.load(fixture.open + "/plain.git", ["depth": 1])
        #expect(try fixture.git("rev-list", "--count", "HEAD") == "1")
        #expect(try fixture.git("branch", "-r", "--format=%(refname:short)").contains("origin/dev"))
    }

    @Test func aSingleBranchComesAlone() async throws {
        for more in [[:], ["depth": 1], ["revision": "dev"], ["revision": "dev", "depth": 1]] as [JSONValue] {
            let fixture = try await GitFixture()
            try fixture.load(fixture.open + "/plain.git", ["singleBranch": true, "branch": "dev"], more)
            #expect(try fixture.content("more") == "developing\n")
            #expect(try fixture.git("branch", "-r", "--format=%(refname:short)") == "origin/dev")
        }
        let fixture = try await GitFixture()
        let message = try fixture.failure(fixture.open + "/plain.git", ["singleBranch": true])
        #expect(message.hasSuffix("singleBranch needs branch, which is empty"))
    }

    @Test(arguments: [0, 1] as [JSONValue]) func refspecsAreFetched(depth: JSONValue) async throws {
        let fixture = try await GitFixture()
        try fixture.load(
            fixture.open + "/plain.git", ["fetch": ["refs/pull/1/head:refs/remotes/origin/pull", "v1"], "depth": depth],
            ["revision": "main"])
        #expect(try fixture.git("show", "refs/remotes/origin/pull:pull") == "pulled")
    }

    @Test func anEmptyRepositoryHasTheBranchThatWasAskedFor() async throws {
        for (more, branch) in [
            ([:], "main"), (["revision": "later"], "later"), (["revision": "later", "depth": 1], "later"),
            (["singleBranch": true, "branch": "b"], "master"),
        ] as [(JSONValue, String)] {
            let fixture = try await GitFixture()
            try fixture.load(fixture.open + "/empty.git", more)
            #expect(try fixture.git("symbolic-ref", "HEAD") == "refs/heads/\(branch)")
            #expect(try fixture.git("remote", "get-url", "origin") == fixture.open + "/empty.git")
        }
    }

    // MARK: Who we are

    @Test func aPasswordOpensADoorAndIsSeenNowhere() async throws {
        let fixture = try await GitFixture()
        try fixture.load(fixture.closed + "/plain.git", GitFixture.basic)
        #expect(try fixture.content("file") == "three\n")
        #expect(try !fixture.notes().contains("w\u{f6}rd"))
        for more in [["usernameSecret": GitFixture.selector("user"), "passwordSecret": GitFixture.selector("wrong")], [:]]
            as [JSONValue]
        {
            let fixture = try await GitFixture()
            let message = try fixture.failure(fixture.closed + "/plain.git", more)
            #expect(message.hasPrefix("load \(fixture.closed)/plain.git: git: "))
            #expect(!message.contains("wr0ng-pw") && !message.contains("\n"))
        }
    }

    @Test func credentialsOfAURLAreTakenOutOfIt() async throws {
        let fixture = try await GitFixture()
        let url = fixture.closed.replacing("https://", with: "https://us%20er:pass%3Aw%C3%B6rd@") + "/plain.git"
        try fixture.load(url)
        #expect(try !fixture.notes().contains("pass"))
        let other = try await GitFixture()
        let message = try other.failure(other.open.replacing("http://", with: "http://u:s3cr3t@") + "/none.git")
        #expect(message.hasPrefix("load \(other.open)/none.git: git: "))
        #expect(!message.contains("s3cr3t"))
    }

    @Test func credentialsGoNoFurtherThanTheirServer() async throws {
        let fixture = try await GitFixture()
        let message = try fixture.failure(fixture.closed + "/moved/plain.git", GitFixture.basic)
        #expect(message.contains("git: "))
        let submodule = try await GitFixture()
        let told = try submodule.failure(submodule.closed + "/super.git", GitFixture.basic, ["revision": "elsewhere"])
        #expect(told.contains("git: "))
    }

    @Test func aServerIsTrustedByItsCertificateUnlessSaidOtherwise() async throws {
        let fixture = try await GitFixture()
        var context = fixture.context
        context.clouds[GitEnvironment.self].network = [("GIT_SSL_CAINFO", "/dev/null")]
        let message = try fixture.failure(fixture.closed + "/plain.git", GitFixture.basic, context: context)
        #expect(message.contains("certificate"), "\(message)")
        try fixture.load(fixture.closed + "/plain.git", GitFixture.basic, ["insecureSkipTLS": true], context: context)
    }

    @Test func aKeyOpensSSH() async throws {
        let fixture = try await GitFixture()
        try fixture.load(fixture.ssh + "/plain.git", GitFixture.key, ["revision": "dev"])
        #expect(try fixture.content("more") == "developing\n")
        for more in [["sshPrivateKeySecret": GitFixture.selector("stranger")], [:]] as [JSONValue] {
            let fixture = try await GitFixture()
            let message = try fixture.failure(fixture.ssh + "/plain.git", more)
            #expect(message.contains("Permission denied"), "\(message)")
            #expect(!message.contains("\n"))
        }
    }

    @Test func anUnknownHostIsRefusedUnlessSaidOtherwise() async throws {
        let fixture = try await GitFixture()
        var context = fixture.context
        context.clouds[GitEnvironment.self].knownHosts = ["/dev/null"]
        let message = try fixture.failure(fixture.ssh + "/plain.git", GitFixture.key, context: context)
        #expect(message.contains("Host key verification failed"), "\(message)")
        try fixture.load(fixture.ssh + "/plain.git", GitFixture.key, ["insecureIgnoreHostKey": true], context: context)
    }

    @Test func aUserWithoutANameIsGivenOne() async throws {
        let fixture = try await GitFixture()
        var context = fixture.context
        context.clouds[GitEnvironment.self].isNameless = true
        context.clouds[GitEnvironment.self].namingLibrary = fixture.detail("libraries") + "/libnss_wrapper.so"
        try fixture.load(fixture.ssh + "/plain.git", GitFixture.key, context: context)
        #expect(try fixture.content("file") == "three\n")
    }

    // MARK: Submodules

    @Test(arguments: ["relative", "ssh", "private"]) func submodulesComeWithTheSameCredentials(_ branch: String) async throws {
        let fixture = try await GitFixture()
        let key: JSONValue = branch == "ssh" ? GitFixture.key : [:]
        try fixture.load(fixture.closed + "/super.git", GitFixture.basic, key, ["revision": .string(branch)])
        #expect(try fixture.content("inner/below") == "below\n")
    }

    @Test func submodulesOfSubmodulesComeToo() async throws {
        let fixture = try await GitFixture()
        try fixture.load(fixture.open + "/super.git", ["revision": "nested", "depth": 1])
        #expect(try fixture.content("inner/inner/below") == "below\n")
    }

    @Test func submodulesAreLeftOutWhereTheyAreNotWanted() async throws {
        let fixture = try await GitFixture()
        try fixture.load(fixture.open + "/super.git", ["revision": "relative", "disableSubmodules": true])
        #expect(try fixture.names("target/tree/inner") == [])
    }

    @Test func aSubmoduleRunsNoProgram() async throws {
        let fixture = try await GitFixture()
        let message = try fixture.failure(fixture.open + "/super.git", ["revision": "hostile"])
        #expect(message.contains("transport 'ext' not allowed"), "\(message)")
    }

    // MARK: What goes wrong

    @Test func whatIsAbsentIsAPlainError() async throws {
        let fixture = try await GitFixture()
        for more in [["revision": "none"], ["revision": "none", "depth": 1], ["singleBranch": true, "branch": "none"]]
            as [JSONValue]
        {
            let message = try fixture.failure(fixture.open + "/plain.git", more)
            #expect(message.hasPrefix("load \(fixture.open)/plain.git: git: "), "\(message)")
        }
        #expect(try fixture.failure(fixture.open + "/none.git").contains("not found"))
    }

    @Test(arguments: [
        "ext::sh -c id", "ext::sh", "file:///etc", "/etc", "--upload-pack=id", "fd::1", "", "a b", "https://", "host:",
        "-oProxy:x",
        "ssh://-oProxyCommand=id/x",
    ]) func otherPlacesAreRefusedBeforeGitRuns(_ repository: String) async throws {
        let fixture = try await GitFixture()
        let message = try fixture.failure(repository)
        #expect(message.hasPrefix("use "), "\(message)")
    }

    @Test(
        arguments: [["revision": "--orphan"], ["fetch": ["--upload-pack=x"]], ["singleBranch": true, "branch": "-x"]]
            as [JSONValue])
    func optionsInFieldsAreRefused(_ more: JSONValue) async throws {
        let fixture = try await GitFixture()
        #expect(try fixture.failure(fixture.open + "/plain.git", more).contains("begins with a dash"))
    }

    @Test func anImageWithoutGitSaysSo() async throws {
        let fixture = try await GitFixture()
        var context = fixture.context
        context.clouds[GitEnvironment.self].path = "/nonexistent"
        let message = try fixture.failure(fixture.open + "/plain.git", context: context)
        #expect(message.contains("this image has no git: use the image argoexec"))
    }

    @Test func aServerThatHangsIsLeftWhenTheWorkIsCalledOff() async throws {
        let fixture = try await GitFixture()
        let server = try ScriptedServer { conversation in
            _ = conversation.readRequest()
            conversation.waitForClose()
        }
        let context = fixture.context
        Thread {
            try? eventually("git has asked") { !server.requests.isEmpty }
            context.cancel()
        }.start()
        let message = try fixture.failure("http://127.0.0.1:\(server.port)/x.git", context: context)
        #expect(message == "load http://127.0.0.1:\(server.port)/x.git: context canceled")
    }

    @Test func itCanOnlyBeLoaded() async throws {
        let fixture = try await GitFixture()
        let store = try fixture.store(fixture.open + "/plain.git", [])
        #expect(!store.driver.canDelete)
        for call in [{ try store.delete() }, { _ = try store.list() }] as [() throws -> Void] {
            let error = #expect(throws: ArtifactError.self) { try call() }
            #expect(error?.code == .unsupported)
        }
    }
}
