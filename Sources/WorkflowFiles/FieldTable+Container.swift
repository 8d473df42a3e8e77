/// Containers and the volumes they mount.
extension FieldTable {
    private static let containerFields = [
        used(.text, "name", "image", "workingDir", "imagePullPolicy", "terminationMessagePath", "terminationMessagePolicy"),
        used(.list(.text), "command", "args"), used(.list(.object({ .port })), "ports"),
        used(.list(.object({ .environment })), "env"), used(.list(.object({ .environmentFrom })), "envFrom"),
        used(.list(.object({ .volumeMount })), "volumeMounts"), used(.object({ .containerSecurity }), "securityContext"),
        unused(limits, .object({ .resources }), "resources"), unused(limits, .anything, "resizePolicy"),
        unused("containers are not probed here", .anything, "livenessProbe", "readinessProbe", "startupProbe"),
        unused("standard input is empty and no terminal", .flag, "stdin", "stdinOnce", "tty"),
        refused("life cycle handlers of containers are not supported in a local run", "lifecycle"),
        refused("block devices are not supported in a local run", "volumeDevices"),
    ].flatMap { $0 }

    private static let restarts = refused(
        "restarts of containers are not supported in a local run", "restartPolicy", "restartPolicyRules")

    static let container: FieldTable = FieldTable(containerFields, restarts)

    static let script: FieldTable = FieldTable(containerFields, restarts, used(.text, "source"))

    /// An init container with `restartPolicy: Always` runs beside the others.
    static let userContainer: FieldTable = FieldTable(
        containerFields, used(.flag, "mirrorVolumeMounts"), used(.text, "restartPolicy"),
        refused("restarts of containers are not supported in a local run", "restartPolicyRules"))

    static let memberContainer: FieldTable = FieldTable(containerFields, restarts, used(.list(.text), "dependencies"))

    static let containerSet: FieldTable = FieldTable(
        used(.list(.object({ .memberContainer })), "containers"), used(.list(.object({ .volumeMount })), "volumeMounts"),
        used(.object({ .containerSetRetry }), "retryStrategy"))
    static let containerSetRetry: FieldTable = FieldTable(used(.text, "duration"), used(.integerOrText, "retries"))

    static let environment: FieldTable = FieldTable(
        used(.text, "name", "value"), used(.object({ .environmentSource }), "valueFrom"))
    static let environmentSource: FieldTable = FieldTable(
        used(.object({ .keySelector }), "configMapKeyRef", "secretKeyRef"), used(.object({ .fieldReference }), "fieldRef"),
        used(.object({ .resourceReference }), "resourceFieldRef"),
        refused("variables from files are not supported in a local run", "fileKeyRef"))
    static let fieldReference: FieldTable = FieldTable(used(.text, "apiVersion", "fieldPath"))
    static let resourceReference: FieldTable = FieldTable(
        used(.text, "containerName", "resource"), used(.integerOrText, "divisor"))
    static let environmentFrom: FieldTable = FieldTable(
        used(.text, "prefix"), used(.object({ .objectReference }), "configMapRef", "secretRef"))
    static let objectReference: FieldTable = FieldTable(used(.text, "name"), used(.flag, "optional"))

    static let volumeMount: FieldTable = FieldTable(
        used(.text, "name", "mountPath", "subPath", "subPathExpr"), used(.flag, "readOnly"),
        unused("mounts are not passed on here", .text, "mountPropagation", "recursiveReadOnly"))

    /// Users and groups, as the API server takes them.
    private static let identifiers: ClosedRange<Int64> = 0...0x7FFF_FFFF

    static let port: FieldTable = FieldTable(
        used(.range(1...65535), "containerPort"), used(.range(0...65535), "hostPort"), used(.text, "name", "hostIP"),
        used(.choice(["", "TCP", "UDP", "SCTP"]), "protocol"))

    static let resources: FieldTable = FieldTable(
        used(.map(.quantity), "limits", "requests"), used(.list(.object({ .resourceClaim })), "claims"))
    static let resourceClaim: FieldTable = FieldTable(used(.text, "name", "request"))

    private static let confinement = "sandboxes here know nothing of it"

