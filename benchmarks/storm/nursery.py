"""Forks drivers from one process that has their imports: ``python -m benchmarks.storm.nursery MODULE``.

So a kill meets a driver at work, seldom one that imports. Each line on stdin is a JSON list and is answered:
``["start", FOLDER, WORD…]`` by the new driver's process id; ``["wait", PID, SECONDS]`` by its exit code, as
``subprocess`` gives it, or null while it runs.
"""

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Sequence
from typing import Any

LOOK_SECONDS = 0.005


def start(module: Any, folder: str, words: Sequence[str]) -> int:
    """Fork a driver; give its process id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.chdir(folder)
        _redirect()
        sys.argv = [module.__name__, *words]
        module.main()
        code = 0
    except BaseException:  # noqa: BLE001 - it must not return to the parent's loop
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def wait(pid: int, seconds: float) -> int | None:
    """Wait for a driver to end, at most so long; give its exit code, None while it runs."""
    until = time.monotonic() + seconds
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= until:
            return None
        time.sleep(LOOK_SECONDS)


def _redirect() -> None:
    output = os.open("output.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)


def main() -> None:
    """Serve until stdin ends."""
    module = importlib.import_module(f"benchmarks.storm.{sys.argv[1]}")
    for line in sys.stdin:
        what, *rest = json.loads(line)
        answer = start(module, rest[0], rest[1:]) if what == "start" else wait(*rest)
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
