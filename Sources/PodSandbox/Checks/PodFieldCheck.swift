import Documents

/// Fields of a pod that have no effect where it is run here: none is passed over in silence.
enum PodFieldCheck {
    /// Fields that are obeyed, or that mean nothing without a cluster and change nothing in what a container sees.
    private static let podFields: Set<String> = [
        "activeDeadlineSeconds", "automountServiceAccountToken", "containers", "dnsPolicy", "enableServiceLinks", "hostAliases",
        "hostNetwork", "hostname", "imagePullSecrets", "initContainers", "nodeName", "preemptionPolicy", "restartPolicy",
        "schedulerName", "securityContext", "serviceAccount", "serviceAccountName", "terminationGracePeriodSeconds", "volumes",
    ]
    private static let podSecurityFields: Set<String> = [
        "fsGroup", "fsGroupChangePolicy", "runAsGroup", "runAsNonRoot", "runAsUser", "supplementalGroups",
    ]
    private static let containerFields: Set<String> = [
        "args", "command", "env", "envFrom", "image", "imagePullPolicy", "name", "ports", "restartPolicy", "securityContext",
        "terminationMessagePath", "terminationMessagePolicy", "volumeMounts", "workingDir",
    ]
    private static let securityFields: Set<String> = [
        "allowPrivilegeEscalation", "capabilities", "privileged", "readOnlyRootFilesystem", "runAsGroup", "runAsNonRoot",
        "runAsUser",
    ]
    private static let mountFields: Set<String> = ["mountPath", "name", "readOnly", "subPath", "subPathExpr"]

    static func check(_ pod: PodManifest, _ problems: inout PodFindings) {
        warn(pod.spec, podFields, path: "spec", subject: "", &problems)
        warn(pod.securityContext, podSecurityFields, path: "spec.securityContext", subject: "", &problems)
        for volume in pod.volumes {
            if let directory = volume.field("emptyDir")?.object {
                let subject = "volume '\(volume.field("name")?.string ?? "")'"
                warn(directory, [], path: "emptyDir", subject: subject, &problems)
            }
        }
        for container in pod.allContainers {
            warn(container.document, containerFields, path: "", subject: container.subject, &problems)
            warn(container.securityContext, securityFields, path: "securityContext", subject: container.subject, &problems)
            for mount in container.document.field("volumeMounts")?.array ?? [] {
                warn(mount.object ?? JSONObject(), mountFields, path: "volumeMounts", subject: container.subject, &problems)
            }
        }
    }

    private static func warn(
        _ object: JSONObject, _ known: Set<String>, path: String, subject: String, _ problems: inout PodFindings
    ) {
        for member in object.members where !known.contains(member.name) && !isEmpty(member.value) {
            let name = path.isEmpty ? member.name : "\(path).\(member.name)"
            problems.add(.warning, subject, "\(name) has no effect in a local run", kind: .withoutEffect)
        }
    }

    /// Fields that say nothing: builders write them anyway.
    private static func isEmpty(_ value: JSONValue) -> Bool {
        switch value {
        case .null, .bool(false): true
        case .string(let text): text.isEmpty
        case .array(let elements): elements.isEmpty
        case .object(let object): object.members.allSatisfy { isEmpty($0.value) }
        default: false
        }
    }
}
