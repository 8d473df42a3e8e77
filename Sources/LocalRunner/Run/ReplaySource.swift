import Documents
import FileTrees
import PodSandbox
import SystemSupport
import WorkflowModel

/// A step that is to be run again: from the folder that was kept of it, or from a pod's JSON or YAML.
struct ReplaySource: Sendable {
    let pod: JSONValue
    /// The folder that it is run in again; nil where there was none.
    let folder: PodFolder?
    /// The image whose containers are the executor's own.
    let executorImage: String
    let template: Template?
    /// Claims that its run alone had, by name.
    let claims: [String: BytePath]
    /// For messages.
    let subject: String

    /// - Throws: `SystemError`, `DocumentError` or `ExecutorError` for what cannot be read or is no workflow's pod.
    init(_ path: BytePath, objects: ObjectFolders) throws {
        let isFolder = try FileStatus.of(path, followingLinks: true).kind == .directory
        folder = isFolder ? PodFolder(path) : nil
        let file = isFolder ? PodFolder(path).pod : path
        subject = file.text
        let documents = try YAMLReader.file(SmallFile.read(file, limit: 64 << 20), name: file.text).filter { !$0.value.isNull }
        guard let document = documents.first?.value, documents.count == 1, document["spec"]?["containers"]?.array != nil else {
            throw ExecutorError.badRequest("read the pod \(file): expected one pod")
        }
        let containers = ["initContainers", "containers"].flatMap { document["spec"]?[$0]?.array ?? [] }
        func container(_ name: String) -> JSONValue? { containers.first { $0["name"]?.string == name } }
        guard let image = (container("init") ?? container("wait") ?? container("supervisor"))?["image"]?.string else {
            throw ExecutorError.badRequest(
                "read the pod \(file): it is not a step's pod: it has neither an init nor a wait nor a supervisor container")
        }
        executorImage = image
        if isFolder { try objects.made.restore(from: PodFolder(path).configMap) }
        template = try PodTemplate.text(of: document, objects: objects).map { try Template.load(from: $0) }
        pod = Self.timeless(document)
        var claims: [String: BytePath] = [:]
        if isFolder {
            let prefix = (document["metadata"]?["labels"]?["workflows.argoproj.io/workflow"]?.string ?? "") + "-"
            for volume in document["spec"]?["volumes"]?.array ?? [] {
                guard let claim = volume["persistentVolumeClaim"]?["claimName"]?.string, claim.hasPrefix(prefix) else {
                    continue
                }
                let place = RunFolder(path: path.directory).volumes.appending(BytePath(String(claim.dropFirst(prefix.count))))
                if (try? FileStatus.of(place, followingLinks: true)) != nil { claims[claim] = place }
            }
        }
        self.claims = claims
    }

    /// The pod without a deadline of its workflow's, which is over.
    private static func timeless(_ pod: JSONValue) -> JSONValue {
        var pod = pod
        guard var spec = pod["spec"]?.object else { return pod }
        for list in ["initContainers", "containers"] {
            guard let containers = spec[list]?.array else { continue }
            spec[list] = .array(
                containers.map { container in
                    guard let variables = container["env"]?.array else { return container }
                    var container = container
                    container["env"] = .array(
                        variables.map { variable in
                            guard variable["name"]?.string == "ARGO_DEADLINE" else { return variable }
                            var variable = variable
                            variable["value"] = .string(Timestamp.zero.rfc3339())
                            return variable
                        })
                    return container
                })
        }
        pod["spec"] = .object(spec)
        return pod
    }

    var podName: String { pod["metadata"]?["name"]?.string ?? "pod" }

    /// A part of the pod's annotations; the pod's name where it is missing.
    func annotation(_ name: String) -> String {
        pod["metadata"]?["annotations"]?["workflows.argoproj.io/\(name)"]?.string ?? podName
    }
}
