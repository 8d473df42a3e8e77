"""One container as a bubblewrap sandbox: its own mount, pid, ipc and uts namespaces, the command as PID 1."""
import json
import os
import subprocess
import threading
import time

from volumes import bytes_of, environment, expand

# What every user's image starts its search with; the executor's image has its program in a folder of its own, put first.
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
EXECUTOR_FOLDER = "/executor-image"
# An image with nothing in it at all, as `FROM scratch` makes it.
EMPTY_IMAGE = "scratch"


class ExecutorImage:
    """The executor's image: a folder with bin/argoexec, and the folders of the shared libraries that a development build needs."""

    def __init__(self, root):
        self.root = root
        self.libraries = self._library_folders(os.path.join(root, "bin", "argoexec"))

    @staticmethod
    def _library_folders(binary):
        """Folders of shared libraries that a sandbox lacks otherwise (a tool chain's, beside the system's own)."""
        listing = subprocess.run(["ldd", binary], capture_output=True, text=True, check=False).stdout
        paths = [os.path.dirname(word) for word in listing.split() if word.startswith("/")]
        return sorted({path for path in paths if not path.startswith(("/usr/", "/lib"))})

    @staticmethod
    def names(image):
        """Whether an image's name is the executor's."""
        return "argoexec" in image


class MemoryGroup:
    """A control group that limits memory, of version 1 or 2; `make` gives None where this machine lets us make none."""

    def __init__(self, folder, limit_file, peak_file):
        self.folder, self.limit_file, self.peak_file = folder, limit_file, peak_file

    @classmethod
    def make(cls, name, limit):
        for root, limit_file, peak_file in (
            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.max_usage_in_bytes"),
            ("/sys/fs/cgroup", "memory.max", "memory.peak"),
        ):
            group = cls(os.path.join(root, name), limit_file, peak_file)
            try:
                os.mkdir(group.folder)
                group._write(limit_file, str(bytes_of(limit)))
                return group
            except OSError:
                group.remove()
        return None

    def enter(self):
        """Moves the calling process into the group; run between fork and exec."""
        self._write("cgroup.procs", str(os.getpid()))

    def peak(self):
        """Most bytes charged to the group so far, page cache included."""
        with open(os.path.join(self.folder, self.peak_file), encoding="ascii") as file:
            return int(file.read())

    def remove(self):
        try:
            os.rmdir(self.folder)
        except OSError:
            pass  # there is none, or a process in it is just ending

    def _write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="ascii") as file:
            file.write(text)


