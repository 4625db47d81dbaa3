"""How tests end what they began: with all it started itself, and never without a limit."""

import os
import signal
import subprocess
from contextlib import suppress
from typing import Any

SECONDS = 30
"""After which what was killed, or asked to end, must have ended."""


def end(process: "subprocess.Popen[Any]") -> tuple[Any, Any]:
    """Kill a process, and where it leads a group all of that group; give what it said last.

    What it started outside of its group may still hold its streams: then that is an error, and no hang.
    """
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    return process.communicate(timeout=SECONDS)
