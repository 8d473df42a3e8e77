/// What one environment variable does, in Markdown, for `docs/environment.md`.
package struct VariableDescription: Sendable, Equatable {
    /// Where a variable stands in the page.
    package enum Group: Sendable, CaseIterable {
        case controller, settings, network, amazon, google, telemetry, own
    }

    package let group: Group
    /// The value where the variable is unset; empty where there is none.
    package let fallback: String
    package let effect: String

    fileprivate init(_ group: Group, _ effect: String, default fallback: String = "") {
        self.group = group
        self.fallback = fallback
        self.effect = effect
    }
}

extension EnvironmentVariable {
    /// What the variable does. Variables that differ in spelling alone share one description, and one row of the page.
    package var description: VariableDescription {
        switch self {
        case .podName: .init(.controller, "name of the pod; required by `init` and `wait`")
        case .workflowName: .init(.controller, "name of the workflow: label and owner of the task result")
        case .workflowUID: .init(.controller, "UID of the workflow: owner of the task result")
        case .instanceID: .init(.controller, "instance ID of the controller, which finds its own task results by this label")
        case .nodeID: .init(.controller, "name of the task result")
        case .containerName:
            .init(.controller, "name of the container and of its folder below `/var/run/argo/ctr`; `main` has the outputs")
        case .template: .init(.controller, "the template as JSON, or `offloaded` for the file `/argo/config/ARGO_TEMPLATE`")
        case .containerArgumentsFile: .init(.controller, "file with further arguments of the command: a JSON array of strings")
        case .includeScriptOutput: .init(.controller, "`true`: standard output becomes the step's result")
        case .deadline: .init(.controller, "when the step must end, RFC 3339; `0001-01-01T00:00:00Z` means never")
        case .gracePeriod: .init(.controller, "seconds between SIGTERM and SIGKILL", default: "`30`")
        case .waitForReady:
            .init(.controller, "`true`: start the command when the supervisor reports that its inputs are ready")
        case .initlessPod: .init(.controller, "`true` in the supervisor of a pod without init container")
        case .artifactPluginNames:
            .init(.controller, "containers of artifact plugins that end with the step, separated by commas")
        case .artifactPodName:
            .init(.controller, "label of the tasks that `artifact delete` works through; without it there is nothing to delete")
        case .pluginAddresses: .init(.controller, "addresses of the agent's executor plugins, a JSON array of strings")
        case .pluginNames:
            .init(.controller, "names of the agent's executor plugins, a JSON array of strings in the order of their addresses")
        case .agentPatchRate: .init(.controller, "how often the agent reports results", default: "`10s`")
        case .agentTaskWorkers: .init(.controller, "how many tasks the agent works on at a time", default: "`16`")
        case .inputArtifactPluginNames:
            .init(.controller, "artifact plugins that the supervisor loads inputs from, separated by commas")
        case .progressFile: .init(.controller, "file in which the command reports its progress as `N/M`")
        case .progressPatchTick: .init(.controller, "how often progress is reported; `0` turns it off")
        case .progressFileTick: .init(.controller, "`0` turns the reporting of progress off")
        case .traceParent: .init(.controller, "trace context (W3C), handed on to the command")
        case .traceState: .init(.controller, "vendor part of the trace context, handed on to the command")

        case .retryDuration:
            .init(.settings, "pause after the first failed attempt of a transfer or an API call", default: "`1s`")
        case .retryFactor: .init(.settings, "factor by which the pause grows from attempt to attempt", default: "`1.6`")
        case .retryJitter: .init(.settings, "random share that is added to each pause", default: "`0.5`")
        case .retrySteps: .init(.settings, "how many attempts are made", default: "`5`")
        case .defaultRetryDuration:
            .init(
                .settings, "pause after the first failed attempt to read a secret in the agent, or to delete an artifact",
                default: "`10ms`")
        case .defaultRetryFactor: .init(.settings, "factor by which that pause grows", default: "`2`")
        case .defaultRetrySteps: .init(.settings, "how many of these attempts are made", default: "`5`")
        case .transientErrorPattern:
            .init(.settings, "regular expression (RE2); an error whose text it matches is worth another attempt")
        case .s3UploadThreads: .init(.settings, "how many parts of one file are uploaded at a time", default: "`4`")
        case .s3UploadPartSize:
            .init(
                .settings, "size of a part in MiB, 5 to 5120; ignored where it exceeds the file", default: "by the file's size")
        case .pauseBefore:
            .init(.settings, "`true`: wait for the file `before` in the container's folder before the command starts")
        case .pauseAfter:
            .init(.settings, "`true`: wait for the file `after` in the container's folder when the command has ended")
        case .resourceStateCheckInterval:
            .init(
                .settings, "how often a resource template's conditions are checked; must be a duration where set",
                default: "`5s`")

        case .kubernetesHost: .init(.network, "host of the API server inside a cluster, set by the kubelet")
        case .kubernetesPort: .init(.network, "port of the API server inside a cluster, set by the kubelet")
        case .podNamespace: .init(.network, "namespace of task results", default: "the service account's")
        case .namespace: .init(.network, "namespace of `artifact delete`'s tasks, before all other settings")
        case .kubeconfig: .init(.network, "kubeconfig files, separated by colons", default: "`~/.kube/config`")
        case .home: .init(.network, "home folder, in which `.kube/config`, `.aws` and `.ssh/known_hosts` are looked for")
        case .sshKnownHosts:
            .init(
                .network, "files of the host keys that git trusts over ssh, separated by colons",
                default: "`~/.ssh/known_hosts` and `/etc/ssh/ssh_known_hosts`")
        case .sshAgent: .init(.network, "socket of the ssh agent that git asks where a location names no key")
        case .path: .init(.network, "folders in which programs are looked for")
        case .httpsProxy, .httpsProxyLower: .init(.network, "proxy for `https` URLs")
        case .httpProxy, .httpProxyLower: .init(.network, "proxy for `http` URLs")
        case .noProxy, .noProxyLower: .init(.network, "hosts that are reached without a proxy, separated by commas")
        case .sslCertFile: .init(.network, "file with trusted certificates, PEM", default: "the system's")
        case .sslCertDirectory:
            .init(.network, "folders with trusted certificates, separated by colons", default: "the system's")

        case .awsAccessKeyID, .awsAccessKey: .init(.amazon, "access key")
        case .awsSecretAccessKey, .awsSecretKey: .init(.amazon, "secret key that belongs to the access key")
        case .awsSessionToken: .init(.amazon, "session token that belongs to the keys")
        case .awsRegion, .awsDefaultRegion:
            .init(.amazon, "region of the token service where the location names none", default: "the profile's")
        case .awsProfile, .awsDefaultProfile:
            .init(
                .amazon, "profile in the shared files: keys, a role, a token file or a `credential_process`",
                default: "`default`")
        case .awsConfigFile: .init(.amazon, "shared configuration file", default: "`~/.aws/config`")
        case .awsSharedCredentialsFile: .init(.amazon, "shared credentials file", default: "`~/.aws/credentials`")
        case .awsWebIdentityTokenFile: .init(.amazon, "file with a web identity token (IRSA), read anew at each renewal")
        case .awsRoleARN: .init(.amazon, "role that is assumed with the web identity token")
        case .awsRoleSessionName: .init(.amazon, "name of the session with that role")
        case .awsContainerCredentialsRelativeURI: .init(.amazon, "path of the container's credentials (ECS)")
        case .awsContainerCredentialsFullURI: .init(.amazon, "URL of the container's credentials (EKS pod identity)")
        case .awsContainerAuthorizationToken:
            .init(.amazon, "`Authorization` header of the request for the container's credentials")
        case .awsContainerAuthorizationTokenFile: .init(.amazon, "file with that header's value; it wins over the variable")
        case .awsMetadataDisabled: .init(.amazon, "`true`: do not ask the instance metadata service")
        case .awsMetadataV1Disabled: .init(.amazon, "`true`: ask the instance metadata service by IMDSv2 only")
        case .awsMetadataEndpoint: .init(.amazon, "URL of the instance metadata service", default: "`http://169.254.169.254`")
        case .awsMetadataEndpointMode: .init(.amazon, "`ipv6`: the metadata service's IPv6 address, where no URL is given")
        case .awsSTSEndpoint:
            .init(.amazon, "URL of the Security Token Service, where roles are assumed", default: "the region's")
        case .awsEndpoint: .init(.amazon, "URL of all AWS services that have none of their own")
        case .awsSTSRegionalEndpoints:
            .init(.amazon, "`legacy`: the one global host of the Security Token Service, for the regions that it serves")

        case .googleApplicationCredentials:
            .init(
                .google, "file with application default credentials",
                default: "`application_default_credentials.json` of gcloud")
        case .cloudSDKConfig: .init(.google, "gcloud's configuration folder", default: "`~/.config/gcloud`")
        case .gceMetadataHost: .init(.google, "`host[:port]` of the metadata server", default: "`169.254.169.254`")
        case .storageEmulatorHost:
            .init(.google, "URL or `host:port` of an emulator of Cloud Storage; without a secret no token is sent to it")

        case .otlpEndpoint:
            .init(
                .telemetry, "collector; being set, even empty, turns tracing on", default: "`http://localhost:4317` or `:4318`")
        case .otlpTracesEndpoint: .init(.telemetry, "collector of traces; over HTTP the whole URL, with its path")
        case .otlpProtocol, .otlpTracesProtocol:
            .init(.telemetry, "`grpc`, or `http/protobuf`, which any other `http/` means too", default: "`grpc`")
        case .otlpHeaders, .otlpTracesHeaders:
            .init(.telemetry, "headers of every request: `name=value` with commas between, values percent-encoded")
        case .otlpTimeout, .otlpTracesTimeout: .init(.telemetry, "limit of one request, milliseconds", default: "`10000`")
        case .otlpCompression, .otlpTracesCompression: .init(.telemetry, "`gzip` or `none`", default: "`none`")
        case .otlpInsecure, .otlpTracesInsecure:
            .init(.telemetry, "`true`: no TLS to an endpoint without `http://` or `https://`", default: "`false`")
        case .otlpCertificate, .otlpTracesCertificate:
            .init(.telemetry, "file with the collector's certificate authority, PEM", default: "the system's")
        case .otlpClientCertificate, .otlpTracesClientCertificate: .init(.telemetry, "file with our own certificate, PEM")
        case .otlpClientKey, .otlpTracesClientKey: .init(.telemetry, "file with the key of that certificate, PEM")
        case .otelDisabled: .init(.telemetry, "`true`: no tracing")
        case .otelTracesExporter: .init(.telemetry, "`none`: no tracing")
        case .otelTracesSampler: .init(.telemetry, "which traces are recorded", default: "`parentbased_always_on`")
        case .otelTracesSamplerArgument: .init(.telemetry, "share of the traces, 0 to 1, for samplers by ratio", default: "`1`")
        case .otelServiceName: .init(.telemetry, "name of the service, except in the user's containers", default: "`argoexec`")
        case .otelResourceAttributes: .init(.telemetry, "further attributes of the process: `name=value` with commas between")
        case .otelSpanValueLength, .otelValueLength:
            .init(.telemetry, "maximum bytes of an attribute's text", default: "no limit")
        case .otelSpanAttributeCount, .otelAttributeCount:
            .init(.telemetry, "maximum number of attributes of a span", default: "`128`")
        case .otelSpanEventCount: .init(.telemetry, "maximum number of events of a span", default: "`128`")
        case .otelScheduleDelay:
            .init(.telemetry, "how long ended spans are gathered before they are sent, milliseconds", default: "`5000`")
        case .otelExportTimeout:
            .init(.telemetry, "time limit for sending one batch, retries included, milliseconds", default: "`30000`")
        case .otelQueueSize: .init(.telemetry, "maximum number of queued spans; further ones are dropped", default: "`2048`")
        case .otelBatchSize: .init(.telemetry, "maximum number of spans in one request", default: "`512`")

        case .localStore:
            .init(.own, "folder: `DIR/BUCKET/KEY` replaces the store of the template's archive location; other stores stay")
        case .localCache:
            .init(
                .own, "folder beside the local store, on a file system with reflinks: unpacked archives that later steps reuse")
        case .taskResultFile: .init(.own, "file that takes the task result instead of the API server")
        case .runDirectory: .init(.own, "the run directory", default: "`/var/run/argo`")
        case .terminationLog: .init(.own, "the termination log", default: "`/dev/termination-log`")
        case .transferReportInterval: .init(.own, "how often a running transfer logs how far it is", default: "`10s`")
        case .pauseOnError:
            .init(.own, "`true`: wait for the file `after` in the container's folder when the command has failed")
        case .faithfulTrees:
            .init(.own, "`true`: archives also restore modes and times of directories, and extended attributes")
        case .verifyDownloads:
            .init(.own, "`always`: an MD5 that an S3 store tells is compared at any size, and a difference is always an error")
        case .pluginWait: .init(.own, "how long the socket of an artifact plugin is waited for", default: "2m")
        case .s3MaximumParts:
            .init(.own, "parts that the S3 store allows for one object, 1 to 10000 (Scaleway: 1000)", default: "`10000`")
        case .extractMaxBytes:
            .init(.own, "how many bytes one archive, or one gzip-encoded HTTP body, may unpack to", default: "no limit")
        case .extractMaxEntries: .init(.own, "how many entries one archive may hold", default: "no limit")
        case .extractMaxRatio:
            .init(.own, "how many bytes one byte of an archive or gzip-encoded HTTP body may unpack to", default: "no limit")
        }
    }
}
