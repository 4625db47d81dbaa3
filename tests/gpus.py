"""GPUs for tests on machines that have none: a program that lists them, and nothing else of them."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

TWO = (
    "GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-11111111-aaaa-bbbb-cccc-000000000001)",
    "GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-22222222-aaaa-bbbb-cccc-000000000002)",
)
FIRST, SECOND = "GPU-11111111-aaaa-bbbb-cccc-000000000001", "GPU-22222222-aaaa-bbbb-cccc-000000000002"
DIVIDED = (
    TWO[0],
    "  MIG 1g.5gb      Device  0: (UUID: MIG-33333333-aaaa-bbbb-cccc-000000000003)",
    "  MIG 1g.5gb      Device  1: (UUID: MIG-GPU-11111111-aaaa-bbbb-cccc-000000000001/7/0)",
    TWO[1],
)


def fake_gpus(folder: Path, lines: Sequence[str] = TWO, code: int = 0) -> str:
    """Make an ``nvidia-smi`` that lists GPUs; give the ``PATH`` on which it comes first."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "nvidia-smi"
    (folder / "listed").write_text("".join(f"{line}\n" for line in lines))
    program.write_text(f'#!/bin/sh\n[ "$1" = -L ] && cat "{folder}/listed"\nexit {code}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return os.pathsep.join([str(folder), os.environ["PATH"]])
