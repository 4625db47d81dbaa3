"""Keep training within its share of the machine."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any


@contextmanager
def limited(threads: int) -> Iterator[None]:
    """Hold BLAS, OpenMP and scikit-learn's own threads to ``threads``.

    Libraries imported inside are not limited: those are held by the environment the engine gives a worker.
    """
    from joblib import parallel_config

    # scikit-learn reads n_jobs=None as "what the context says"; "threading" starts no processes of its own
    with _pools(len(sys.modules)).limit(limits=threads), parallel_config(backend="threading", n_jobs=threads):
        yield


@lru_cache(maxsize=1)
def _pools(modules: int) -> Any:
    """Look for thread pools, anew only where modules came since: a look takes 5 ms, as long as small trials.

    Args:
        modules: how many are imported; the key of the cache.
    """
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]  # ships no types

    del modules
    return ThreadpoolController()
