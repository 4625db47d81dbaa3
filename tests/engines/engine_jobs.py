"""What the tests run on engines: importable by name in every process."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from sweeps.aside import aside
from sweeps.shared import here

STATE = "fresh"


class TwoArgumentsError(Exception):
    def __init__(self, one, two):
        super().__init__(one)


def double(number):
    return number * 2


def pid(_):
    return os.getpid()


def busy(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def fail(kind):
    if kind == "two arguments":
        raise TwoArgumentsError("first", "second")
    if kind == "exit":
        sys.exit(3)
    raise ValueError(f"bad {kind}")


def unpicklable(_):
    return lambda: None


def large(size):
    return bytes(size)


def span(_):
    begin = time.monotonic()
    sum(range(300_000))
    return begin, time.monotonic()


def note(path):
    """Leave a line, so that starts can be counted."""
    with Path(path).open("a") as file:
        file.write(f"{os.getpid()}\n")


def die(path_and_signal):
    path, number = path_and_signal
    note(path)
    os.kill(os.getpid(), number)
    signal.pause()


def leave(code):
    os._exit(code)


def hang(fifo):
    """Tell the process's id through the fifo, then never return."""
    Path(fifo).write_text(str(os.getpid()))
    while True:
        signal.pause()


def hang_with_child(fifo):
    child = subprocess.Popen(["sleep", "1000"])
    Path(fifo).write_text(str(child.pid))
    signal.pause()


def die_beside_child(fifo):
    child = subprocess.Popen(["sleep", "1000"])
    Path(fifo).write_text(str(child.pid))
    os._exit(3)


def meet(fifos):
    """Say that it runs, wait to be told to go on."""
    started, go_on = fifos
    Path(started).write_text("here")
    return Path(go_on).read_text()


def meet_on_gpu(fifos):
    """Say which GPU it sees, wait to be told to go on."""
    started, go_on = fifos
    Path(started).write_text(os.environ.get("CUDA_VISIBLE_DEVICES", "all"))
    return Path(go_on).read_text()


def interrupt(_):
    signal.raise_signal(signal.SIGINT)


def look(_):
    """What this process is like."""
    import numpy as np

    heavy = [name for name in ("mlflow", "pandas", "sklearn") if name in sys.modules]
    return {
        "pid": os.getpid(),
        "state": STATE,
        "environ": dict(os.environ),
        "heavy": heavy,
        "sigint_ignored": signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
        "numpy": np.__name__,
    }


def speak(text):
    os.write(1, text.encode())
    return text


def remark(fifo):
    """Say something in passing, go on when told to, and return."""
    aside(("round 1", 2.5))
    Path(fifo).read_text()
    return "done"


def chatter(number):
    """Say a lot, from a thread and from a fork, too."""
    for step in range(number):
        aside((f"round {step}", 1.0))
    if os.fork() == 0:
        for step in range(number):
            aside(("fork", step))
        os._exit(0)
    os.wait()
    thread = threading.Thread(target=aside, args=(("thread", 0.0),))
    thread.start()
    thread.join(30)
    return number


def note_and_meet(paths):
    """Leave a line, say that it runs, wait to be told to go on."""
    starts, *fifos = paths
    note(starts)
    return meet(fifos)


def contents(folder):
    """The files of a folder of the driver, as a task finds them, and where."""
    there = Path(here(str(folder)))
    return there, {path.relative_to(there).as_posix(): path.read_bytes() for path in there.rglob("*.txt")}