    static let containerSecurity: FieldTable = FieldTable(
        used(.range(identifiers), "runAsUser", "runAsGroup"),
        used(.flag, "runAsNonRoot", "privileged", "allowPrivilegeEscalation", "readOnlyRootFilesystem"),
        used(.object({ .capabilities }), "capabilities"),
        unused(
            confinement, .anything, "seccompProfile", "seLinuxOptions", "appArmorProfile", "procMount", "windowsOptions"))
    static let capabilities: FieldTable = FieldTable(used(.list(.text), "add", "drop"))

    static let podSecurity: FieldTable = FieldTable(
        used(.range(identifiers), "runAsUser", "runAsGroup", "fsGroup"), used(.flag, "runAsNonRoot"),
        used(.text, "fsGroupChangePolicy"),
        used(.list(.range(identifiers)), "supplementalGroups"),
        unused(
            confinement, .anything, "supplementalGroupsPolicy", "sysctls", "seccompProfile", "seLinuxOptions",
            "seLinuxChangePolicy", "appArmorProfile", "windowsOptions"))

    static let volume: FieldTable = FieldTable(
        used(.text, "name"), used(.object({ .emptyDirectory }), "emptyDir"), used(.object({ .hostPath }), "hostPath"),
        used(.object({ .secretVolume }), "secret"), used(.object({ .configMapVolume }), "configMap"),
        used(.object({ .claimVolume }), "persistentVolumeClaim"), used(.object({ .projectedVolume }), "projected"),
        used(.object({ .downwardVolume }), "downwardAPI"), used(.object({ .imageVolume }), "image"),
        refusedEvenEmpty(
            "volumes of this kind are not supported in a local run", "ephemeral", "csi",
            "nfs",
            "iscsi", "fc", "rbd", "cephfs", "cinder", "flexVolume", "flocker", "gitRepo", "glusterfs", "quobyte", "scaleIO",
            "storageos", "awsElasticBlockStore", "azureDisk", "azureFile", "gcePersistentDisk", "photonPersistentDisk",
            "portworxVolume", "vsphereVolume"))
    static let emptyDirectory: FieldTable = FieldTable(
        unused(limits, .text, "medium"), unused(limits, .quantity, "sizeLimit"))
    static let hostPath: FieldTable = FieldTable(used(.text, "path", "type"))
    static let secretVolume: FieldTable = FieldTable(
        used(.text, "secretName"), used(.list(.object({ .keyToPath })), "items"), used(.mode, "defaultMode"),
        used(.flag, "optional"))
    static let configMapVolume: FieldTable = FieldTable(
        used(.text, "name"), used(.list(.object({ .keyToPath })), "items"), used(.mode, "defaultMode"), used(.flag, "optional"))
    static let keyToPath: FieldTable = FieldTable(used(.text, "key", "path"), used(.mode, "mode"))
    static let imageVolume: FieldTable = FieldTable(used(.text, "reference", "pullPolicy"))
    static let downwardVolume: FieldTable = FieldTable(
        used(.mode, "defaultMode"), used(.list(.object({ .downwardItem })), "items"))
    static let downwardItem: FieldTable = FieldTable(
        used(.text, "path"), used(.mode, "mode"), used(.object({ .fieldReference }), "fieldRef"),
        used(.object({ .resourceReference }), "resourceFieldRef"))
    static let projectedVolume: FieldTable = FieldTable(
        used(.mode, "defaultMode"), used(.list(.object({ .projection })), "sources"))
    static let projection: FieldTable = FieldTable(
        used(.object({ .projectedObject }), "secret", "configMap"), used(.object({ .downwardVolume }), "downwardAPI"),
        unused(identity, .anything, "serviceAccountToken"),
        refusedEvenEmpty("sources of this kind are not supported in a local run", "clusterTrustBundle", "podCertificate"))
    static let projectedObject: FieldTable = FieldTable(
        used(.text, "name"), used(.list(.object({ .keyToPath })), "items"), used(.flag, "optional"))
    static let claimVolume: FieldTable = FieldTable(used(.text, "claimName"), used(.flag, "readOnly"))

    /// A claim becomes a folder; its spec is required and can be met by any.
    static let claimTemplate: FieldTable = FieldTable(
        used(.text, "apiVersion", "kind"), used(.object({ .metadata }), "metadata"), used(.anything, "spec", "status"))
}
