"""Inputs of the benchmarks, made once under .build/bench and the same in every run."""
import os
import random
import shutil

BLOCK = 1 << 20


def large_file(folder, size):
    """One file of random bytes; returns its path."""
    path = os.path.join(folder, f"large-{size}.bin")
    if not os.path.exists(path):
        generator = random.Random(1)
        with open(path + ".new", "wb") as file:
            for start in range(0, size, BLOCK):
                file.write(generator.randbytes(min(BLOCK, size - start)))
        os.rename(path + ".new", path)
    return path


def small_files(folder, count, size=4096):
    """A directory of many small files in sub-directories of 100; returns its path."""
    path = os.path.join(folder, f"small-{count}")
    if not os.path.isdir(path):
        generator = random.Random(2)
        shutil.rmtree(path + ".new", ignore_errors=True)
        for number in range(count):
            parent = os.path.join(path + ".new", f"{number // 100:04}")
            os.makedirs(parent, exist_ok=True)
            with open(os.path.join(parent, f"{number:06}"), "wb") as file:
                file.write(generator.randbytes(size))
        os.rename(path + ".new", path)
    return path


def mixed_directory(folder, size):
    """A directory of half text and half programs and libraries of this machine; returns its path."""
    path = os.path.join(folder, f"mixed-{size}")
    if not os.path.isdir(path):
        shutil.rmtree(path + ".new", ignore_errors=True)
        _write_text(os.path.join(path + ".new", "text"), size // 2)
        _copy_binaries(os.path.join(path + ".new", "binaries"), size - size // 2)
        os.rename(path + ".new", path)
    return path


def _write_text(folder, size):
    """Lines as a log has them: times, levels, words that come again and again, and numbers that do not."""
    os.makedirs(folder)
    generator = random.Random(3)
    words = ["".join(generator.choices("abcdefghijklmnopqrstuvwxyz", k=generator.randint(3, 9))) for _ in range(4000)]
    left, number = size, 0
    while left > 0:
        with open(os.path.join(folder, f"{number:03}.log"), "w", encoding="ascii") as file:
            length = min(left, 8 * BLOCK)
            written = 0
            while written < length:
                line = (f"2026-01-{generator.randint(1, 28):02}T{generator.randint(0, 23):02}:00:00Z level=INFO id={generator.getrandbits(48):012x} "
                        + " ".join(generator.choices(words, k=8)) + "\n")
                written += file.write(line)
        left -= length
        number += 1


def _copy_binaries(folder, size):
    os.makedirs(folder)
    left = size
    for root in ("/usr/bin", "/usr/lib"):
        for parent, folders, names in os.walk(root):
            folders.sort()
            for name in sorted(names):
                source = os.path.join(parent, name)
                if os.path.islink(source) or not os.path.isfile(source) or not 0 < os.path.getsize(source) <= left:
                    continue
                left -= os.path.getsize(source)
                target = os.path.join(folder, os.path.relpath(source, "/usr"))
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copyfile(source, target)
