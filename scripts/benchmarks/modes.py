"""The benchmarks of modes that work with an API server: what they take of memory and time, beside the tools that do the same by hand."""
import http.server
import json
import os
import subprocess
import threading
import time
import urllib.error
import urllib.request

import data
from timing import Side, timed

LIMIT = 64 << 20
GROUPS = "/sys/fs/cgroup/memory/argoexec-bench"


class Cluster:
    """An API server, and a kubeconfig with all rights."""

    def __init__(self, bench):
        self.bench = bench
        self.process = subprocess.Popen([os.path.join(bench.testbed, "serve"), "kubernetes"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the API server did not start")
        self.description = json.loads(line)
        self.namespace = self.description["namespace"]
        folder = bench.fresh("cluster")
        self.kubeconfig = os.path.join(folder, "kubeconfig")
        token = self.account(
            "bench", [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}])
        with open(self.kubeconfig, "w", encoding="utf-8") as file:
            json.dump({"apiVersion": "v1", "kind": "Config", "current-context": "c",
                       "clusters": [{"name": "c", "cluster": {"server": self.description["endpoint"], "certificate-authority": self.description["authority"]}}],
                       "users": [{"name": "c", "user": {"token": token}}],
                       "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c", "namespace": self.namespace}}]}, file)
        self.environment = os.environ | {
            "KUBECONFIG": self.kubeconfig, "ARGOEXEC_RUN_DIRECTORY": bench.fresh("run"), "ARGOEXEC_TERMINATION_LOG": os.path.join(folder, "log"),
            "ARGO_POD_NAME": "pod", "ARGO_WORKFLOW_NAME": "wf", "ARGO_WORKFLOW_UID": "uid", "ARGO_NODE_ID": "wf-1", "ARGO_DEADLINE": "0001-01-01T00:00:00Z",
            "PATH": os.path.join(bench.testbed, "../../.build/test-tools") + ":" + os.environ["PATH"]}

    def stop(self):
        self.process.stdin.close()
        self.process.wait()

    def call(self, method, path, body=None, content_type="application/json", missing=False):
        request = urllib.request.Request(
            f"{self.description['admin']}/{path}", method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": content_type})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            if missing and error.code in (404, 409):
                return None
            raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode(errors='replace')}") from error

    def argo(self, plural):
        return f"apis/argoproj.io/v1alpha1/namespaces/{self.namespace}/{plural}"

    def account(self, name, rules):
        """A service account with a role; returns its token."""
        core, roles = f"api/v1/namespaces/{self.namespace}", f"apis/rbac.authorization.k8s.io/v1/namespaces/{self.namespace}"
        self.call("POST", f"{core}/serviceaccounts", _object("v1", "ServiceAccount", name), missing=True)
        version = "rbac.authorization.k8s.io/v1"
        self.call("POST", f"{roles}/roles", _object(version, "Role", name, rules=rules), missing=True)
        self.call("POST", f"{roles}/rolebindings", _object(
            version, "RoleBinding", name, roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            subjects=[{"kind": "ServiceAccount", "name": name, "namespace": self.namespace}]), missing=True)
        answer = self.call("POST", f"{core}/serviceaccounts/{name}/token", _object(
            "authentication.k8s.io/v1", "TokenRequest", name, spec={"expirationSeconds": 36000}))
        return answer["status"]["token"]


def agent(bench):
    """A thousand HTTP templates in one task set, and the same requests by curl."""
    cluster, web = Cluster(bench), _Web()
    count, path = 1000, cluster.argo("workflowtasksets")
    config = os.path.join(bench.work, "curl")
    with open(config, "w", encoding="ascii") as file:
        file.writelines(f'url = "{web.url}/{index}"\noutput = "/dev/null"\n' for index in range(count))
    tasks = {f"wf-{index}": {"name": "t", "inputs": {}, "outputs": {}, "metadata": {}, "http": {
        "method": "POST", "url": f"{web.url}/{index}", "headers": [{"name": "X-Index", "value": str(index)}], "body": "b" * 200,
        "successCondition": "response.statusCode == 200"}} for index in range(count)}

    def prepare():
        cluster.call("DELETE", f"{path}/wf", missing=True)
        cluster.call("POST", path, _object("argoproj.io/v1alpha1", "WorkflowTaskSet", "wf", spec={"tasks": tasks}))
        threading.Thread(target=complete, daemon=True).start()

    def complete():
        while len((cluster.call("GET", f"{path}/wf").get("status") or {}).get("nodes") or {}) < count:
            time.sleep(0.2)
        cluster.call("PATCH", f"{path}/wf", {"metadata": {"labels": {"workflows.argoproj.io/completed": "true"}}}, "application/merge-patch+json")

    environment = cluster.environment | {"ARGO_AGENT_PATCH_RATE": "1s", "ARGO_PLUGIN_ADDRESSES": "null", "ARGO_PLUGIN_NAMES": "null"}
    ours = Side("agent main", _grouped([bench.binary, "agent", "main"], environment), prepare)
    peer = Side("curl", lambda: timed(["curl", "-sS", "--parallel", "--parallel-max", "16", "--config", config], sample=True))
    try:
        result = bench.pair("agent", ours, peer, min(bench.options.runs, 3))
    finally:
        cluster.stop()
        web.stop()
    result["note"] = f"{count} tasks; {_limited()}"
    return [result]


