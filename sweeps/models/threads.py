"""Keep training within its share of the machine."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def limited(threads: int) -> Iterator[None]:
    """Hold BLAS, OpenMP and scikit-learn's own threads to ``threads``.

    Libraries imported inside are not limited: those are held by the environment the engine gives a worker.
    """
    from joblib import parallel_config
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

    # scikit-learn reads n_jobs=None as "what the context says"; "threading" starts no processes of its own
    with threadpool_limits(threads), parallel_config(backend="threading", n_jobs=threads):
        yield
