"""Starting servers: free ports, readiness, logs, and an end that leaves nothing behind."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOLS = os.path.join(ROOT, ".build", "test-tools")
# Data of running servers, and logs of those that have ended.
BASE = os.path.join(ROOT, ".build", "testbed")


class Unavailable(Exception):
    """This machine lacks a server; the text says what and where it is looked for."""


class NotReady(Exception):
    """A server was started and did not get ready; the text ends with the last lines of its log."""


def free_ports(count):
    """Ports of loopback that are free now; held together, so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


class Servers:
    """Server processes with one folder for their data and logs; all end together."""

    def __init__(self, name):
        os.makedirs(BASE, exist_ok=True)
        self.folder = tempfile.mkdtemp(prefix=f"{name}-", dir=BASE)
        self.running = []

    def start(self, name, *words, environment=None):
        """Starts a server in a process group of its own, its output in a log of the folder."""
        with open(self.log(name), "wb") as log:
            # The server goes with this process, even when that is killed.
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, start_new_session=True,
                env=os.environ | (environment or {}))
        self.running.append((name, process))

    def log(self, name):
        return os.path.join(self.folder, f"{name}.log")

    def wait_until(self, what, check, seconds=60):
        """Calls `check` until it returns true.

        Raises NotReady after the time, or as soon as a server has ended.
        """
        end = time.monotonic() + seconds
        while True:
            try:
                if check():
                    return
                reason = "no"
            except (OSError, urllib.error.URLError, ValueError) as error:
                reason = str(error)
            ended = [name for name, process in self.running if process.poll() is not None]
            if ended or time.monotonic() > end:
                why = f"{ended[0]} has ended" if ended else f"not within {seconds} s ({reason})"
                raise NotReady(f"{what}: {why}\n" + "\n".join(self._tail(name) for name, _ in self.running))
            time.sleep(0.05)

    def stop(self):
        """Asks all to end, insists after a second, keeps their logs in `.build/testbed/logs` and removes the rest."""
        for number, seconds in ((signal.SIGTERM, 1), (signal.SIGKILL, 5)):
            for _, process in reversed(self.running):
                try:
                    os.killpg(process.pid, number)
                except ProcessLookupError:
                    pass
            end = time.monotonic() + seconds
            for _, process in self.running:
                try:
                    process.wait(max(0.01, end - time.monotonic()))
                except subprocess.TimeoutExpired:
                    pass
        logs = os.path.join(BASE, "logs")
        os.makedirs(logs, exist_ok=True)
        for name, _ in self.running:
            shutil.copy(self.log(name), logs)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _tail(self, name):
        try:
            with open(self.log(name), encoding="utf-8", errors="replace") as file:
                lines = file.read().splitlines()[-15:]
        except OSError:
            lines = []
        return "\n".join([f"--- {name}.log"] + lines)


def answers(url, timeout=2, **request):
    """Whether a URL answers at all, whatever it says."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, **request), timeout=timeout):
            return True
    except urllib.error.HTTPError:
        return True
