import Glibc

/// Every environment variable that the program reads, in one place (contract 01 §5). Deeper code gets values, never the environment.
/// What each of them does is in `EnvironmentVariable.description`, from which `docs/environment.md` is written.
package enum EnvironmentVariable: String, CaseIterable, Sendable {
    // Identity and control, set by the controller
    case podName = "ARGO_POD_NAME"
    case workflowName = "ARGO_WORKFLOW_NAME"
    case workflowUID = "ARGO_WORKFLOW_UID"
    case instanceID = "ARGO_INSTANCE_ID"
    case nodeID = "ARGO_NODE_ID"
    case containerName = "ARGO_CONTAINER_NAME"
    case template = "ARGO_TEMPLATE"
    case containerArgumentsFile = "ARGO_CONTAINER_ARGS_FILE"
    case includeScriptOutput = "ARGO_INCLUDE_SCRIPT_OUTPUT"
    case deadline = "ARGO_DEADLINE"
    case gracePeriod = "ARGO_TERMINATION_GRACE_PERIOD_SECONDS"
    case waitForReady = "ARGO_WAIT_FOR_READY"
    case initlessPod = "ARGO_INITLESS_POD"
    case artifactPluginNames = "ARGO_ARTIFACT_PLUGIN_NAMES"
    case artifactPodName = "ARGO_ARTIFACT_POD_NAME"
    case pluginAddresses = "ARGO_PLUGIN_ADDRESSES"
    case pluginNames = "ARGO_PLUGIN_NAMES"
    case agentPatchRate = "ARGO_AGENT_PATCH_RATE"
    case agentTaskWorkers = "ARGO_AGENT_TASK_WORKERS"
    case inputArtifactPluginNames = "ARGO_INPUT_ARTIFACT_PLUGIN_NAMES"
    case progressFile = "ARGO_PROGRESS_FILE"
    case progressPatchTick = "ARGO_PROGRESS_PATCH_TICK_DURATION"
    case progressFileTick = "ARGO_PROGRESS_FILE_TICK_DURATION"

    // Tuning
    case retryDuration = "EXECUTOR_RETRY_BACKOFF_DURATION"
    case retryFactor = "EXECUTOR_RETRY_BACKOFF_FACTOR"
    case retryJitter = "EXECUTOR_RETRY_BACKOFF_JITTER"
    case retrySteps = "EXECUTOR_RETRY_BACKOFF_STEPS"
    case defaultRetryDuration = "RETRY_BACKOFF_DURATION"
    case defaultRetryFactor = "RETRY_BACKOFF_FACTOR"
    case defaultRetrySteps = "RETRY_BACKOFF_STEPS"
    case resourceStateCheckInterval = "RESOURCE_STATE_CHECK_INTERVAL"
    case transientErrorPattern = "TRANSIENT_ERROR_PATTERN"
    case s3UploadThreads = "ARTIFACT_S3_UPLOAD_THREADS"
    case s3UploadPartSize = "ARTIFACT_S3_UPLOAD_PART_SIZE_MIB"
    case pauseBefore = "ARGO_DEBUG_PAUSE_BEFORE"
    case pauseAfter = "ARGO_DEBUG_PAUSE_AFTER"
    case traceParent = "TRACEPARENT"
    case traceState = "TRACESTATE"

    // The cluster and the network
    case kubernetesHost = "KUBERNETES_SERVICE_HOST"
    case kubernetesPort = "KUBERNETES_SERVICE_PORT"
    case podNamespace = "POD_NAMESPACE"
    case namespace = "ARGO_NAMESPACE"
    case kubeconfig = "KUBECONFIG"
    case home = "HOME"
    case path = "PATH"
    case httpsProxy = "HTTPS_PROXY"
    case httpsProxyLower = "https_proxy"
    case httpProxy = "HTTP_PROXY"
    case httpProxyLower = "http_proxy"
    case noProxy = "NO_PROXY"
    case noProxyLower = "no_proxy"
    case sshKnownHosts = "SSH_KNOWN_HOSTS"
    case sshAgent = "SSH_AUTH_SOCK"
    case sslCertFile = "SSL_CERT_FILE"
    case sslCertDirectory = "SSL_CERT_DIR"

    // AWS: where credentials and the region come from where the location names none; with files below the home folder
    case awsAccessKeyID = "AWS_ACCESS_KEY_ID"
    case awsAccessKey = "AWS_ACCESS_KEY"
    case awsSecretAccessKey = "AWS_SECRET_ACCESS_KEY"
    case awsSecretKey = "AWS_SECRET_KEY"
    case awsSessionToken = "AWS_SESSION_TOKEN"
    case awsRegion = "AWS_REGION"
    case awsDefaultRegion = "AWS_DEFAULT_REGION"
    case awsProfile = "AWS_PROFILE"
    case awsDefaultProfile = "AWS_DEFAULT_PROFILE"
    case awsConfigFile = "AWS_CONFIG_FILE"
    case awsSharedCredentialsFile = "AWS_SHARED_CREDENTIALS_FILE"
    case awsWebIdentityTokenFile = "AWS_WEB_IDENTITY_TOKEN_FILE"
    case awsRoleARN = "AWS_ROLE_ARN"
    case awsRoleSessionName = "AWS_ROLE_SESSION_NAME"
    case awsContainerCredentialsRelativeURI = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
    case awsContainerCredentialsFullURI = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
    case awsContainerAuthorizationToken = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
    case awsContainerAuthorizationTokenFile = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
    case awsMetadataDisabled = "AWS_EC2_METADATA_DISABLED"
    case awsMetadataV1Disabled = "AWS_EC2_METADATA_V1_DISABLED"
    case awsMetadataEndpoint = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
    case awsMetadataEndpointMode = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"
    case awsSTSEndpoint = "AWS_ENDPOINT_URL_STS"
    case awsEndpoint = "AWS_ENDPOINT_URL"
    case awsSTSRegionalEndpoints = "AWS_STS_REGIONAL_ENDPOINTS"

    // Google Cloud: where tokens come from where the location names none
    case googleApplicationCredentials = "GOOGLE_APPLICATION_CREDENTIALS"
    case cloudSDKConfig = "CLOUDSDK_CONFIG"
    case gceMetadataHost = "GCE_METADATA_HOST"
    case storageEmulatorHost = "STORAGE_EMULATOR_HOST"

    // OpenTelemetry: where traces go. The variable for traces alone wins over that for all signals.
    case otlpEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"
    case otlpTracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
    case otlpProtocol = "OTEL_EXPORTER_OTLP_PROTOCOL"
    case otlpTracesProtocol = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
    case otlpHeaders = "OTEL_EXPORTER_OTLP_HEADERS"
    case otlpTracesHeaders = "OTEL_EXPORTER_OTLP_TRACES_HEADERS"
    case otlpTimeout = "OTEL_EXPORTER_OTLP_TIMEOUT"
    case otlpTracesTimeout = "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT"
    case otlpCompression = "OTEL_EXPORTER_OTLP_COMPRESSION"
    case otlpTracesCompression = "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION"
    case otlpInsecure = "OTEL_EXPORTER_OTLP_INSECURE"
    case otlpTracesInsecure = "OTEL_EXPORTER_OTLP_TRACES_INSECURE"
    case otlpCertificate = "OTEL_EXPORTER_OTLP_CERTIFICATE"
    case otlpTracesCertificate = "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE"
    case otlpClientCertificate = "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"
    case otlpTracesClientCertificate = "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE"
    case otlpClientKey = "OTEL_EXPORTER_OTLP_CLIENT_KEY"
    case otlpTracesClientKey = "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY"
    case otelDisabled = "OTEL_SDK_DISABLED"
    case otelTracesExporter = "OTEL_TRACES_EXPORTER"
    case otelTracesSampler = "OTEL_TRACES_SAMPLER"
    case otelTracesSamplerArgument = "OTEL_TRACES_SAMPLER_ARG"
    case otelServiceName = "OTEL_SERVICE_NAME"
    case otelResourceAttributes = "OTEL_RESOURCE_ATTRIBUTES"
    case otelValueLength = "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"
    case otelSpanValueLength = "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT"
    case otelAttributeCount = "OTEL_ATTRIBUTE_COUNT_LIMIT"
    case otelSpanAttributeCount = "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT"
    case otelSpanEventCount = "OTEL_SPAN_EVENT_COUNT_LIMIT"
    case otelScheduleDelay = "OTEL_BSP_SCHEDULE_DELAY"
    case otelExportTimeout = "OTEL_BSP_EXPORT_TIMEOUT"
    case otelQueueSize = "OTEL_BSP_MAX_QUEUE_SIZE"
    case otelBatchSize = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"

    // Our own, off by default
    case runDirectory = "ARGOEXEC_RUN_DIRECTORY"
    case terminationLog = "ARGOEXEC_TERMINATION_LOG"
    case taskResultFile = "ARGOEXEC_TASK_RESULT_FILE"
    case localStore = "ARGOEXEC_LOCAL_STORE"
    case s3MaximumParts = "ARGOEXEC_S3_MAX_PARTS"
    case localCache = "ARGOEXEC_LOCAL_CACHE"
    case verifyDownloads = "ARGOEXEC_VERIFY_DOWNLOADS"
    case pluginWait = "ARGOEXEC_PLUGIN_WAIT"
    case transferReportInterval = "ARGOEXEC_TRANSFER_REPORT_INTERVAL"
    case pauseOnError = "ARGOEXEC_DEBUG_PAUSE_ON_ERROR"
    case faithfulTrees = "ARGOEXEC_FAITHFUL_TREES"
    case extractMaxBytes = "ARGOEXEC_EXTRACT_MAX_BYTES"
    case extractMaxEntries = "ARGOEXEC_EXTRACT_MAX_ENTRIES"
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
