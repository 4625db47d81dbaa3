"""Which GPUs this machine has for trials; each trial gets one to itself.

See ``docs/decisions/0036-a-gpu-for-each-trial.md``.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from itertools import takewhile

from sweeps.errors import UsageError
from sweeps.wording import counted

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""The variable by which CUDA is told what a process may use."""
ASKING = 30.0
"""Seconds that ``nvidia-smi`` gets to answer: where the driver is not kept loaded, it loads it first."""
_ID = re.compile(r"\d+|(GPU|MIG)-[\w/-]+")
_LINE = re.compile(r"\s*(GPU|MIG)\b.*\(UUID: ((?:GPU|MIG)-[\w/-]+)\)\s*")
"""Of ``nvidia-smi -L``; the instances that a GPU is divided into stand below it."""
_WHERE = "run it where nvidia-smi -L lists one, or leave --device out"


def visible_gpus() -> tuple[str, ...]:
    """Give the GPUs that this process may use, by the names that CUDA takes; empty where there are none.

    Those of ``CUDA_VISIBLE_DEVICES`` where it is set, in its order, else all that ``nvidia-smi`` lists. Of
    a GPU that is divided (MIG) the instances count, not the whole.
    """
    named = os.environ.get(VISIBLE)
    return tuple(dict.fromkeys(_listed(_asked()) if named is None else _named(named)))


def gpus_for(workers: int | None) -> tuple[str, ...]:
    """Give a GPU of this machine for each trial at once.

    Args:
        workers: trials at once; None for as many as there are GPUs.

    Raises:
        UsageError: there is none, or fewer than trials.
    """
    found = visible_gpus()
    if not found:
        raise UsageError("--device cuda", f"no GPU here: {_why_none()}", _WHERE)
    if workers is not None and workers > len(found):
        wrong = f"each trial gets a GPU to itself, and there {_are(len(found))}, not {workers}"
        raise UsageError(f"--workers {workers}", wrong, f"pass {len(found)} at most, or leave it out")
    return found[:workers]


def _named(value: str) -> Iterator[str]:
    """As CUDA reads it: the list ends before the first word that is no GPU, such as -1."""
    return takewhile(_ID.fullmatch, (word.strip() for word in value.split(",")))


def _listed(answer: str) -> Iterator[str]:
    whole = ""
    for kind, name in (found.groups() for line in answer.splitlines() if (found := _LINE.fullmatch(line))):
        if kind == "MIG":
            yield name
        elif whole:
            yield whole
        whole = name if kind == "GPU" else ""
    if whole:
        yield whole


def _asked() -> str:
    """Give what ``nvidia-smi`` lists; empty where it is not installed, or finds no driver."""
    try:
        done = subprocess.run(
            ["nvidia-smi", "-L"],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=ASKING,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _why_none() -> str:
    named = os.environ.get(VISIBLE)
    return "nvidia-smi lists none" if named is None else f"{VISIBLE}={named[:80]!r} names none"


def _are(count: int) -> str:
    return f"{'is' if count == 1 else 'are'} {counted(count, 'GPU')} here"
