"""A real Kubernetes API server with etcd: tokens, RBAC and Argo's resources, but no kubelet and no controllers."""
import json
import os
import secrets
import ssl
import urllib.error
import urllib.request

import binaries
import certificates
from door import Door
from processes import Servers, free_ports

NAMESPACE = "argo"
ACCOUNT, RESOURCE_ACCOUNT = "step", "resource"
# All that a workflow pod may do, and no more: an executor that asks for more fails here as it would in a cluster.
RULES = [{"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}]
# What a pod of a resource template may do besides, by the role that its author has made for it: neither lists nor watches.
VERBS = ["get", "create", "update", "patch", "delete"]
RESOURCE_RULES = RULES + [
    {"apiGroups": [""], "resources": ["configmaps", "endpoints", "secrets"], "verbs": VERBS},
    {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": VERBS},
    {"apiGroups": ["argoproj.io"], "resources": ["workflows"], "verbs": VERBS},
]
# The same for objects that belong to no namespace.
CLUSTER_RULES = [{"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"], "verbs": VERBS}]


def kubernetes():
    """Starts the servers and makes the namespace, the account and the resources; returns the servers and their description."""
    apiserver, etcd = binaries.kubernetes()
    definitions = binaries.custom_resource_definitions()
    servers = Servers("kubernetes")
    try:
        return servers, _start(servers, apiserver, etcd, definitions)
    except BaseException:
        servers.stop()
        raise


def _start(servers, apiserver, etcd, definitions):
    client_port, peer_port, port = free_ports(3)
    authority, certificate, key = certificates.make(servers.folder)
    account_key, account_public = certificates.key_pair(servers.folder)
    token = secrets.token_hex(16)
    with open(os.path.join(servers.folder, "tokens.csv"), "w", encoding="ascii") as file:
        file.write(f'{token},admin,admin,"system:masters"\n')
    servers.start("etcd", etcd, "--data-dir", os.path.join(servers.folder, "etcd"),
                  "--listen-client-urls", f"http://127.0.0.1:{client_port}", "--advertise-client-urls", f"http://127.0.0.1:{client_port}",
                  "--listen-peer-urls", f"http://127.0.0.1:{peer_port}", "--unsafe-no-fsync", "--log-level", "error")
    servers.start(
        "kube-apiserver", apiserver, f"--etcd-servers=http://127.0.0.1:{client_port}", "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1", f"--secure-port={port}", f"--tls-cert-file={certificate}", f"--tls-private-key-file={key}",
        f"--client-ca-file={authority}", f"--token-auth-file={servers.folder}/tokens.csv",
        "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={account_public}",
        f"--service-account-signing-key-file={account_key}", "--api-audiences=https://kubernetes.default.svc",
        "--authorization-mode=RBAC", "--service-cluster-ip-range=10.96.0.0/16", "--endpoint-reconciler-type=none")
    cluster = _Cluster(f"https://127.0.0.1:{port}", token, authority)
    servers.wait_until("Kubernetes API server", lambda: cluster.call("GET", "/readyz") == b"ok")
    cluster.prepare(definitions)
    for resources in ("workflowtaskresults", "workflowtasksets", "workflowartifactgctasks"):
        servers.wait_until(f"Argo's {resources}", lambda: cluster.call("GET", f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/{resources}"))
    servers.wait_until("Argo's resources in what kubectl discovers", cluster.announces_workflows)
    door = Door(cluster.url, lambda method, url: {"Authorization": f"Bearer {token}"}, cluster.tls)
    return {"endpoint": cluster.url, "admin": door.url, "token": cluster.account_token(ACCOUNT), "authority": authority, "namespace": NAMESPACE,
            "details": {"resourceToken": cluster.account_token(RESOURCE_ACCOUNT)}}


class _Cluster:
    def __init__(self, url, token, authority):
        self.url, self.token = url, token
        self.tls = ssl.create_default_context(cafile=authority)

    def announces_workflows(self):
        """Whether the list by which kubectl learns of kinds has Argo's, which comes after they can be used."""
        return b'"resource":"workflows"' in self.call("GET", "/apis", accept="application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")

    def call(self, method, path, body=None, content_type="application/json", accept="application/json"):
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        request = urllib.request.Request(self.url + path, data=data, method=method, headers={
            "Authorization": f"Bearer {self.token}", "Content-Type": content_type, "Accept": accept})
        with urllib.request.urlopen(request, timeout=30, context=self.tls) as answer:
            return answer.read()

    def prepare(self, definitions):
        for path in definitions:
            with open(path, "rb") as file:
                self.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", file.read(), "application/yaml")
        self.call("POST", "/api/v1/namespaces", _object("v1", "Namespace", NAMESPACE))
        for account, rules in ((ACCOUNT, RULES), (RESOURCE_ACCOUNT, RESOURCE_RULES)):
            self.call("POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", _object("v1", "ServiceAccount", account))
            self.grant(f"namespaces/{NAMESPACE}/", "Role", account, rules)
        self.grant("", "ClusterRole", RESOURCE_ACCOUNT, CLUSTER_RULES)

    def grant(self, place, kind, account, rules):
        """Makes a role of the account's name and binds it to the account."""
        roles, version = f"/apis/rbac.authorization.k8s.io/v1/{place}", "rbac.authorization.k8s.io/v1"
        self.call("POST", f"{roles}{kind.lower()}s", _object(version, kind, account, rules=rules))
        self.call("POST", f"{roles}{kind.lower()}bindings", _object(
            version, f"{kind}Binding", account,
            roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": account},
            subjects=[{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}]))

    def account_token(self, account):
        body = _object("authentication.k8s.io/v1", "TokenRequest", account, spec={"expirationSeconds": 36000})
        answer = self.call("POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{account}/token", body)
        return json.loads(answer)["status"]["token"]


def _object(version, kind, name, **parts):
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}} | parts
