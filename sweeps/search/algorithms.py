"""The search algorithms by name, apart from the searcher: its import takes a second, a mistake should not."""

from sweeps.errors import UsageError, unknown

ALGORITHMS = {
    "tpe": "hyperopt.tpe",
    "random": "hyperopt.rand",
    "anneal": "hyperopt.anneal",
    "mix": "hyperopt.mix",
    "atpe": "sweeps.search.adaptive_tpe",
}
"""The module that holds each one's ``suggest``."""


def check_algorithm(name: str) -> None:
    """Refuse an unknown algorithm.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in ALGORITHMS:
        raise UsageError("--algo", unknown("algorithm", name, ALGORITHMS))
