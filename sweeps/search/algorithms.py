"""The search algorithms by name, apart from the searcher: its import takes a second, a mistake should not."""

from sweeps.errors import UsageError, unknown

ALGORITHMS = {
    "tpe": "sweeps.search.tpe:suggest",
    "random": "sweeps.search.suggest:random",
    "anneal": "sweeps.search.suggest:anneal",
    "mix": "sweeps.search.suggest:mix",
    "atpe": "sweeps.search.adaptive_tpe:suggest",
}
"""The module and the function of each; its keyword-only arguments are the algorithm's options."""


def check_algorithm(name: str) -> None:
    """Refuse an unknown algorithm.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in ALGORITHMS:
        raise UsageError("--algo", unknown("algorithm", name, ALGORITHMS))
