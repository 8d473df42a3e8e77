import Artifacts
import FileTrees
import SystemSupport
import WorkflowModel

/// A clone with its working tree (contract 03 §6.7).
struct GitCheckout: StoredTree {
    let location: GitLocation
    let access: GitAccess
    let context: DriverContext

    var subject: String { access.address.text }

    func write(to name: BytePath, in directory: ContainedDirectory, moved: @escaping @Sendable (Int64) -> Void) throws {
        let place = try GitWorkplace(in: directory, for: access)
        defer { place.remove() }
        var work = Work(
            checkout: self, git: try GitProgram(place.environment, subject: subject, context: context), name: name,
            directory: directory)
        do { try work.check(out: location.revision) } catch {
            // Refs may be missing because there are none.
            guard !context.cancellation.isCancelled, try work.isRemoteEmpty(unless: error) else { throw error }
            try work.makeEmpty()
            return
        }
        if !location.disableSubmodules { try work.updateSubmodules() }
    }

    private var url: BytePath { BytePath(access.address.text) }

    /// One run of all the steps.
    private struct Work {
        let checkout: GitCheckout
        var git: GitProgram
        let name: BytePath
        let directory: ContainedDirectory

        private var location: GitLocation { checkout.location }
        private var target: BytePath { directory.path.appending(name) }
        /// Words that bound the history; none for all of it.
        private var depth: [BytePath] {
            guard let depth = location.depth, depth > 0 else { return [] }
            return ["--depth", BytePath("\(depth)")]
        }

        mutating func check(out revision: String) throws {
            if revision.isEmpty { return try clone(isCheckedOut: true) }
            // With a depth only the revision is fetched, and all of the history where it cannot be had so (contract 05 P18).
            if !depth.isEmpty, try cloneRevision() || fetchRevision() { return }
            try clone(isCheckedOut: false)
            try makeHeads()
            let commit = try git.run(["rev-parse", "--verify", "--end-of-options", BytePath(revision + "^{commit}")])
            try checkOut(commit.last ?? revision)
        }

        private mutating func clone(isCheckedOut: Bool) throws {
            var words: [BytePath] = ["clone", "--quiet"]
            if !isCheckedOut { words.append("--no-checkout") } else { words += depth }
            if location.singleBranch {
                words += ["--single-branch", "--branch", BytePath(location.branch)]
            } else if isCheckedOut, !depth.isEmpty {
                words.append("--no-single-branch")
            }
            try git.run(words + ["--", checkout.url, target])
            git.tree = target
            try fetchSpecifications(isCheckedOut ? depth : [])
        }

        /// The quickest way for a branch or a tag.
        ///
        /// - Returns: false where the revision is neither.
        private mutating func cloneRevision() throws -> Bool {
            let revision = location.revision
            if revision == "HEAD" || revision.hasPrefix("refs/") || Self.isObjectName(revision) { return false }
            do {
                let words: [BytePath] = ["clone", "--quiet", "--single-branch", "--branch", BytePath(revision)]
                try git.run(words + depth + ["--", checkout.url, target])
            } catch let error as ArtifactError where Self.isAbout(error, "not found in upstream", "not a valid ref") {
                return false
            }
            git.tree = target
            try fetchSpecifications(depth)
            try checkOut("HEAD")
            return true
        }

        /// The same for a full name and a commit.
        private mutating func fetchRevision() throws -> Bool {
            let revision = location.revision
            guard revision == "HEAD" || revision.hasPrefix("refs/") || Self.isObjectName(revision) else { return false }
            try initialize()
            do {
                var source = BytePath(revision)
                if revision.hasPrefix("refs/heads/") {
                    source = BytePath("+\(revision):refs/remotes/origin/\(revision.dropFirst(11))")
                } else if revision.hasPrefix("refs/tags/") {
                    source = BytePath("+\(revision):\(revision)")
                }
                try git.run(["fetch", "--quiet", "--no-tags"] + depth + ["--", "origin", source])
            } catch let error as ArtifactError
                where Self.isAbout(
                    error, "couldn't find remote ref", "not our ref", "unadvertised object", "no such remote ref")
            {
                git.tree = nil
                try TreeRemoval.remove(name, in: directory)
                return false
            }
            let commit = try git.run(["rev-parse", "--verify", "FETCH_HEAD^{commit}"])
            try fetchSpecifications(depth)
            try checkOut(commit.last ?? "FETCH_HEAD")
            return true
        }

        private mutating func initialize() throws {
            try git.run(["init", "--quiet", "--", target])
            git.tree = target
            try git.run(["remote", "add", "--", "origin", checkout.url])
        }

        private func fetchSpecifications(_ depth: [BytePath]) throws {
            if location.fetch.isEmpty { return }
            try git.run(
                ["fetch", "--quiet", "--update-head-ok"] + depth + ["--", "origin"] + location.fetch.map { BytePath($0) })
        }

        /// Every branch that was fetched has a local head too.
        private func makeHeads() throws {
            let refs = try git.run(["for-each-ref", "--format=%(objectname) %(refname:lstrip=3)", "refs/remotes/origin"])
            let heads = Set(try git.run(["for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads"]))
            let commands = refs.compactMap { line -> String? in
                let words = line.split(separator: " ", maxSplits: 1).map(String.init)
                guard words.count == 2, words[1] != "HEAD", !heads.contains(words[1]) else { return nil }
                return "create refs/heads/\(words[1]) \(words[0])\n"
            }
            if commands.isEmpty { return }
            try git.run(["update-ref", "--stdin"], input: commands.joined())
        }

        private func checkOut(_ commit: String) throws {
            try git.run(["checkout", "--quiet", "--force", "--detach", BytePath(commit)])
        }

        func updateSubmodules() throws {
            guard (try? directory.status(name.appending(".gitmodules"))) != nil else { return }
            try git.run(["submodule", "--quiet", "update", "--init", "--recursive"])
        }

        // MARK: A repository without a commit

        mutating func isRemoteEmpty(unless error: any Error) throws -> Bool {
            guard let refs = try? git.run(["ls-remote", "--quiet", "--", checkout.url]) else { throw error }
            return refs.isEmpty
        }

        mutating func makeEmpty() throws {
            git.tree = nil
            try TreeRemoval.remove(name, in: directory)
            try initialize()
            let branch = location.revision.isEmpty ? "master" : location.revision
            try git.run(["symbolic-ref", "HEAD", BytePath("refs/heads/\(branch)")])
        }

        private static func isAbout(_ error: ArtifactError, _ texts: String...) -> Bool {
            error.code == .failed && texts.contains { error.message.contains($0) }
        }

        private static func isObjectName(_ text: String) -> Bool {
            [40, 64].contains(text.utf8.count) && text.utf8.allSatisfy { Character(UnicodeScalar($0)).isHexDigit }
        }
    }
}
