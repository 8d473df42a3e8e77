/// Containers and the volumes they mount.
extension FieldTable {
    private static let containerFields = [
        used(.text, "name", "image", "workingDir"), used(.list(.text), "command", "args"),
        used(.list(.object(.environment)), "env"), used(.list(.object(.environmentFrom)), "envFrom"),
        used(.list(.object(.volumeMount)), "volumeMounts"), used(.object(.containerSecurity), "securityContext"),
        unused(limits, .anything, "resources", "resizePolicy"), unused(network, .anything, "ports"),
        unused("no images are pulled here", .text, "imagePullPolicy"),
        unused("containers are not probed here", .anything, "livenessProbe", "readinessProbe", "startupProbe"),
        unused("standard input is empty and no terminal", .flag, "stdin", "stdinOnce", "tty"),
        unused("the termination message has one place here", .text, "terminationMessagePath", "terminationMessagePolicy"),
        refused("life cycle handlers of containers are not supported in a local run", "lifecycle"),
        refused("restarts of containers are not supported in a local run", "restartPolicy", "restartPolicyRules"),
        refused("block devices are not supported in a local run", "volumeDevices"),
    ].flatMap { $0 }

    static let container = FieldTable(containerFields)

    static let script = FieldTable(containerFields, used(.text, "source"))

    static let userContainer = FieldTable(containerFields, used(.flag, "mirrorVolumeMounts"))

    static let memberContainer = FieldTable(containerFields, used(.list(.text), "dependencies"))

    static let containerSet = FieldTable(
        used(.list(.object(.memberContainer)), "containers"), used(.list(.object(.volumeMount)), "volumeMounts"),
        used(.object(.containerSetRetry), "retryStrategy"))
    static let containerSetRetry = FieldTable(used(.text, "duration"), used(.integerOrText, "retries"))

    static let environment = FieldTable(used(.text, "name", "value"), used(.object(.environmentSource), "valueFrom"))
    static let environmentSource = FieldTable(
        used(.object(.keySelector), "configMapKeyRef", "secretKeyRef"), used(.object(.fieldReference), "fieldRef"),
        used(.object(.resourceReference), "resourceFieldRef"),
        refused("variables from files are not supported in a local run", "fileKeyRef"))
    static let fieldReference = FieldTable(used(.text, "apiVersion", "fieldPath"))
    static let resourceReference = FieldTable(used(.text, "containerName", "resource"), used(.integerOrText, "divisor"))
    static let environmentFrom = FieldTable(
        used(.text, "prefix"), used(.object(.objectReference), "configMapRef", "secretRef"))
    static let objectReference = FieldTable(used(.text, "name"), used(.flag, "optional"))

    static let volumeMount = FieldTable(
        used(.text, "name", "mountPath", "subPath", "subPathExpr"), used(.flag, "readOnly"),
        unused("mounts are not passed on here", .text, "mountPropagation", "recursiveReadOnly"))

    private static let confinement = "every container runs in the same sandbox here"

    static let containerSecurity = FieldTable(
        used(.integer, "runAsUser", "runAsGroup"), used(.flag, "runAsNonRoot"),
        unused(
            confinement, .anything, "privileged", "allowPrivilegeEscalation", "readOnlyRootFilesystem", "capabilities",
            "seccompProfile", "seLinuxOptions", "appArmorProfile", "procMount", "windowsOptions"))

    static let podSecurity = FieldTable(
        used(.integer, "runAsUser", "runAsGroup"), used(.flag, "runAsNonRoot"),
        unused(
            confinement, .anything, "fsGroup", "fsGroupChangePolicy", "supplementalGroups", "supplementalGroupsPolicy",
            "sysctls",
            "seccompProfile", "seLinuxOptions", "seLinuxChangePolicy", "appArmorProfile", "windowsOptions"))

    static let volume = FieldTable(
        used(.text, "name"), used(.object(.emptyDirectory), "emptyDir"), used(.object(.hostPath), "hostPath"),
        used(.object(.secretVolume), "secret"), used(.object(.configMapVolume), "configMap"),
        used(.object(.claimVolume), "persistentVolumeClaim"),
        refused(
            "volumes of this kind are not supported in a local run", "projected", "downwardAPI", "image", "ephemeral", "csi",
            "nfs",
            "iscsi", "fc", "rbd", "cephfs", "cinder", "flexVolume", "flocker", "gitRepo", "glusterfs", "quobyte", "scaleIO",
            "storageos", "awsElasticBlockStore", "azureDisk", "azureFile", "gcePersistentDisk", "photonPersistentDisk",
            "portworxVolume", "vsphereVolume"))
    static let emptyDirectory = FieldTable(unused(limits, .anything, "medium", "sizeLimit"))
    static let hostPath = FieldTable(used(.text, "path", "type"))
    static let secretVolume = FieldTable(
        used(.text, "secretName"), used(.list(.object(.keyToPath)), "items"), used(.integer, "defaultMode"),
        used(.flag, "optional"))
    static let configMapVolume = FieldTable(
        used(.text, "name"), used(.list(.object(.keyToPath)), "items"), used(.integer, "defaultMode"), used(.flag, "optional"))
    static let keyToPath = FieldTable(used(.text, "key", "path"), used(.integer, "mode"))
    static let claimVolume = FieldTable(used(.text, "claimName"), used(.flag, "readOnly"))

    /// A claim becomes a folder; its spec is required and can be met by any.
    static let claimTemplate = FieldTable(
        used(.text, "apiVersion", "kind"), used(.object(.metadata), "metadata"), used(.anything, "spec", "status"))
}