class Container:
    """A container: made, started, signalled, waited for. Its streams and termination message are files in its folder."""

    def __init__(self, pod, specification, volumes, folder, executor, extra_environment=(), extra_binds=(), memory_limit=None):
        self.pod, self.specification, self.volumes = pod, specification, volumes
        self.name, self.image = specification["name"], specification.get("image", "")
        self.folder = os.path.join(folder, "containers", self.name)
        self.executor = executor
        self.extra_environment, self.extra_binds = dict(extra_environment), list(extra_binds)
        self.memory_limit = memory_limit
        self.pid = None
        self.exit_code = None
        self.started = threading.Event()
        self.usage = {}
        self._monitor = None
        self._group = None
        os.makedirs(self.folder, exist_ok=True)
        self.termination_log = os.path.join(self.folder, "termination-log")
        with open(self.termination_log, "w", encoding="ascii"):
            pass
        os.chmod(self.termination_log, 0o666)

    # ---- what it is made of

    @property
    def environment(self):
        path = SEARCH_PATH
        if ExecutorImage.names(self.image):
            path = f"{EXECUTOR_FOLDER}/bin:{path}"
        own = {"PATH": path, "HOSTNAME": self.pod["metadata"]["name"]}
        if self.image != EMPTY_IMAGE:
            own["HOME"] = "/root"
        return own | self.extra_environment | environment(self.pod, self.specification, self.volumes.objects)

    @property
    def user(self):
        """The user and group that the security context asks for; None for root."""
        context = (self.pod["spec"].get("securityContext") or {}) | (self.specification.get("securityContext") or {})
        user = context.get("runAsUser")
        return (user, context.get("runAsGroup", user)) if user else None

    def command(self):
        """The words to execute and the folder in the sandbox that holds the container's root."""
        variables = self.environment
        words = [expand(word, variables) for word in (self.specification.get("command") or []) + (self.specification.get("args") or [])]
        if not self.user:
            return words, ""
        user, group = map(str, self.user)
        if self.image != EMPTY_IMAGE:
            return ["setpriv", "--reuid", user, "--regid", group, "--clear-groups", "--"] + words, ""
        # An empty root has no program to change the user with: change it on the way in.
        return ["/usr/sbin/chroot", f"--userspec={user}:{group}", "--groups=", "/container"] + words, "/container"

    def bubblewrap(self, root):
        """bubblewrap's options for the namespaces, the root file system, the mounts and the environment."""
        options = ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--as-pid-1", "--die-with-parent", "--clearenv", "--tmpfs", "/"]
        if os.geteuid() != 0:
            options += ["--unshare-user", "--uid", "0", "--gid", "0"]
        if root:
            options += self._system_root()
            options += ["--perms", "0755", "--dir", root]
        if self.image != EMPTY_IMAGE:
            options += self._system_root()
            options += ["--perms", "0700", "--dir", "/root"]
            if not self._read_only_root:
                options += ["--perms", "1777", "--tmpfs", "/tmp"]
        if ExecutorImage.names(self.image):
            options += ["--ro-bind", self.executor.root, EXECUTOR_FOLDER]
        if self.image != EMPTY_IMAGE:
            for folder in self.executor.libraries:
                options += ["--ro-bind", folder, folder]
        options += ["--proc", root + "/proc", "--dev", root + "/dev"]
        log = self.specification.get("terminationMessagePath") or "/dev/termination-log"
        options += ["--bind", self.termination_log, root + log]
        options += self._mounts(root)
        working_directory = self.specification.get("workingDir") or "/"
        if working_directory != "/":
            options += ["--perms", "0755", "--dir", root + working_directory]
        if not root:
            options += ["--chdir", working_directory]
        if self._read_only_root:
            options += ["--remount-ro", "/"]
        for name, value in self.environment.items():
            options += ["--setenv", name, value]
        return options

    @property
    def _read_only_root(self):
        return bool((self.specification.get("securityContext") or {}).get("readOnlyRootFilesystem"))

    @staticmethod
    def _system_root():
        """This machine's own system, read-only, with a private writable rest: what a Debian image would hold."""
        options = []
        for folder in ("usr", "etc", "opt"):
            if os.path.isdir("/" + folder):
                options += ["--ro-bind", "/" + folder, "/" + folder]
        for folder in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
            if os.path.islink("/" + folder):
                options += ["--symlink", os.readlink("/" + folder), "/" + folder]
            elif os.path.isdir("/" + folder):
                options += ["--ro-bind", "/" + folder, "/" + folder]
        return options

    def _mounts(self, root):
        options, made = [], set()
        mounts = list(self.specification.get("volumeMounts") or [])
        for mount in sorted(mounts, key=lambda mount: len(mount["mountPath"])):
            parts = os.path.normpath(mount["mountPath"]).split("/")
            for depth in range(2, len(parts)):  # parents open to every user, which bubblewrap's own are not
                parent = root + "/".join(parts[:depth])
                if parent not in made:
                    made.add(parent)
                    options += ["--perms", "0755", "--dir", parent]
            source = self.volumes.source(mount, self.environment)
            options += ["--ro-bind" if mount.get("readOnly") else "--bind", source, root + mount["mountPath"]]
        for source, destination in self.extra_binds:
            options += ["--bind", source, root + destination]
        return options

    # ---- its life

    def start(self):
        """Starts it; returns once its first process exists.

        Raises SandboxError where the sandbox cannot be made.
        """
        words, root = self.command()
        options = self.bubblewrap(root)
        option_file = self._options_descriptor(options)
        status_read, status_write = os.pipe()
        if self.memory_limit:
            self._group = MemoryGroup.make(f"argoexec-{os.getpid()}-{self.name}", self.memory_limit)
        argv = ["bwrap", "--args", str(option_file), "--json-status-fd", str(status_write), "--"] + words
        with open(os.path.join(self.folder, "stdout"), "wb") as out, open(os.path.join(self.folder, "stderr"), "wb") as err:
            self._monitor = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, pass_fds=(option_file, status_write),
                start_new_session=True, preexec_fn=self._group.enter if self._group else None)
        os.close(option_file)
        os.close(status_write)
        with os.fdopen(status_read) as status:
            line = status.readline()
            if line:
                self.pid = json.loads(line)["child-pid"]
                self.started.set()
                threading.Thread(target=self._sample, daemon=True).start()
            else:
                self._monitor.wait()
                raise SandboxError(self.stream("stderr").strip())
            # Read on behind the scenes, so that bubblewrap never meets a closed pipe.
            rest = os.dup(status.fileno())
        threading.Thread(target=_drain, args=(rest,), daemon=True).start()

    def wait(self):
        """Waits for its end and returns the exit code, 128 + n after signal n."""
        self._monitor.wait()
        code = self._monitor.returncode
        if self._group:
            self.usage["groupPeakKiB"] = self._group.peak() >> 10
            self._group.remove()
        self.exit_code = code if code >= 0 else 128 - code
        return self.exit_code

    def signal(self, number):
        """Signals its first process from outside, once there is one."""
        if self.started.wait(10) and self.exit_code is None:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                pass

    def execute(self, words):
        """Runs a command inside, as `kubectl exec` does; returns the finished process."""
        # Its program may have run for a while before this process has read the id.
        self.started.wait(10)
        argv = ["nsenter", "--target", str(self.pid), "--mount", "--pid", "--root", "--wd"]
        if os.geteuid() != 0:
            argv += ["--user", "--preserve-credentials"]
        elif self.user:
            argv += ["--setuid", str(self.user[0]), "--setgid", str(self.user[1])]
        return subprocess.run(argv + ["--"] + words, env=self.environment, capture_output=True, text=True, check=False)

    def stream(self, name):
        """What it wrote on `stdout` or `stderr`; what is not UTF-8 is repaired."""
        with open(os.path.join(self.folder, name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def message(self):
        """Its termination message, at most 4096 bytes, as the kubelet reads it."""
        with open(self.termination_log, encoding="utf-8", errors="replace") as file:
            return file.read()[-4096:]

    def _sample(self):
        """Keeps the largest resident sizes of the first process, in KiB, for as long as it lives."""
        peak = {"residentKiB": 0, "anonymousKiB": 0}
        self.usage.update(peak)
        names = {"VmHWM": "residentKiB", "RssAnon": "anonymousKiB"}
        while self.exit_code is None:
            try:
                with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
                    for line in file:
                        if (key := names.get(line.split(":")[0])) is not None:
                            self.usage[key] = max(self.usage[key], int(line.split()[1]))
            except (OSError, ValueError):
                return
            time.sleep(0.01)

    @staticmethod
    def _options_descriptor(options):
        """A descriptor to read options from: they may be longer than a command line."""
        descriptor = os.memfd_create("options", 0)
        os.write(descriptor, b"".join(os.fsencode(option) + b"\0" for option in options))
        os.lseek(descriptor, 0, os.SEEK_SET)
        return descriptor


class SandboxError(Exception):
    """The sandbox could not be made; the text is bubblewrap's."""


def _drain(descriptor):
    with os.fdopen(descriptor, "rb") as file:
        while file.read(4096):
            pass
