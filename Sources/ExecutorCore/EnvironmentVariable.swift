import Glibc

/// Every environment variable that the program reads, in one place (contract 01 §5). Deeper code gets values, never the environment.
package enum EnvironmentVariable: String, CaseIterable, Sendable {
    // Identity and control, set by the controller
    /// Name of the pod; required by every mode that reads the template.
    case podName = "ARGO_POD_NAME"
    /// Name of the workflow: label and owner reference of the task result.
    case workflowName = "ARGO_WORKFLOW_NAME"
    /// Uid of the workflow: owner reference of the task result.
    case workflowUID = "ARGO_WORKFLOW_UID"
    /// Instance id of the controller; empty for none.
    case instanceID = "ARGO_INSTANCE_ID"
    /// Name of the task result.
    case nodeID = "ARGO_NODE_ID"
    /// Name of the container, which names its folder in the run directory.
    case containerName = "ARGO_CONTAINER_NAME"
    /// The template as JSON, or the word `offloaded`.
    case template = "ARGO_TEMPLATE"
    /// File with a JSON array of further arguments of the user's command.
    case containerArgumentsFile = "ARGO_CONTAINER_ARGS_FILE"
    /// `true`: capture standard output and the result.
    case includeScriptOutput = "ARGO_INCLUDE_SCRIPT_OUTPUT"
    /// When the step must end, RFC 3339; Go's zero time for never.
    case deadline = "ARGO_DEADLINE"
    /// Seconds between SIGTERM and SIGKILL; 30 where unset or not positive.
    case gracePeriod = "ARGO_TERMINATION_GRACE_PERIOD_SECONDS"
    /// `true`: wait for the supervisor's status marker before starting the command.
    case waitForReady = "ARGO_WAIT_FOR_READY"
    /// `true` in the supervisor of an init-less pod.
    case initlessPod = "ARGO_INITLESS_POD"
    /// Comma-separated container names of artifact plugins to end.
    case artifactPluginNames = "ARGO_ARTIFACT_PLUGIN_NAMES"
    /// File in which the user's process tells its progress as `N/M`.
    case progressFile = "ARGO_PROGRESS_FILE"
    /// How often progress is reported, a Go duration.
    case progressPatchTick = "ARGO_PROGRESS_PATCH_TICK_DURATION"
    /// Zero switches progress off, a Go duration.
    case progressFileTick = "ARGO_PROGRESS_FILE_TICK_DURATION"

    // Tuning
    /// First delay of the executor's retries, a Go duration; default 1s.
    case retryDuration = "EXECUTOR_RETRY_BACKOFF_DURATION"
    /// Multiplier of the delay; default 1.6.
    case retryFactor = "EXECUTOR_RETRY_BACKOFF_FACTOR"
    /// Random share added to each delay; default 0.5.
    case retryJitter = "EXECUTOR_RETRY_BACKOFF_JITTER"
    /// Maximum number of attempts; default 5.
    case retrySteps = "EXECUTOR_RETRY_BACKOFF_STEPS"
    /// Poll period of a resource's conditions, a Go duration; default 5s. Every mode that reads the template checks it.
    case resourceStateCheckInterval = "RESOURCE_STATE_CHECK_INTERVAL"
    /// Regular expression (RE2): an error whose text it matches is transient.
    case transientErrorPattern = "TRANSIENT_ERROR_PATTERN"
    /// Parts of one file uploaded side by side; default 4.
    case s3UploadThreads = "ARTIFACT_S3_UPLOAD_THREADS"
    /// Part size in MiB, 5 to 5120.
    case s3UploadPartSize = "ARTIFACT_S3_UPLOAD_PART_SIZE_MIB"
    /// `true`: wait for the file `before` before the command starts.
    case pauseBefore = "ARGO_DEBUG_PAUSE_BEFORE"
    /// `true`: wait for the file `after` once the command has ended.
    case pauseAfter = "ARGO_DEBUG_PAUSE_AFTER"
    /// Parent span, handed to the user's process.
    case traceParent = "TRACEPARENT"
    /// Vendor part of the parent span, handed to the user's process.
    case traceState = "TRACESTATE"

    // The cluster and the network
    /// Host of the API server inside a cluster.
    case kubernetesHost = "KUBERNETES_SERVICE_HOST"
    /// Port of the API server inside a cluster.
    case kubernetesPort = "KUBERNETES_SERVICE_PORT"
    /// Namespace, before the service account's own.
    case podNamespace = "POD_NAMESPACE"
    /// Kubeconfig files, separated by colons.
    case kubeconfig = "KUBECONFIG"
    /// Home folder: the user's own kubeconfig and `.aws` are looked for there.
    case home = "HOME"
    /// Where programs are looked for.
    case path = "PATH"
    /// Proxy for https, in either case.
    case httpsProxy = "HTTPS_PROXY"
    case httpsProxyLower = "https_proxy"
    /// Proxy for http, in either case.
    case httpProxy = "HTTP_PROXY"
    case httpProxyLower = "http_proxy"
    /// Hosts reached without a proxy, in either case.
    case noProxy = "NO_PROXY"
    case noProxyLower = "no_proxy"
    /// File with trusted certificates, PEM.
    case sslCertFile = "SSL_CERT_FILE"
    /// Folders with trusted certificates, separated by colons.
    case sslCertDirectory = "SSL_CERT_DIR"

    // AWS: where credentials and the region come from where the location names none; with files below the home folder
    /// Access key, with its secret key; in either spelling.
    case awsAccessKeyID = "AWS_ACCESS_KEY_ID"
    case awsAccessKey = "AWS_ACCESS_KEY"
    case awsSecretAccessKey = "AWS_SECRET_ACCESS_KEY"
    case awsSecretKey = "AWS_SECRET_KEY"
    /// Session token that belongs to them.
    case awsSessionToken = "AWS_SESSION_TOKEN"
    /// Region, in either spelling.
    case awsRegion = "AWS_REGION"
    case awsDefaultRegion = "AWS_DEFAULT_REGION"
    /// Profile in the shared files, in either spelling; `default` where unset.
    case awsProfile = "AWS_PROFILE"
    case awsDefaultProfile = "AWS_DEFAULT_PROFILE"
    /// Shared files; by default those in the home folder.
    case awsConfigFile = "AWS_CONFIG_FILE"
    case awsSharedCredentialsFile = "AWS_SHARED_CREDENTIALS_FILE"
    /// File with a web identity token (IRSA), read anew at each refresh.
    case awsWebIdentityTokenFile = "AWS_WEB_IDENTITY_TOKEN_FILE"
    /// Role that the token is changed for, and the session's name.
    case awsRoleARN = "AWS_ROLE_ARN"
    case awsRoleSessionName = "AWS_ROLE_SESSION_NAME"
    /// Path of the container's credentials (ECS).
    case awsContainerCredentialsRelativeURI = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
    /// URL of the container's credentials (EKS pod identity).
    case awsContainerCredentialsFullURI = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
    /// What is sent there as `Authorization`, and a file that holds it, which wins.
    case awsContainerAuthorizationToken = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
    case awsContainerAuthorizationTokenFile = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
    /// `true`: do not ask the instance's metadata.
    case awsMetadataDisabled = "AWS_EC2_METADATA_DISABLED"
    /// `true`: ask it with a session token (IMDSv2) or not at all.
    case awsMetadataV1Disabled = "AWS_EC2_METADATA_V1_DISABLED"
    /// URL of the metadata service.
    case awsMetadataEndpoint = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
    /// `ipv6`: the metadata service's IPv6 address, where no URL is given.
    case awsMetadataEndpointMode = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"
    /// URL of the Security Token Service, and of all AWS services.
    case awsSTSEndpoint = "AWS_ENDPOINT_URL_STS"
    case awsEndpoint = "AWS_ENDPOINT_URL"
    /// `legacy`: the one global host of the Security Token Service, for the regions that it serves.
    case awsSTSRegionalEndpoints = "AWS_STS_REGIONAL_ENDPOINTS"

    // Our own, off by default
    /// Run directory; default `/var/run/argo`.
    case runDirectory = "ARGOEXEC_RUN_DIRECTORY"
    /// Termination log; default `/dev/termination-log`.
    case terminationLog = "ARGOEXEC_TERMINATION_LOG"
    /// File that takes the task result in place of the API server.
    case taskResultFile = "ARGOEXEC_TASK_RESULT_FILE"
    /// Folder that stands in for the store of the template's archive location.
    case localStore = "ARGOEXEC_LOCAL_STORE"
    /// Parts that one object may have at an S3 store, 1 to 10,000; default 10,000, some stores take 1,000.
    case s3MaximumParts = "ARGOEXEC_S3_MAX_PARTS"
    /// Folder beside the local store, on a file system that shares blocks: unpacked archives for those that load them next.
    case localCache = "ARGOEXEC_LOCAL_CACHE"
    /// `always`: what is loaded is compared with an MD5 that an S3 store tells at any size, and a mismatch is never explained away.
    case verifyDownloads = "ARGOEXEC_VERIFY_DOWNLOADS"
    /// How often a transfer says how far it is, a Go duration; default 10s.
    case transferReportInterval = "ARGOEXEC_TRANSFER_REPORT_INTERVAL"
    /// `true`: wait for the file `after` where the command failed.
    case pauseOnError = "ARGOEXEC_DEBUG_PAUSE_ON_ERROR"
    /// `true`: extraction restores modes and times of directories and extended attributes.
    case faithfulTrees = "ARGOEXEC_FAITHFUL_TREES"
    /// Most bytes that one archive may unpack to.
    case extractMaxBytes = "ARGOEXEC_EXTRACT_MAX_BYTES"
    /// Most entries that one archive may hold.
    case extractMaxEntries = "ARGOEXEC_EXTRACT_MAX_ENTRIES"
    /// Most bytes unpacked for each byte of the archive.
    case extractMaxRatio = "ARGOEXEC_EXTRACT_MAX_RATIO"

    /// Whether the variable is one of our own, which `init` hands on to the user's container by the settings file.
    package var isOwn: Bool { rawValue.hasPrefix("ARGOEXEC_") }
}

