"""Searcher: ask and tell over Hyperopt's algorithms. Hyperopt proposes; nothing else here decides.

The searcher is a function of its history: at each ask Hyperopt's ``Trials`` are rebuilt from what was asked
and told, sorted by number. So the order of tells cannot matter, telling twice is telling once, and a replayed
history proposes what the original would have (docs/decisions/0002-searcher-is-a-function-of-history.md).
"""

import functools
import importlib
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import hyperopt
import numpy as np
from hyperopt import pyll
from hyperopt.base import (
    JOB_STATE_DONE,
    JOB_STATE_RUNNING,
    STATUS_FAIL,
    STATUS_NEW,
    STATUS_OK,
    Domain,
    Trials,
)

from sweeps.errors import UsageError, unknown
from sweeps.search.algorithms import ALGORITHMS, check_algorithm
from sweeps.space.search_space import SearchSpace
from sweeps.trial import Outcome, Point, Proposal, State

MIX_SHARES = ((0.1, "random"), (0.2, "anneal"), (0.7, "tpe"))
"""Hyperopt's own example of ``mix``: mostly TPE, some exploration."""

_LEAST = {"avg_best_idx": 1}
"""The mean of a geometric distribution over 1, 2, …"""

_NOT_OPTIONS = frozenset({"new_ids", "domain", "trials", "seed", "verbose", "args", "kwargs", "p_suggest"})


class Searcher:
    """Proposes points of a search space, given the outcomes of earlier ones.

    With one trial at a time and without ``FIRST``, the points are exactly those of
    ``hyperopt.fmin(space, algo=..., rstate=numpy.random.default_rng(seed))``; with complete ``FIRST`` points,
    those of ``fmin(..., points_to_evaluate=...)``.

    Args:
        space: where to search.
        algo: one of ``sweeps.search.algorithms.ALGORITHMS``.
        seed: all draws derive from it.
        options: settings of the algorithm as text, for example ``{"n_startup_jobs": "10"}``.

    Raises:
        UsageError: an unknown algorithm or option, or an option's value of the wrong type.
    """

    def __init__(
        self, space: SearchSpace, algo: str = "tpe", seed: int = 0, options: Mapping[str, str] | None = None
    ) -> None:
        self._space, self._seed = space, seed
        self._suggest = algorithm(algo, options or {})
        self._domain = Domain(lambda _: None, space.expression)
        self._first = space.first_points()
        self._rng = np.random.default_rng(seed)
        self._draws: list[int] = []
        self._asked: dict[int, Point] = {}
        self._told: dict[int, float | None] = {}

    def ask(self, number: int) -> Proposal:
        """Propose the point of trial ``number``, which counts as running from now on.

        Raises:
            ValueError: that number was asked before.
        """
        if number in self._asked:
            raise ValueError(f"trial {number} was asked before")
        proposal = self.preview(number)
        self.remember(proposal)
        return proposal

    def preview(self, number: int) -> Proposal:
        """Give what ``ask(number)`` would propose now, without counting it as asked."""
        point = self._first_point(number) if number < len(self._first) else self._suggested(number)
        return Proposal(number, point, self._space.params(point), trial_seed(self._seed, number))

    def remember(self, proposal: Proposal) -> None:
        """Take over a proposal of an earlier session as if it had been asked here."""
        self._asked[proposal.number] = proposal.point

    def tell(self, number: int, outcome: Outcome) -> None:
        """Report how trial ``number`` ended; saying the same twice is saying it once.

        Raises:
            ValueError: the number was never asked, was told otherwise, or the engine lost the trial.
        """
        if number not in self._asked:
            raise ValueError(f"trial {number} was never asked")
        if outcome.state is State.LOST:
            raise ValueError(
                f"trial {number} was lost by the engine: try it again, there is nothing to learn"
            )
        loss = outcome.rmse if outcome.state in (State.COMPLETE, State.PRUNED) else None
        if self._told.setdefault(number, loss) != loss:
            raise ValueError(f"trial {number} was told {self._told[number]}, now {loss}")

    def _suggested(self, number: int) -> Point:
        docs = self._suggest([number], self._domain, self._trials(), self._draw(number - len(self._first)))
        return _active(docs[0]["misc"]["vals"])

    def _draw(self, index: int) -> int:
        """Give the ``index``-th seed that ``fmin`` would draw."""
        while len(self._draws) <= index:
            self._draws.append(int(self._rng.integers(2**31 - 1)))
        return self._draws[index]

    def _first_point(self, number: int) -> Point:
        """Complete the user's point by draws: those of its branch of every choice it fixes."""
        wanted = self._first[number]
        switches = _switches(self._domain.expr) & wanted.keys()
        for attempt in range(100_000):
            seed = trial_seed(self._seed, number) + attempt
            docs = hyperopt.rand.suggest([number], self._domain, Trials(), seed)
            drawn = _active(docs[0]["misc"]["vals"])
            if all(drawn.get(label) == wanted[label] for label in switches):
                return drawn | {label: value for label, value in wanted.items() if label in drawn}
        raise UsageError(
            f"space {self._space.name}", f"no draw agrees with FIRST[{number}] = {wanted}", "correct FIRST"
        )

    def _trials(self) -> Trials:
        trials = Trials()
        docs = [self._doc(trials, number) for number in sorted(self._asked)]
        trials.insert_trial_docs(docs)
        trials.refresh()
        return trials

    def _doc(self, trials: Trials, number: int) -> dict[str, Any]:
        point = self._asked[number]
        misc = {
            "tid": number,
            "cmd": self._domain.cmd,
            "workdir": None,
            "idxs": {label: [number] if label in point else [] for label in self._domain.params},
            "vals": {label: [point[label]] if label in point else [] for label in self._domain.params},
        }
        [doc] = trials.new_trial_docs([number], [None], [self._result(number)], [misc])
        doc["state"] = JOB_STATE_DONE if number in self._told else JOB_STATE_RUNNING
        return dict(doc)

    def _result(self, number: int) -> dict[str, Any]:
        if number not in self._told:
            return {"status": STATUS_NEW}
        loss = self._told[number]
        return {"status": STATUS_FAIL} if loss is None else {"status": STATUS_OK, "loss": loss}


