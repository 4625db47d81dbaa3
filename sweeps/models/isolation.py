"""What one trial may not leave behind for the next."""

import contextlib
import os
import random
import sys
import warnings
from collections.abc import Iterator

import numpy as np


@contextlib.contextmanager
def isolated(seed: int) -> Iterator[None]:
    """Seed the global random states, and put back what code inside changed.

    Put back: the random states of ``random`` and ``numpy.random``, the working directory, the environment,
    warning filters. What is printed to stdout goes to stderr, as stdout belongs to the driver's answer.
    """
    folder, environment = _folder(), dict(os.environ)
    states = random.getstate(), np.random.get_state()  # the legacy state is what users share
    try:
        with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
            random.seed(seed)
            np.random.seed(seed % 2**32)
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        _restore(folder, environment)


def _folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109  # chdir takes it back as it is
    except FileNotFoundError:
        return None


def _restore(folder: str | None, environment: dict[str, str]) -> None:
    if folder is not None and _folder() != folder:
        with contextlib.suppress(FileNotFoundError):  # removed meanwhile: nowhere to go back to
            os.chdir(folder)
    if dict(os.environ) != environment:
        os.environ.clear()
        os.environ.update(environment)