/// The environment as values: the process's own, or one made for a test.
package struct Environment: Sendable {
    private let values: [String: String]

    package init(_ values: [String: String]) { self.values = values }

    /// The process's environment as it stands now; a value that is not UTF-8 is repaired.
    package static func current() -> Environment {
        var values: [String: String] = [:]
        for variable in EnvironmentVariable.allCases {
            if let value = unsafe getenv(variable.rawValue) { values[variable.rawValue] = unsafe String(cString: value) }
        }
        return Environment(values)
    }

    package subscript(_ variable: EnvironmentVariable) -> String? { values[variable.rawValue] }

    /// The value, or nil where it is unset or empty.
    package func nonEmpty(_ variable: EnvironmentVariable) -> String? {
        guard let value = values[variable.rawValue], !value.isEmpty else { return nil }
        return value
    }

    /// Whether the value is exactly the word `true`.
    package func isTrue(_ variable: EnvironmentVariable) -> Bool { values[variable.rawValue] == "true" }

    /// The same environment with variables added where it has none.
    package func filledUp(with defaults: [String: String]) -> Environment {
        Environment(values.merging(defaults) { own, _ in own })
    }

    /// Those of our own variables that are set.
    package var own: [String: String] {
        values.filter { name, _ in EnvironmentVariable(rawValue: name)?.isOwn ?? false }
    }
}

/// The process's arguments as bytes.
package enum ProcessArguments {
    /// All words, the program's own name first. `CommandLine.arguments` would repair what is not UTF-8.
    package static func current() -> [BytePath] {
        var words: [BytePath] = []
        for index in 0..<Int(CommandLine.argc) {
            guard let word = unsafe CommandLine.unsafeArgv[index] else { break }
            let length = unsafe strlen(word)
            words.append(BytePath(bytes: (0..<length).map { unsafe UInt8(bitPattern: word[$0]) }))
        }
        return words
    }
}
