import Documents
import Glibc
import SystemSupport

/// What can be told of pods without running them.
struct PodCheck {
    let settings: SandboxSettings

    /// Problems of all pods, each once although several pods have it.
    func problems(of pods: [JSONValue]) -> [Finding] {
        var found: [Finding] = []
        var seen: Set<Finding> = []
        for problem in pods.flatMap(problems) {
            let anonymous = Finding(problem.severity, subject: problem.subject, problem.text)
            if seen.insert(anonymous).inserted { found.append(problem) }
        }
        return found + machineNote(pods)
    }

    /// - Throws: the first thing that is wrong with a pod's own names.
    static func checkNames(of pod: PodManifest) throws(Finding) {
        var problems = PodFindings(pod: pod.name)
        check(names: pod, &problems)
        if let refusal = problems.refusal { throw refusal }
    }

    private static func check(names pod: PodManifest, _ problems: inout PodFindings) {
        if pod.containers.isEmpty { problems.add(.error, "", "it has no containers") }
        var names: Set<String> = []
        for container in pod.allContainers {
            if !ObjectFolders.isFileName(BytePath(container.name)) || container.name.utf8.contains(0) {
                problems.add(.error, container.subject, "its name is missing or invalid")
            }
            if !names.insert(container.name).inserted {
                problems.add(.error, container.subject, "there are two of this name")
            }
        }
    }

    private func problems(of document: JSONValue) -> [Finding] {
        let pod: PodManifest
        do { pod = try PodManifest(document) } catch {
            return [Finding(.error, errorText(error))]
        }
        var problems = PodFindings(pod: pod.name)
        Self.check(names: pod, &problems)
        PodFieldCheck.check(pod, &problems)
        do { try VolumeSet.check(pod, settings: settings, problems: &problems) } catch {
            problems.add(.error, "volumes", errorText(error))
        }
        for container in pod.allContainers {
            do { try check(container, in: pod, &problems) } catch {
                problems.add(.error, container.subject, errorText(error))
            }
        }
        return problems.all
    }

    private func check(_ container: ContainerManifest, in pod: PodManifest, _ problems: inout PodFindings) throws {
        let environment = try ContainerEnvironment(
            of: container, in: PodFields(pod: pod), objects: settings.objects, problems: &problems)
        for word in (container.command ?? []) + (container.arguments ?? []) where word.utf8.contains(0) {
            problems.add(.error, container.subject, "an argument of the command contains a NUL byte")
        }
        for mount in container.mounts {
            if let expression = mount.subPathExpression, environment.expandStrictly(expression) == nil {
                problems.add(
                    .error, container.subject,
                    "mount at \(mount.path): subPathExpr '\(expression)' refers to a variable that is not there")
            }
            if let subPath = mount.subPath, BytePath(subPath).isAbsolute || BytePath(subPath).components.contains("..") {
                problems.add(
                    .error, container.subject, "mount at \(mount.path): the sub-path '\(subPath)' leads out of the volume")
            }
            if mount.path == "/" { problems.add(.error, container.subject, "a volume cannot be mounted at /") }
        }
        let image = try settings.images.path(for: container.image).map { try GivenImage($0) }
        if case .bubblewrap = settings.runtime, container.command == nil, image?.configuration.entrypoint.isEmpty ?? true,
            container.arguments == nil, image?.configuration.command.isEmpty ?? true
        {
            problems.add(
                .error, container.subject,
                "it names no command, and that of the image '\(container.image)' is not known: give the image by --image")
        }
        if case .bubblewrap = settings.runtime,
            let problem = ProgramSurvey(executorImage: settings.executorImage)
                .problem(of: container, image: image, environment: environment)
        {
            problems.add(.error, container.subject, problem, kind: .program)
        }
        let names = { (list: String) in
            (container.securityContext.field("capabilities")?.field(list)?.array ?? []).compactMap(\.string)
        }
        for name in CapabilitySet(added: names("add"), dropped: names("drop")).unknown {
            problems.add(.error, container.subject, "there is no capability \(name)")
        }
        checkUser(of: container, in: pod, image: image, &problems)
    }

    private func checkUser(
        of container: ContainerManifest, in pod: PodManifest, image: GivenImage?, _ problems: inout PodFindings
    ) {
        let request = IdentityRequest(of: container, in: pod)
        if request.refusesRoot, request.user == 0 {
            problems.add(.error, container.subject, "runAsNonRoot is set, and runAsUser is 0")
        }
        guard case .bubblewrap(let bubblewrap) = settings.runtime, bubblewrap.mode == .userNamespace else { return }
        if let user = request.user, user != geteuid() {
            problems.add(
                .warning, container.subject,
                "runAsUser \(user) is only a name here: without root all users of a pod are one, that of the run "
                    + "(\(geteuid())), and see each other's files as their own")
        }
        if request.volumeGroup != nil { problems.add(.warning, "", "fsGroup has no effect without root") }
    }

    /// Says once that images are not what they are in a cluster.
    private func machineNote(_ pods: [JSONValue]) -> [Finding] {
        guard case .bubblewrap = settings.runtime else { return [] }
        var images: Set<String> = []
        for pod in pods.compactMap({ try? PodManifest($0) }) {
            for container in pod.allContainers
            where container.image != settings.executorImage && settings.images.path(for: container.image) == nil {
                images.insert(container.image)
            }
        }
        if images.isEmpty { return [] }
        return [
            Finding(
                .note,
                "this machine's own programs, read-only, stand in for \(images.sorted().joined(separator: ", ")); "
                    + "--image NAME=PATH gives an image, --engine runs it by docker or podman")
        ]
    }
}
