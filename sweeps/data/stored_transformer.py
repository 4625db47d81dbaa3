"""A fitted transformer as bytes that hold no code: skops' format, with no types but those listed here."""

from typing import Any

from sweeps.data.cache_entries import NotStorableError

_TRUSTED = ("operator.attrgetter", "operator.methodcaller", "numpy.dtype")
"""Of automatic features and recipes; skops itself trusts scikit-learn's, NumPy's and SciPy's."""


def dump_transformer(transformer: Any) -> bytes:
    """Give the bytes for ``load_transformer``.

    Raises:
        NotStorableError: it has parts that skops cannot write, or not load without trusting the file.
    """
    from skops.io import dumps, get_untrusted_types

    try:
        data: bytes = dumps(transformer)
    except Exception as error:
        raise NotStorableError(f"{type(transformer).__name__}: {error}") from error
    if odd := set(get_untrusted_types(data=data)) - set(_TRUSTED):
        raise NotStorableError(f"{type(transformer).__name__}: {', '.join(sorted(odd))}")
    return data


def load_transformer(data: bytes) -> Any:
    """Load what ``dump_transformer`` gave; imports scikit-learn.

    Raises:
        skops.io.exceptions.UntrustedTypesFoundException: the bytes were not made by it.
    """
    from skops.io import loads

    return loads(data, trusted=list(_TRUSTED))
