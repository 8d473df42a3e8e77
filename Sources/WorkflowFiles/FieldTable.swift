/// What a local run makes of a field.
enum FieldUse: Sendable, Equatable {
    /// It has its meaning here too, or none that could show in a run.
    case used
    /// It has no effect here, and that cannot change what the steps bring forth: where pods run, what they may consume.
    case unused(String)
    /// It would change which steps run or what they bring forth, and we cannot do it.
    case refused(String)
}

/// What kind of value a field holds.
indirect enum FieldShape: Sendable {
    case text
    /// A text that may be written as number or truth value.
    case looseText
    case integer
    case flag
    case integerOrText
    /// An integer within bounds.
    case range(ClosedRange<Int64>)
    /// Permissions of a file: 0 to 0777.
    case mode
    /// One of a few texts.
    case choice([String])
    /// An amount in Kubernetes' notation (`500m`, `1.5Gi`), as text or number.
    case quantity
    case anything
    case object(FieldTable.Name)
    case list(FieldShape)
    /// A list with at least one element.
    case filledList(FieldShape)
    /// A list that the API server limits in length; the controller does not.
    case boundedList(FieldShape, Int)
    case map(FieldShape)
}

struct FieldRule: Sendable {
    let name: String
    let shape: FieldShape
    let use: FieldUse
    /// Whether an empty mapping says something, so that it is not as good as absent.
    var emptyMappingCounts = false
}

/// Every field of one type of the CRDs, and what becomes of it in a local run.
struct FieldTable: Sendable {
    /// The types, so that tables can refer to each other.
    enum Name: Sendable {
        case workflow, cronWorkflow, metadata, workflowSpec, cronWorkflowSpec, workflowMetadata
        case cronMetadata, workflowTemplateReference, template, podMetadata, templateReference
        case podGC, artifactGC, port, resources, resourceClaim
        case inputs, outputs, arguments, parameter, parameterSource, keySelector
        case artifact, archiveStrategy, tarStrategy, artifactLocation, s3, s3Bucket, s3Encryption, git, http, header, httpAuth
        case basicAuth, clientCertificate, oauth2, oauth2Parameter, artifactory, hdfs, raw, oss, ossLifecycle, gcs, azure,
            plugin
        case step, dag, task, suspend, containerSet, containerSetRetry, memberContainer, script, container, userContainer
        case environment, environmentSource, fieldReference, resourceReference, environmentFrom, objectReference
        case volumeMount, containerSecurity, podSecurity, capabilities
        case projectedVolume, projectedObject, projection, downwardVolume, downwardItem, imageVolume
        case volume, emptyDirectory, hostPath, secretVolume, configMapVolume, keyToPath, claimVolume, claimTemplate
    }

    let rules: [String: FieldRule]

    init(_ groups: [FieldRule]...) {
        var rules: [String: FieldRule] = [:]
        for rule in groups.joined() { rules[rule.name] = rule }
        self.rules = rules
    }

    /// Fields that are used, all of one shape.
    static func used(_ shape: FieldShape, _ names: String...) -> [FieldRule] {
        names.map { FieldRule(name: $0, shape: shape, use: .used) }
    }

    /// Fields without effect, and why.
    static func unused(_ reason: String, _ shape: FieldShape = .anything, _ names: String...) -> [FieldRule] {
        names.map { FieldRule(name: $0, shape: shape, use: .unused(reason)) }
    }

    /// Fields that cannot be left out of account, and what they would do.
    static func refused(_ reason: String, _ names: String...) -> [FieldRule] {
        names.map { FieldRule(name: $0, shape: .anything, use: .refused(reason)) }
    }

    /// Fields that cannot be left out of account even when they are empty mappings, which have a meaning.
    static func refusedEvenEmpty(_ reason: String, _ names: String...) -> [FieldRule] {
        names.map { FieldRule(name: $0, shape: .anything, use: .refused(reason), emptyMappingCounts: true) }
    }

    static let placement = "pods are not placed on nodes here"
    static let identity = "there are no service accounts here"
    static let limits = "resources are not limited here"
    static let network = "the network is this machine's own"
    static let observation = "metrics are not collected here"
    static let retention = "nothing is deleted after a local run"

    static subscript(name: Name) -> FieldTable {
        switch name {
        case .workflow: workflow
        case .cronWorkflow: cronWorkflow
        case .metadata: metadata
        case .workflowSpec: workflowSpec
        case .cronWorkflowSpec: cronWorkflowSpec
        case .workflowMetadata: workflowMetadata
        case .cronMetadata: cronMetadata
        case .workflowTemplateReference: workflowTemplateReference
        case .template: template
        case .podMetadata: podMetadata
        case .templateReference: templateReference
        case .podGC: podGC
        case .artifactGC: artifactGC
        case .port: port
        case .resources: resources
        case .resourceClaim: resourceClaim
        case .inputs: inputs
        case .outputs: outputs
        case .arguments: arguments
        case .parameter: parameter
        case .parameterSource: parameterSource
        case .keySelector: keySelector
        case .artifact: artifact
        case .archiveStrategy: archiveStrategy
        case .tarStrategy: tarStrategy
        case .artifactLocation: artifactLocation
        case .s3: s3
        case .s3Bucket: s3Bucket
        case .s3Encryption: s3Encryption
        case .git: git
        case .http: http
        case .header: header
        case .httpAuth: httpAuth
        case .basicAuth: basicAuth
        case .clientCertificate: clientCertificate
        case .oauth2: oauth2
        case .oauth2Parameter: oauth2Parameter
        case .artifactory: artifactory
        case .hdfs: hdfs
        case .raw: raw
        case .oss: oss
        case .ossLifecycle: ossLifecycle
        case .gcs: gcs
        case .azure: azure
        case .plugin: plugin
        case .step: step
        case .dag: dag
        case .task: task
        case .suspend: suspend
        case .containerSet: containerSet
        case .containerSetRetry: containerSetRetry
        case .memberContainer: memberContainer
        case .script: script
        case .container: container
        case .userContainer: userContainer
        case .environment: environment
        case .environmentSource: environmentSource
        case .fieldReference: fieldReference
        case .resourceReference: resourceReference
        case .environmentFrom: environmentFrom
        case .objectReference: objectReference
        case .volumeMount: volumeMount
        case .containerSecurity: containerSecurity
        case .podSecurity: podSecurity
        case .capabilities: capabilities
        case .projectedVolume: projectedVolume
        case .projectedObject: projectedObject
        case .projection: projection
        case .downwardVolume: downwardVolume
        case .downwardItem: downwardItem
        case .imageVolume: imageVolume
        case .volume: volume
        case .emptyDirectory: emptyDirectory
        case .hostPath: hostPath
        case .secretVolume: secretVolume
        case .configMapVolume: configMapVolume
        case .keyToPath: keyToPath
        case .claimVolume: claimVolume
        case .claimTemplate: claimTemplate
        }
    }
}
