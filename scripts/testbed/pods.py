"""Builds the pod that the workflow controller would build for a template, in either layout (contract 01 §3)."""
import copy
import datetime
import json

LOG_FLAGS = ["--loglevel", "info", "--log-format", "text", "--gloglevel", "0"]
EXECUTOR_IMAGE = "argoexec:latest"
NO_DEADLINE = "0001-01-01T00:00:00Z"
SERVICE_ACCOUNT_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"


def build(request):
    """The pod for a request.

    A request is an object with `template` and, optionally: `name`, `workflow`, `nodeID`, `namespace`, `includeResult`
    (whether the result is captured), `layout` (`initless` for a pod with a supervisor in place of `init` and `wait`), `deadline` (RFC 3339), `gracePeriod` (seconds), `volumes` (of the workflow),
    `executorEnvironment` (variables of init and wait), `executorMemory` (their memory limit), `argoTemplate` (a text to pass in
    place of the template).
    """
    return (_InitlessBuilder if request.get("layout") == "initless" else _Builder)(request).pod()


def made_now(pod):
    """A pod that was made earlier, as if it were made now: its deadline comes as long after its start as it did then."""
    made = pod["metadata"].get("creationTimestamp")
    if not made:
        return pod
    pod = copy.deepcopy(pod)
    shift = datetime.datetime.now(datetime.timezone.utc) - _time(made)
    for container in (pod["spec"].get("initContainers") or []) + pod["spec"]["containers"]:
        for variable in container.get("env") or []:
            if variable["name"] == "ARGO_DEADLINE" and variable.get("value", NO_DEADLINE) != NO_DEADLINE:
                variable["value"] = (_time(variable["value"]) + shift).strftime("%Y-%m-%dT%H:%M:%SZ")
    return pod


