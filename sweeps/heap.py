"""What Python's garbage collector need not look at, or not so often."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def set_aside() -> Iterator[None]:
    """Leave what is there now out of the collections of this context.

    A full collection looks at every object, most of which are those of the libraries: it stops all threads of
    a driver for some tenths of a second, and every slot that waits for one of them. Nothing is leaked: the
    objects are looked at again afterwards. Where somebody set objects aside already, it is left to them.
    """
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def collect_seldom() -> None:
    """Look for garbage after 10 000 new objects, not after hundreds: for a process of our own.

    The libraries' imports and the rows of a store are objects by the hundred thousand, and none of them is
    garbage. Commands spend an eighth of their CPU time less: ``sweeps show`` of 10 000 trials 4.8 s, not 5.5.
    """
    gc.set_threshold(10_000, 10, 10)


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no garbage in this context, which is short and makes none, as imports do."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()
