import Documents
import SystemSupport
package import WorkflowEngine
package import WorkflowModel
import WorkflowPlanning

/// Builds the pod that the workflow controller would build for a node, in the layout with `init` and `wait` (contract 01 §2 to §6).
package struct PodBuilder: Sendable {
    private let settings: PodSettings

    package init(_ settings: PodSettings) { self.settings = settings }

    /// The pod as the controller would hand it to the API server.
    ///
    /// - Parameter template: the request's, with the place of its artifacts.
    /// - Throws: `ExecutorError` for a template that makes no pod.
    package func pod(for request: PodRequest, template: Template) throws -> BuiltPod {
        let containers = try ContainerPlan(template: template, settings: settings)
        let volumes = VolumePlan(template: template, settings: settings)
        let environment = EnvironmentPlan(request: request, settings: settings)

        let stager = container(
            "init", image: settings.executorImage, command: ["argoexec", "init"] + logFlags(settings.logLevel),
            environment: environment.executor(of: "init", isRegular: false, template: templateText(of: template)),
            mounts: volumes.mounts(of: .initialize))
        let userInits = containers.inits.map { user in
            initContainer(
                of: user, environment.user(user, template: templateText(of: template)), volumes.mounts(of: .user(user)))
        }
        var regular = [
            container(
                "wait", image: settings.executorImage, command: ["argoexec", "wait"] + logFlags(settings.logLevel),
                environment: environment.executor(of: "wait", isRegular: true, template: nil),
                mounts: volumes.mounts(of: .wait))
        ]
        regular += containers.mains.map { plain($0, environment.main($0), volumes.mounts(of: .main($0))) }
        regular += containers.sidecars.map {
            plain($0, environment.user($0, template: nil), volumes.mounts(of: .user($0)))
        }
        let plainSpec = podSpec(template, request, inits: [stager] + userInits, regular: regular, volumes: volumes.all)
        var spec = try PodPatch(template: template, settings: settings).applied(to: plainSpec)
        let wrapped = try (spec["containers"]?.array ?? []).map { try $0["name"]?.string == "wait" ? $0 : wrap($0) }
        let parts = PodOffload(
            inits: spec["initContainers"]?.array ?? [], regular: wrapped, volumes: spec["volumes"]?.array ?? [],
            podName: request.podName)
        spec["initContainers"] = .array(parts.inits)
        spec["containers"] = .array(parts.regular)
        spec["volumes"] = .array(parts.volumes)
        return BuiltPod(
            pod: .object(podObject(request, template, spec)),
            configMap: parts.configMap(named: request.podName, in: settings.namespace))
    }

    /// The template as the executor reads it: without the input parameters, which have been put in their places.
    private func templateText(of template: Template) -> String {
        var document = template.document
        let artifacts = document.field("inputs")?.field("artifacts")
        var inputs = JSONObject()
        if let artifacts { inputs["artifacts"] = artifacts }
        document["inputs"] = .object(inputs)
        if document.field("outputs") == nil { document["outputs"] = [:] }
        if document.field("metadata") == nil { document["metadata"] = [:] }
        return String(decoding: document.serialized(), as: UTF8.self)
    }

    private func logFlags(_ level: String) -> [String] {
        ["--loglevel", level, "--log-format", "text", "--gloglevel", "0"]
    }

    private func container(
        _ name: String, image: String, command: [String], environment: [JSONValue], mounts: [JSONValue]
    ) -> JSONValue {
        [
            "name": .string(name), "image": .string(image), "command": .array(command.map { .string($0) }),
            "env": .array(environment), "resources": [:], "volumeMounts": .array(mounts),
        ]
    }

    /// The user's container as it would be without the emissary.
    private func plain(_ user: UserContainer, _ environment: [JSONValue], _ mounts: [JSONValue]) -> JSONValue {
        var document = user.document
        document["name"] = .string(user.name)
        if !user.extraArguments.isEmpty {
            document["args"] = .array((document.field("args")?.array ?? []) + user.extraArguments.map { .string($0) })
        }
        document["env"] = .array(environment)
        document["volumeMounts"] = .array(mounts)
        for field in ["dependencies", "source", "mirrorVolumeMounts"] { document.removeField(field) }
        return .object(document)
    }

    /// A container with its command behind the emissary.
    private func wrap(_ container: JSONValue) throws -> JSONValue {
        guard var document = container.object else { return container }
        let user = UserContainer(name: container["name"]?.string ?? "", document: document)
        let (command, arguments) = try user.command(settings.imageCommands)
        document["command"] = .array(
            (["/var/run/argo/argoexec", "emissary"] + logFlags(settings.emissaryLogLevel) + ["--"] + command).map {
                .string($0)
            })
        document["args"] = arguments.isEmpty ? nil : .array(arguments.map { .string($0) })
        return .object(document)
    }

    /// The user's init container: not behind the emissary; only the node waits for it.
    private func initContainer(of user: UserContainer, _ environment: [JSONValue], _ mounts: [JSONValue]) -> JSONValue {
        var document = user.document
        document["env"] = .array(environment)
        document["volumeMounts"] = .array(mounts)
        document.removeField("mirrorVolumeMounts")
        return .object(document)
    }

    private func podObject(_ request: PodRequest, _ template: Template, _ spec: JSONObject) -> JSONObject {
        var labels: JSONObject = ["workflows.argoproj.io/completed": "false"]
        if request.isOnExit { labels["workflows.argoproj.io/on-exit"] = "true" }
        labels["workflows.argoproj.io/workflow"] = .string(settings.workflowName)
        var annotations: JSONObject = [
            "kubectl.kubernetes.io/default-container": "main", "workflows.argoproj.io/node-id": .string(request.nodeID),
            "workflows.argoproj.io/node-name": .string(request.nodeName),
        ]
        for source in [settings.spec.field("podMetadata"), template.document.field("metadata")] {
            for member in source?.field("labels")?.object?.members ?? [] { labels[member.name] = member.value }
            for member in source?.field("annotations")?.object?.members ?? [] { annotations[member.name] = member.value }
        }
        let owner: JSONValue = [
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": .string(settings.workflowName),
            "uid": .string(settings.workflowUID), "controller": true, "blockOwnerDeletion": true,
        ]
        return [
            "apiVersion": "v1", "kind": "Pod",
            "metadata": [
                "name": .string(request.podName), "namespace": .string(settings.namespace), "labels": .object(labels),
                "annotations": .object(annotations), "ownerReferences": [owner],
            ],
            "spec": .object(spec),
        ]
    }

    private func podSpec(
        _ template: Template, _ request: PodRequest, inits: [JSONValue], regular: [JSONValue], volumes: [JSONValue]
    ) -> JSONObject {
        var spec: JSONObject = ["volumes": .array(volumes), "initContainers": .array(inits), "containers": .array(regular)]
        spec["restartPolicy"] = "Never"
        spec["activeDeadlineSeconds"] = request.activeDeadlineSeconds.map { .integer(Int($0)) }
        // A template's own settings win over the workflow's.
        for field in [
            "serviceAccountName", "automountServiceAccountToken", "nodeSelector", "affinity",
            "tolerations", "schedulerName", "priorityClassName", "hostAliases", "imagePullSecrets", "dnsPolicy", "dnsConfig",
            "hostNetwork",
        ] {
            if let value = template.document.field(field) ?? settings.spec.field(field) { spec[field] = value }
        }
        spec["securityContext"] =
            template.document.field("securityContext") ?? settings.spec.field("securityContext") ?? [:]
        return spec
    }
}