def _time(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class _Builder:
    # Where the user's containers find the executor.
    BINARY = "/var/run/argo/argoexec"

    def __init__(self, request):
        self.request = request
        self.template = _with_empty_parts(request["template"])
        self.workflow = request.get("workflow", "example")
        self.name = request.get("name", self.workflow + "-step-1")
        self.node = request.get("nodeID", self.workflow + "-1")
        self.inputs = self.template["inputs"].get("artifacts") or []

    def pod(self):
        mains = self._main_containers()
        spec = {
            "restartPolicy": "Never",
            "serviceAccountName": "default",
            "volumes": self._volumes(),
            "initContainers": self._executors_init(mains) + [self._users_init(c) for c in self.template.get("initContainers") or []],
            "containers": [self._beside(mains)] + [self._user_container(c) for c in mains + (self.template.get("sidecars") or [])],
            "securityContext": self.template.get("securityContext") or {},
        }
        if "gracePeriod" in self.request:
            spec["terminationGracePeriodSeconds"] = self.request["gracePeriod"]
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": self.name,
                "namespace": self.request.get("namespace", "argo"),
                "uid": "00000000-0000-4000-8000-000000000001",
                "labels": {"workflows.argoproj.io/completed": "false", "workflows.argoproj.io/workflow": self.workflow},
                "annotations": {"kubectl.kubernetes.io/default-container": "main", "workflows.argoproj.io/node-id": self.node,
                                "workflows.argoproj.io/node-name": self.workflow},
            },
            "spec": spec,
        }

    # ---- the user's containers

    def _main_containers(self):
        """The main containers as the template writes them, with the mounts that the template's kind adds."""
        if "containerSet" in self.template:
            shared = self.template["containerSet"].get("volumeMounts") or []
            containers = [_merged(c, volumeMounts=(c.get("volumeMounts") or []) + shared) for c in self.template["containerSet"]["containers"]]
            for container in containers:
                container.pop("dependencies", None)
        elif "script" in self.template:
            script = copy.deepcopy(self.template["script"])
            if script.pop("source", ""):
                script["args"] = (script.get("args") or []) + ["/argo/staging/script"]
            script["volumeMounts"] = (script.get("volumeMounts") or []) + [{"name": "argo-staging", "mountPath": "/argo/staging"}]
            containers = [_merged(script, name="main")]
        else:
            containers = [_merged(self.template["container"], name="main")]
        for container in containers:
            if container["name"] == "main":
                container["volumeMounts"] = (container.get("volumeMounts") or []) + self._input_mounts(container)
        return containers

    def _input_mounts(self, container):
        """One mount an input artifact; none for what is optional and not supplied, or lies in a volume of the user's."""
        paths = [mount["mountPath"].rstrip("/") for mount in container.get("volumeMounts") or []]
        return [
            {"name": "input-artifacts", "mountPath": artifact["path"], "subPath": artifact["name"]}
            for artifact in self.inputs
            if _location(artifact) and not any(artifact["path"] == path or artifact["path"].startswith(path + "/") for path in paths)
        ]

    def _user_container(self, container):
        words = [self.BINARY, "emissary"] + LOG_FLAGS + ["--"] + (container.get("command") or [])
        return _merged(
            container,
            command=words,
            env=(container.get("env") or []) + [_variable("ARGO_CONTAINER_NAME", container["name"])] + self._common_environment()
            + self._grace_period(),
            volumeMounts=(container.get("volumeMounts") or []) + self._run_mounts(),
        )

    def _users_init(self, container):
        return _merged(container, env=(container.get("env") or []) + self._common_environment(),
                       volumeMounts=(container.get("volumeMounts") or []) + self._run_mounts())

    # ---- the executor's containers

    def _executors_init(self, mains):
        return [self._init(mains)]

    def _beside(self, mains):
        """The executor's container that runs beside the main containers."""
        return self._wait(mains)

    def _init(self, mains):
        mounts = self._secret_mounts()
        if "script" in self.template:
            mounts.append({"name": "argo-staging", "mountPath": "/argo/staging"})
        if self.inputs:
            mounts.append({"name": "input-artifacts", "mountPath": "/argo/inputs/artifacts"})
            user_mounts = [mount for container in mains if container["name"] == "main" for mount in self._users_mounts(container)]
            mounts += [_mirrored(mount) for mount in user_mounts]
        return {
            "name": "init", "image": EXECUTOR_IMAGE, "command": ["argoexec", "init"] + LOG_FLAGS,
            "env": self._executor_environment("init") + [self._template_variable()] + self._common_environment()
            + self._extra_environment(),
            "volumeMounts": mounts + self._run_mounts(), "resources": self._executor_resources(),
        }

    def _wait(self, mains):
        mounts = self._secret_mounts()
        for container in mains:
            if container["name"] == "main":
                mounts += [_merged(_mirrored(mount), readOnly=False) for mount in container.get("volumeMounts") or []]
        mounts.append({"name": "tmp-dir-argo", "mountPath": "/tmp", "subPath": "0"})
        return {
            "name": "wait", "image": EXECUTOR_IMAGE, "command": ["argoexec", "wait"] + LOG_FLAGS,
            "env": self._executor_environment("wait") + [_variable("ARGO_ARTIFACT_PLUGIN_NAMES", "")] + self._common_environment()
            + self._grace_period() + self._extra_environment(),
            "volumeMounts": mounts + self._run_mounts(), "resources": self._executor_resources(),
        }

    def _template_variable(self):
        text = self.request.get("argoTemplate")
        if text is None:
            text = json.dumps(self.template, separators=(",", ":"), ensure_ascii=False)
        return _variable("ARGO_TEMPLATE", text)

    def _executor_resources(self):
        return {"limits": {"memory": self.request["executorMemory"]}} if "executorMemory" in self.request else {}

    def _users_mounts(self, container):
        own = ("input-artifacts", "argo-staging")
        return [mount for mount in container.get("volumeMounts") or [] if mount["name"] not in own]

    # ---- variables

    def _executor_environment(self, name):
        return [
            {"name": "ARGO_POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},
            {"name": "ARGO_POD_UID", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.uid"}}},
            _variable("ARGO_WORKFLOW_NAME", self.workflow),
            _variable("ARGO_WORKFLOW_UID", "00000000-0000-4000-8000-000000000002"),
            _variable("ARGO_CONTAINER_NAME", name),
        ]

    def _common_environment(self):
        return [
            _variable("ARGO_NODE_ID", self.node),
            _variable("ARGO_INCLUDE_SCRIPT_OUTPUT", "true" if self.request.get("includeResult") else "false"),
            _variable("ARGO_DEADLINE", self.request.get("deadline") or NO_DEADLINE),
            _variable("ARGO_WORKFLOW_NAME", self.workflow),
            _variable("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            _variable("ARGO_PROGRESS_FILE", "/var/run/argo/progress"),
            _variable("ARGO_PROGRESS_PATCH_TICK_DURATION", "1m0s"),
            _variable("ARGO_PROGRESS_FILE_TICK_DURATION", "3s"),
        ]

    def _grace_period(self):
        if "gracePeriod" not in self.request:
            return []
        return [_variable("ARGO_TERMINATION_GRACE_PERIOD_SECONDS", str(self.request["gracePeriod"]))]

    def _extra_environment(self):
        return [_variable(name, value) for name, value in (self.request.get("executorEnvironment") or {}).items()]

    # ---- volumes

    def _volumes(self):
        volumes = [{"name": "var-run-argo", "emptyDir": {}}, {"name": "tmp-dir-argo", "emptyDir": {}}]
        volumes += self.request.get("volumes") or []
        for name, keys in self._secrets().items():
            volumes.append({"name": name, "secret": {"secretName": name, "items": [{"key": key, "path": key} for key in keys]}})
        if self.inputs:
            volumes.append({"name": "input-artifacts", "emptyDir": {}})
        if "script" in self.template:
            volumes.append({"name": "argo-staging", "emptyDir": {}})
        volumes.append({"name": "kube-api-access", "projected": {"sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
        ]}})
        # A volume of the request's own replaces one of these, e.g. to give the run directory a size.
        return list({volume["name"]: volume for volume in volumes + (self.request.get("volumes") or [])}.values())

    def _run_mounts(self):
        return [{"name": "var-run-argo", "mountPath": "/var/run/argo"},
                {"name": "kube-api-access", "mountPath": SERVICE_ACCOUNT_FOLDER, "readOnly": True}]

    def _secret_mounts(self):
        return [{"name": name, "mountPath": f"/argo/secret/{name}", "readOnly": True} for name in self._secrets()]

    def _secrets(self):
        """The keys of each secret that the template's locations name."""
        found = {}
        for location in [self.template.get("archiveLocation") or {}] + self.inputs + (self.template["outputs"].get("artifacts") or []):
            for selector in _secret_selectors(location):
                keys = found.setdefault(selector["name"], [])
                if selector["key"] not in keys:
                    keys.append(selector["key"])
        return found


class _InitlessBuilder(_Builder):
    """Pods in which a supervisor stages inputs beside the waiting emissaries, and collects outputs later."""

    BINARY = "/argo-bin/bin/argoexec"

    def _executors_init(self, mains):
        return []

    def _input_mounts(self, container):
        return [{"name": "input-artifacts", "mountPath": "/argo/inputs/artifacts"}] if self.inputs else []

    def _user_container(self, container):
        container = super()._user_container(container)
        container["env"].append(_variable("ARGO_WAIT_FOR_READY", "true"))
        container["volumeMounts"].append({"name": "argoexec-bin", "mountPath": "/argo-bin", "readOnly": True})
        return container

    def _volumes(self):
        return super()._volumes() + [{"name": "argoexec-bin", "image": {"reference": EXECUTOR_IMAGE}}]

    def _beside(self, mains):
        mounts = self._secret_mounts()
        if "script" in self.template:
            mounts.append({"name": "argo-staging", "mountPath": "/argo/staging"})
        if self.inputs:
            mounts.append({"name": "input-artifacts", "mountPath": "/argo/inputs/artifacts"})
        for container in mains:
            if container["name"] == "main":
                mounts += [_merged(_mirrored(mount), readOnly=False) for mount in container.get("volumeMounts") or []]
        mounts.append({"name": "tmp-dir-argo", "mountPath": "/tmp", "subPath": "0"})
        return {
            "name": "supervisor", "image": EXECUTOR_IMAGE, "command": ["argoexec", "supervisor"] + LOG_FLAGS,
            "env": self._executor_environment("supervisor") + [_variable("ARGO_INITLESS_POD", "true"), self._template_variable()]
            + self._common_environment() + self._grace_period() + self._extra_environment(),
            "volumeMounts": mounts + self._run_mounts(), "resources": self._executor_resources(),
        }


def _secret_selectors(value):
    """All selectors of secrets in a location, at whatever depth: the fields whose names say so."""
    for name, field in value.items() if isinstance(value, dict) else ():
        if name.endswith("Secret") and (field or {}).get("name"):
            yield field
        else:
            yield from _secret_selectors(field)


def _with_empty_parts(template):
    """The template with the objects that the controller always writes."""
    return {"name": "step", "inputs": {}, "outputs": {}, "metadata": {}} | copy.deepcopy(template)


def _location(artifact):
    """Whether an input artifact says where it is: a location, or an input that must be there."""
    stores = ("s3", "gcs", "azure", "oss", "http", "artifactory", "git", "hdfs", "raw", "plugin")
    return not artifact.get("optional") or any(store in artifact for store in stores)


def _mirrored(mount):
    return _merged(mount, mountPath="/mainctrfs" + mount["mountPath"])


def _merged(specification, **changes):
    return copy.deepcopy(specification) | changes


def _variable(name, value):
    return {"name": name, "value": value}
