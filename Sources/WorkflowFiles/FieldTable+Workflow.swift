/// Workflows, templates, steps and tasks.
extension FieldTable {
    static let workflow: FieldTable = FieldTable(
        used(.text, "apiVersion", "kind"), used(.object({ .metadata }), "metadata"), used(.object({ .workflowSpec }), "spec"),
        used(.anything, "status"))

    static let cronWorkflow: FieldTable = FieldTable(
        used(.text, "apiVersion", "kind"), used(.object({ .metadata }), "metadata"),
        used(.object({ .cronWorkflowSpec }), "spec"),
        used(.anything, "status"))

    /// What the API server adds to an object means nothing to a run.
    static let metadata: FieldTable = FieldTable(
        used(.text, "name", "generateName", "namespace"), used(.map(.text), "labels", "annotations"),
        used(
            .anything, "uid", "creationTimestamp", "resourceVersion", "generation", "managedFields", "ownerReferences",
            "finalizers", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"))

    /// A local run is one run, now: when others would have begun makes no difference to it.
    static let cronWorkflowSpec: FieldTable = FieldTable(
        used(.object({ .workflowSpec }), "workflowSpec"), used(.object({ .cronMetadata }), "workflowMetadata"),
        used(
            .anything, "schedules", "schedule", "timezone", "suspend", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"),
        used(.choice(["Allow", "Forbid", "Replace"]), "concurrencyPolicy"),
        used(.range(0...Int64.max), "startingDeadlineSeconds"),
        unused("it only decides about a schedule", .anything, "stopStrategy", "when"))

    static let cronMetadata: FieldTable = FieldTable(
        used(.map(.text), "labels", "annotations"), used(.anything, "finalizers"),
        used(.text, "name", "generateName", "namespace"))

    static let workflowMetadata: FieldTable = FieldTable(
        used(.map(.text), "labels", "annotations"), used(.map(.object({ .expressionSource })), "labelsFrom"))
    static let expressionSource: FieldTable = FieldTable(used(.text, "expression"))

    static let workflowTemplateReference: FieldTable = FieldTable(used(.text, "name"), used(.flag, "clusterScope"))

    static let workflowSpec: FieldTable = FieldTable(
        used(.list(.object({ .template })), "templates"), used(.object({ .template }), "templateDefaults"),
        used(.text, "entrypoint"),
        used(.object({ .arguments }), "arguments"), used(.list(.object({ .volume })), "volumes"),
        used(.list(.object({ .claimTemplate })), "volumeClaimTemplates"), used(.integer, "activeDeadlineSeconds"),
        used(.object({ .workflowTemplateReference }), "workflowTemplateRef"), used(.object({ .podMetadata }), "podMetadata"),
        used(.object({ .workflowMetadata }), "workflowMetadata"), used(.flag, "archiveLogs"),
        used(.object({ .podSecurity }), "securityContext"),
        unused(identity, .text, "serviceAccountName"), unused(identity, .flag, "automountServiceAccountToken"),
        unused(identity, .anything, "executor"),
        unused(
            "artifacts go to the local store, or to the repository given by --artifact-repository", .anything,
            "artifactRepositoryRef"),
        unused(placement, .map(.text), "nodeSelector"), unused(placement, .anything, "affinity", "tolerations"),
        unused(placement, .integer, "priority"), unused(placement, .text, "schedulerName", "podPriorityClassName"),
        unused(network, .anything, "dnsPolicy", "dnsConfig"), used(.anything, "imagePullSecrets", "hostAliases"),
        used(.flag, "hostNetwork"),
        unused(limits, .anything, "podResources", "resourceClaims"), unused(placement, .anything, "podDisruptionBudget"),
        unused(observation, .anything, "metrics"),
        unused(retention, .anything, "ttlStrategy", "volumeClaimGC"), unused(retention, .object({ .podGC }), "podGC"),
        unused(retention, .object({ .artifactGC }), "artifactGC"),
        used(.range(1...Int64.max), "parallelism"), used(.text, "onExit"), used(.map(.object({ .hook })), "hooks"),
        used(.object({ .retryStrategy }), "retryStrategy"), used(.object({ .synchronization }), "synchronization"),
        used(.text, "podSpecPatch"),
        refused("executor plugins are not supported in a local run", "executorPlugins"),
        refused("a suspended workflow does not begin; remove this field to run it", "suspend"),
        refused("a workflow that is shut down does not run; remove this field to run it", "shutdown"))

    static let template: FieldTable = FieldTable(
        used(.text, "name"), used(.object({ .inputs }), "inputs"), used(.object({ .outputs }), "outputs"),
        used(.object({ .podMetadata }), "metadata"), used(.map(.text), "annotations"),
        used(.list(.list(.object({ .step }))), "steps"), used(.object({ .dag }), "dag"),
        used(.object({ .container }), "container"),
        used(.object({ .containerSet }), "containerSet"), used(.object({ .script }), "script"),
        used(.object({ .suspend }), "suspend"),
        used(.list(.object({ .volume })), "volumes"), used(.list(.object({ .userContainer })), "initContainers", "sidecars"),
        used(.object({ .artifactLocation }), "archiveLocation"), used(.integerOrText, "activeDeadlineSeconds"),
        used(.text, "timeout"), used(.object({ .podSecurity }), "securityContext"),
        unused("pods never wait for a place here", .text, "pendingTimeout"),
        used(.flag, "failFast", "daemon"), used(.range(1...Int64.max), "parallelism"),
        used(.object({ .retryStrategy }), "retryStrategy"), used(.object({ .synchronization }), "synchronization"),
        used(.object({ .memoize }), "memoize"),
        unused(placement, .map(.text), "nodeSelector"), unused(placement, .anything, "affinity", "tolerations"),
        unused(placement, .text, "schedulerName", "priorityClassName"),
        unused(identity, .text, "serviceAccountName"), unused(identity, .flag, "automountServiceAccountToken"),
        unused(identity, .anything, "executor"), used(.anything, "hostAliases"),
        unused(limits, .anything, "podResources", "resourceClaims"), unused(observation, .anything, "metrics"),
        refusedEvenEmpty("templates of this type are not supported in a local run", "resource", "data", "http", "plugin"),
        used(.text, "podSpecPatch"))

    static let podMetadata: FieldTable = FieldTable(used(.map(.text), "labels", "annotations"))

    static let templateReference: FieldTable = FieldTable(used(.text, "name", "template"), used(.flag, "clusterScope"))

    private static let call = [
        used(.text, "name", "template"), used(.object({ .templateReference }), "templateRef"),
        used(.object({ .template }), "inline"),
        used(.object({ .arguments }), "arguments"),
        used(.list(.anything), "withItems"), used(.text, "withParam", "when", "onExit"),
        used(.object({ .sequence }), "withSequence"), used(.object({ .continueOn }), "continueOn"),
        used(.map(.object({ .hook })), "hooks"),
    ].flatMap { $0 }

    static let sequence: FieldTable = FieldTable(used(.integerOrText, "count", "start", "end"), used(.text, "format"))

    static let continueOn: FieldTable = FieldTable(used(.flag, "error", "failed"))

    static let hook: FieldTable = FieldTable(
        used(.text, "template", "expression"), used(.object({ .templateReference }), "templateRef"),
        used(.object({ .arguments }), "arguments"))

    static let retryStrategy: FieldTable = FieldTable(
        used(.integerOrText, "limit"), used(.text, "expression"), used(.object({ .backoff }), "backoff"),
        used(.choice(["", "Always", "OnFailure", "OnError", "OnTransientError"]), "retryPolicy"),
        unused(placement, .anything, "affinity"))
    static let backoff: FieldTable = FieldTable(
        used(.text, "duration", "maxDuration", "cap"), used(.integerOrText, "factor"))

    private static let database = "locks in a database are not supported in a local run"
    static let synchronization: FieldTable = FieldTable(
        used(.object({ .mutex }), "mutex"), used(.list(.object({ .mutex })), "mutexes"),
        used(.object({ .semaphore }), "semaphore"), used(.list(.object({ .semaphore })), "semaphores"))
    static let mutex: FieldTable = FieldTable(used(.text, "name", "namespace"), refused(database, "database"))
    static let semaphore: FieldTable = FieldTable(
        used(.object({ .keySelector }), "configMapKeyRef"), used(.text, "namespace"), refusedEvenEmpty(database, "database"))

    static let memoize: FieldTable = FieldTable(used(.text, "key", "maxAge"), used(.object({ .memoizeCache }), "cache"))
    static let memoizeCache: FieldTable = FieldTable(used(.object({ .keySelector }), "configMap"))

    static let step: FieldTable = FieldTable(call)

    static let task: FieldTable = FieldTable(call, used(.list(.text), "dependencies"), used(.text, "depends"))

    static let dag: FieldTable = FieldTable(
        used(.text, "target"), used(.boundedList(.object({ .task }), 200), "tasks"), used(.flag, "failFast"))

    static let suspend: FieldTable = FieldTable(used(.text, "duration"))

    static let inputs: FieldTable = FieldTable(
        used(.boundedList(.object({ .parameter }), 500), "parameters"), used(.list(.object({ .artifact })), "artifacts"))

    static let arguments: FieldTable = FieldTable(
        used(.list(.object({ .parameter })), "parameters"), used(.list(.object({ .artifact })), "artifacts"))

    static let podGC: FieldTable = FieldTable(
        used(
            .choice(["", "OnPodCompletion", "OnPodSuccess", "OnWorkflowCompletion", "OnWorkflowSuccess"]), "strategy"),
        used(.text, "deleteDelayDuration"), used(.anything, "labelSelector"))

    static let outputs: FieldTable = FieldTable(
        used(.list(.object({ .parameter })), "parameters"), used(.list(.object({ .artifact })), "artifacts"),
        used(.text, "result", "exitCode"))

    static let parameter: FieldTable = FieldTable(
        used(.text, "name", "globalName"), used(.looseText, "value", "default", "description"),
        used(.filledList(.looseText), "enum"),
        used(.object({ .parameterSource }), "valueFrom"))

    static let parameterSource: FieldTable = FieldTable(
        used(.text, "path", "parameter"), used(.looseText, "default"), used(.anything, "supplied"),
        used(.object({ .keySelector }), "configMapKeyRef"),
        refused("values from resources are not supported in a local run", "jsonPath", "jqFilter"),
        refused("values from events are not supported in a local run", "event"), used(.text, "expression"))

    static let keySelector: FieldTable = FieldTable(used(.text, "name", "key"), used(.flag, "optional"))
}