def trial_seed(seed: int, number: int) -> int:
    """Derive the seed of a trial's training from the sweep's: independent streams, reproducible alone."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0] >> 1)


def algorithm(name: str, options: Mapping[str, str]) -> Callable[..., Any]:
    """Give Hyperopt's ``suggest`` function of that name with its options bound.

    Raises:
        UsageError: the name or an option is unknown, a value does not fit, or its package is not installed.
    """
    check_algorithm(name)
    suggest = _import_suggest(name)
    known = _options(name, suggest)
    bound: dict[str, Any] = {key: _option(name, key, text, known) for key, text in options.items()}
    if name == "mix":
        bound["p_suggest"] = [(share, _import_suggest(part)) for share, part in MIX_SHARES]
    if "verbose" in inspect.signature(suggest).parameters:
        bound["verbose"] = False
    return functools.partial(suggest, **bound)


def _import_suggest(name: str) -> Callable[..., Any]:
    try:
        module = importlib.import_module(ALGORITHMS[name])
    except ImportError as error:
        raise UsageError(
            f"--algo {name}", f"package {error.name!r} is not installed", f"pip install 'sweeps[{name}]'"
        ) from error
    except OSError as error:  # a shared library of the package is missing
        raise UsageError(f"--algo {name}", f"cannot be loaded: {error}", "install what it misses") from error
    suggest: Callable[..., Any] = module.suggest
    return suggest


def _options(name: str, suggest: Callable[..., Any]) -> dict[str, Any]:
    """Map each option of an algorithm to its default."""
    source = suggest
    if name == "anneal":  # its suggest passes everything on to the class
        source = hyperopt.anneal.AnnealingAlgo.__init__
    parameters = inspect.signature(source).parameters.values()
    return {p.name: p.default for p in parameters if p.name not in _NOT_OPTIONS | {"self"}}


def _option(algo: str, key: str, text: str, known: Mapping[str, Any]) -> float:
    if key not in known:
        raise UsageError(f"--algo-option {key}", unknown(f"option of {algo}", key, known))
    kind = int if isinstance(known[key], int) else float
    least = _LEAST.get(key, 0)
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not math.isfinite(value) or not (value >= least if least else value > 0):
        noun = "a whole number" if kind is int else "a number"
        bound = f"of at least {least}" if least else "above 0"
        raise UsageError(
            f"--algo-option {key}", f"must be {noun} {bound}, got {text!r}", f"{key}={known[key]}"
        )
    return value


def _active(values: Mapping[str, list[Any]]) -> dict[str, float | int]:
    """Keep the labels that Hyperopt drew, as Python numbers."""
    return {label: _number(drawn[0]) for label, drawn in values.items() if len(drawn)}


def _number(value: Any) -> float | int:
    number: float | int = value.item() if isinstance(value, np.generic) else value
    return number


def _switches(expression: Any) -> set[str]:
    """Labels whose value decides which other labels are active: those of ``hp.choice`` and its kind."""
    nodes = [node for node in pyll.dfs(expression) if node.name == "switch"]
    return {node.pos_args[0].arg["label"].obj for node in nodes if node.pos_args[0].name == "hyperopt_param"}