def delete(bench):
    """Ten thousand artifacts that the controller lists as garbage, and the same objects by s5cmd."""
    cluster = Cluster(bench)
    files = data.small_files(bench.data, bench.options.files)
    names = sorted(os.path.relpath(os.path.join(parent, name), files) for parent, _, found in os.walk(files) for name in found)
    path, label, portion = cluster.argo("workflowartifactgctasks"), "1234", 2500
    store = "s3://bench/garbage/"

    def upload():
        timed([bench.s5cmd, "--endpoint-url", bench.url, "--log", "error", "cp", files + "/", store], bench.credentials)

    def prepare():
        upload()
        location = {"s3": {"endpoint": bench.store["endpoint"], "bucket": "bench", "insecure": True, "region": "us-east-1", "useSDKCreds": True, "key": "x"}}
        for start in range(0, len(names), portion):
            # Archives, so that each is one object and may go with others.
            artifacts = {f"a{index}": {"name": f"a{index}", "path": f"/out/{index}", "archive": {"tar": {}}, "s3": {"key": f"garbage/{name}"}}
                         for index, name in enumerate(names[start:start + portion])}
            task = _object("argoproj.io/v1alpha1", "WorkflowArtifactGCTask", f"gc-{start}", spec={
                "artifactsByNode": {"node": {"archiveLocation": location, "artifacts": artifacts}}})
            task["metadata"]["labels"] = {"workflows.argoproj.io/artifact-gc-pod": label}
            cluster.call("DELETE", f"{path}/gc-{start}", missing=True)
            cluster.call("POST", path, task)

    def ours_once():
        run = _grouped([bench.binary, "artifact", "delete", "--loglevel", "warn"], environment)()
        done = [result for item in cluster.call("GET", path)["items"]
                for result in item["status"]["artifactResultsByNode"]["node"]["artifactResults"].values()]
        if len(done) != len(names) or not all(result.get("success") for result in done):
            raise RuntimeError(f"{len(done)} of {len(names)} artifacts have a result")
        return run

    environment = cluster.environment | bench.credentials | {
        "KUBECONFIG": cluster.kubeconfig, "ARGO_TEMPLATE": "{}", "ARGO_ARTIFACT_POD_NAME": label}
    words = [bench.s5cmd, "--endpoint-url", bench.url, "--log", "error", "rm", store + "*"]
    peer = Side("s5cmd rm", lambda: timed(words, bench.credentials, sample=True), upload)
    try:
        result = bench.pair("delete", Side("artifact delete", ours_once, prepare), peer, min(bench.options.runs, 3))
    finally:
        cluster.stop()
    result["note"] = f"{len(names)} artifacts; {_limited()}"
    return [result]


def resource(bench):
    """Making an object and waiting for its condition: our own process, without kubectl's, and kubectl by hand."""
    cluster = Cluster(bench)
    path = f"api/v1/namespaces/{cluster.namespace}/configmaps"
    manifest = os.path.join(bench.work, "manifest.json")
    document = _object("v1", "ConfigMap", "made", data={"state": "new"})
    with open(manifest, "w", encoding="utf-8") as file:
        json.dump(document, file)

    def prepare():
        cluster.call("DELETE", f"{path}/made", missing=True)
        threading.Thread(target=change, daemon=True).start()

    def change():
        while not cluster.call("GET", f"{path}/made", missing=True):
            time.sleep(0.05)
        cluster.call("PATCH", f"{path}/made", {"data": {"state": "done"}}, "application/merge-patch+json")

    template = {"name": "t", "inputs": {}, "outputs": {}, "metadata": {}, "resource": {
        "action": "create", "manifest": json.dumps(document), "successCondition": "data.state = done"}}
    environment = cluster.environment | {"ARGO_TEMPLATE": json.dumps(template)}
    script = 'kubectl create -f "$1" -o name && kubectl wait --for=jsonpath={.data.state}=done configmap/made'
    peer = Side("kubectl create, wait", lambda: timed(["sh", "-c", script, "sh", manifest], cluster.environment, sample=True), prepare)
    ours = Side("resource create", lambda: timed([bench.binary, "resource", "create"], environment, sample=True), prepare)
    try:
        return [bench.pair("resource", ours, peer, min(bench.options.runs, 3))]
    finally:
        cluster.stop()


def _object(version, kind, name, **parts):
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}} | parts


class _Web:
    """A server whose answers have some bytes."""

    def __init__(self):
        class Answers(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = b"answer " * 30
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


# ---------------------------------------------------------------- a pod's limit of memory

def _limited():
    return "in a control group of 64 MiB" if _group() else "without a limit: no control group can be made here"


def _group():
    """The folder of a control group with the limit; None where there can be none. Version 1 and version 2 of the interface."""
    for folder, file in ((GROUPS, "memory.limit_in_bytes"), ("/sys/fs/cgroup/argoexec-bench", "memory.max")):
        try:
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, file), "w", encoding="ascii") as limit:
                limit.write(str(LIMIT))
            return folder
        except OSError:
            continue
    return None


def _grouped(words, environment):
    """Runs a program with the memory that the controller gives to its pod, where the machine lets us."""
    def run():
        folder = _group()
        if folder is None:
            return timed(words, environment, sample=True)
        return timed(["sh", "-c", 'echo $$ > "$0/cgroup.procs"; exec "$@"', folder, *words], environment, sample=True)
    return run
