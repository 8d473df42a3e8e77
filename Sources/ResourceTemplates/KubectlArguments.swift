import Documents
import SystemSupport
import WorkflowModel

/// What kubectl is called with (contract 02 §7).
struct KubectlArguments {
    /// All words after the program's name.
    let words: [String]

    /// - Parameters:
    ///   - action: kubectl's verb.
    ///   - manifest: the file's content.
    /// - Throws: `ExecutorError` where there is nothing to act on; `DocumentError` for a patch that is no YAML.
    init(_ action: String, _ resource: ResourceTemplate, manifest: [UInt8], at path: BytePath) throws {
        if manifest.isEmpty && resource.flags.isEmpty {
            throw ExecutorError.badRequest("\(action) a resource: neither a manifest nor flags are given")
        }
        var words = [action]
        var namesFile = !manifest.isEmpty
        if action == "delete" { words.append("--ignore-not-found") }
        if action == "patch" {
            let strategy = resource.mergeStrategy.isEmpty ? "strategic" : resource.mergeStrategy
            words += ["--type", strategy, "--patch-file", path.text]
            // A list of operations names no object, and neither does a patch without a kind: then the flags do.
            if strategy == "json" {
                namesFile = false
            } else if try !Self.hasKind(manifest, path), !resource.flags.isEmpty {
                namesFile = false
            }
        }
        words += resource.flags
        if namesFile { words += ["-f", path.text] }
        words += ["-o", action == "delete" ? "name" : "json"]
        self.words = words
    }

    private static func hasKind(_ manifest: [UInt8], _ path: BytePath) throws -> Bool {
        guard let document = try YAMLReader.foreignFile(manifest, name: path.text).first?.value, !document.isNull else {
            return false
        }
        guard let members = document.object else {
            throw ExecutorError.badRequest("read the patch \(path): a mapping is needed, found: \(document.kindName)")
        }
        return members["kind"].map { !$0.isNull } ?? false
    }
}
