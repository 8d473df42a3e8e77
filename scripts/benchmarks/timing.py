"""The timing core: two programs in turn on the same input, and the medians of what each took."""
import os
import statistics
import subprocess
import threading
import time


class Run:
    """What one run took: wall seconds, processor seconds, and peak memory in KiB where it was measured."""

    def __init__(self, wall, cpu=None, resident=None, anonymous=None):
        self.wall, self.cpu, self.resident, self.anonymous = wall, cpu, resident, anonymous


class Side:
    """One of the two programs: a name and a function that runs it once and returns a Run."""

    def __init__(self, name, run, prepare=None):
        self.name, self.run, self.prepare = name, run, prepare
        self.runs = []

    def once(self):
        if self.prepare:
            self.prepare()
        self.runs.append(self.run())

    def median(self, figure):
        """The median of a figure over all runs; None where a run lacks it."""
        values = [getattr(run, figure) for run in self.runs]
        return None if not values or None in values else statistics.median(values)


def alternate(ours, peer, runs, warm_up=True):
    """Runs the two sides in turn, A B A B …, after one unmeasured run of each."""
    for round_number in range(runs + warm_up):
        for side in (ours, peer):
            side.once()
            if warm_up and round_number == 0:
                side.runs.clear()


class Sampler(threading.Thread):
    """Watches the resident memory of a process: its own peak as the kernel keeps it, and the largest anonymous part seen."""

    def __init__(self, pid, interval=0.005):
        super().__init__(daemon=True)
        self.pid, self.interval = pid, interval
        self.resident = self.anonymous = 0
        self.ended = threading.Event()

    def run(self):
        while not self.ended.is_set():
            sizes = status_of(self.pid)
            if not sizes:
                return
            self.resident = max(self.resident, sizes.get("VmHWM", 0))
            self.anonymous = max(self.anonymous, sizes.get("RssAnon", 0))
            time.sleep(self.interval)


def status_of(pid):
    """The sizes of a process in KiB, by the kernel's names; empty where it is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            pairs = (line.split() for line in file if line.startswith(("Vm", "Rss")))
            return {words[0].rstrip(":"): int(words[1]) for words in pairs}
    except (OSError, IndexError, ValueError):
        return {}


def timed(words, environment=None, output=os.devnull, sample=False, folder=None):
    """Runs a program to its end and returns what it took.

    `sample` watches its memory, which only makes sense for what lives longer than some milliseconds.
    """
    with open(output, "wb") as out:
        start = time.perf_counter()
        process = subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, cwd=folder)
        sampler = Sampler(process.pid) if sample else None
        if sampler:
            sampler.start()
        trouble = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if sampler:
        sampler.ended.set()
        sampler.join()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: exit {process.returncode}: {trouble.decode(errors='replace').strip()}")
    run = Run(wall, usage.ru_utime + usage.ru_stime)
    if sampler:
        run.resident, run.anonymous = sampler.resident, sampler.anonymous
    return run


def spawned(words, environment=None):
    """Runs a program of a few milliseconds to its end, with as little around it as there can be; returns what it took."""
    nothing = [(os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_RDWR, 0) for descriptor in (0, 1, 2)]
    start = time.perf_counter()
    pid = os.posix_spawnp(words[0], words, environment or os.environ, file_actions=nothing)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    if status != 0:
        raise RuntimeError(f"{' '.join(words)}: exit {os.waitstatus_to_exitcode(status)}")
    return Run(wall, usage.ru_utime + usage.ru_stime)


def peak_of(words, environment=None):
    """The peak resident memory of a short-lived program in KiB, measured by GNU time, which is smaller than this one."""
    done = subprocess.run(["/usr/bin/time", "-f", "%M", *words], env=environment, capture_output=True, text=True, check=True)
    return int(done.stderr.splitlines()[-1])
