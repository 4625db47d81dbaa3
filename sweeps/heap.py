"""The objects that were there before: nothing that Python's garbage collector need look at again."""

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
