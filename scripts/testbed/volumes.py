"""Volumes and environment of a pod, as the kubelet would make them: from a pod's JSON and a few given secrets and config maps."""
import os
import re
import shutil
import subprocess


class Objects:
    """Secrets and config maps by name, each a folder of files: ROOT/secrets/NAME/KEY, ROOT/configmaps/NAME/KEY."""

    def __init__(self, root=None):
        self.root = root

    def data(self, kind, name):
        """The keys of an object with their bytes; None where there is no such object."""
        folder = os.path.join(self.root, kind, name) if self.root else ""
        if not os.path.isdir(folder):
            return None
        data = {}
        for key in os.listdir(folder):
            with open(os.path.join(folder, key), "rb") as file:
                data[key] = file.read()
        return data


class MissingObject(Exception):
    """A volume or variable names an object, or a key of one, that does not exist."""


def field(pod, path):
    """The value of a `fieldRef`."""
    if found := re.fullmatch(r"metadata\.(annotations|labels)\['(.+)'\]", path):
        return (pod["metadata"].get(found[1]) or {}).get(found[2], "")
    if path in ("status.hostIP", "status.podIP"):
        return "127.0.0.1"
    value = pod
    for part in path.split("."):
        value = (value or {}).get(part)
    return "" if value is None else str(value)


def expand(text, environment):
    """Kubernetes' `$(NAME)`; an unknown name stays as it is, `$$` is a dollar."""
    return re.sub(r"\$\$|\$\((\w+)\)", lambda found: "$" if found[0] == "$$" else environment.get(found[1], found[0]), text)


def environment(pod, container, objects):
    """A container's variables, in the order of its specification: later ones may refer to earlier ones."""
    values = {}
    for entry in container.get("env") or []:
        source = entry.get("valueFrom")
        if not source:
            values[entry["name"]] = expand(entry.get("value") or "", values)
        elif "fieldRef" in source:
            values[entry["name"]] = field(pod, source["fieldRef"]["fieldPath"])
        elif "resourceFieldRef" in source:
            values[entry["name"]] = "0"
        else:
            kind, reference = ("secrets", source["secretKeyRef"]) if "secretKeyRef" in source else ("configmaps", source["configMapKeyRef"])
            data = objects.data(kind, reference["name"])
            if data and reference["key"] in data:
                values[entry["name"]] = data[reference["key"]].decode(errors="surrogateescape")
            elif not reference.get("optional"):
                raise MissingObject(f"{kind}/{reference['name']} has no key {reference['key']}")
    return values


def bytes_of(quantity):
    """A Kubernetes quantity in bytes."""
    units = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}
    number, unit = re.fullmatch(r"([\d.]+)([A-Za-z]*)", str(quantity)).groups()
    return int(float(number) * units[unit])


class Volumes:
    """The volumes of one pod, each a folder of this machine."""

    def __init__(self, pod, folder, objects, executor_root, service_account=None):
        self.pod, self.folder, self.objects = pod, folder, objects
        self.executor_root = executor_root
        self.service_account = service_account or {"token": b"none", "ca.crt": b""}
        self.paths = {volume["name"]: self._make(volume) for volume in pod["spec"].get("volumes") or []}

    def source(self, mount, variables):
        """The folder or file behind a mount; a `subPath` that is not there becomes a folder, as with the kubelet."""
        path = self.paths[mount["name"]]
        sub_path = mount.get("subPath") or expand(mount.get("subPathExpr") or "", variables)
        if sub_path:
            path = os.path.join(path, sub_path)
            if not os.path.lexists(path):
                os.makedirs(path)
                os.chmod(path, 0o777)
        return path

    def _make(self, volume):
        if "hostPath" in volume:
            return volume["hostPath"]["path"]
        if "image" in volume:
            return self.executor_root
        if "persistentVolumeClaim" in volume:
            path = os.path.join(self.folder, "claims", volume["persistentVolumeClaim"]["claimName"])
        else:
            path = os.path.join(self.folder, "volumes", volume["name"])
        os.makedirs(path, exist_ok=True)
        os.chmod(path, 0o777)
        if limit := (volume.get("emptyDir") or {}).get("sizeLimit"):
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={bytes_of(limit)},mode=777", "tmpfs", path], check=True)
        for source in self._sources(volume):
            self._fill(path, source)
        return path

    @staticmethod
    def _sources(volume):
        if "projected" in volume:
            return volume["projected"]["sources"]
        return [{kind: volume[kind]} for kind in ("configMap", "secret", "downwardAPI") if kind in volume]

    def _fill(self, path, source):
        if "serviceAccountToken" in source:
            self._write(path, source["serviceAccountToken"]["path"], self.service_account["token"])
        elif "downwardAPI" in source:
            for item in source["downwardAPI"].get("items") or []:
                self._write(path, item["path"], field(self.pod, item["fieldRef"]["fieldPath"]).encode())
        else:
            kind = "secrets" if "secret" in source else "configmaps"
            reference = source.get("secret") or source["configMap"]
            name = reference.get("secretName") or reference["name"]
            data = self.objects.data(kind, name)
            if data is None and name == "kube-root-ca.crt":
                data = {"ca.crt": self.service_account["ca.crt"]}
            if data is None:
                if reference.get("optional"):
                    return
                raise MissingObject(f"{kind}/{name} not found")
            for item in reference.get("items") or [{"key": key, "path": key} for key in data]:
                if item["key"] in data:
                    self._write(path, item["path"], data[item["key"]])
                elif not reference.get("optional"):
                    raise MissingObject(f"{kind}/{name} has no key {item['key']}")

    @staticmethod
    def _write(folder, name, data):
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)


def remove(folder):
    """Removes a pod's folder; what is mounted in it went with the player's mount namespace."""
    shutil.rmtree(folder, ignore_errors=True)
