"""Search spaces and histories made at random, for laws that hold for all of them."""

import itertools
import random
from collections.abc import Iterator
from typing import Any

from hyperopt import STATUS_FAIL, STATUS_NEW, STATUS_OK, Trials, hp
from hyperopt.base import JOB_STATE_DONE, Domain
from hyperopt.pyll import scope

from sweeps.search.history import History
from sweeps.space.draws import random_points
from sweeps.trial import Point

LEAVES = {
    "uniform": lambda label: hp.uniform(label, -3, 3),
    "by name": lambda label: hp.uniform(label, low=0, high=1),
    "quniform": lambda label: hp.quniform(label, 0, 10, 2),
    "uneven": lambda label: hp.quniform(label, -0.3, 0.35, 0.1),
    "whole": lambda label: scope.int(hp.quniform(label, 1, 40, 3)),
    "uniformint": lambda label: hp.uniformint(label, 1, 9),
    "loguniform": lambda label: hp.loguniform(label, -3, 1),
    "qloguniform": lambda label: hp.qloguniform(label, 0, 4, 1),
    "down to 0": lambda label: hp.qloguniform(label, -2, 1, 0.5),
    "normal": lambda label: hp.normal(label, 1, 2),
    "qnormal": lambda label: hp.qnormal(label, 0, 5, 1),
    "lognormal": lambda label: hp.lognormal(label, 0, 1),
    "qlognormal": lambda label: hp.qlognormal(label, 1, 1, 1),
    "often 0": lambda label: hp.qlognormal(label, -1, 1, 1),
    "randint": lambda label: hp.randint(label, 7),
    "offset": lambda label: hp.randint(label, 3, 9),
    "choice": lambda label: hp.choice(label, [10, 20.0, "thirty"]),
    "pchoice": lambda label: hp.pchoice(label, [(0.2, 1), (0.7, 2), (0.1, None)]),
}
"""Every distribution of Hyperopt, some with odd arguments; each takes its label."""


def make_space(rng: random.Random) -> dict[str, Any]:
    """Nested dicts, lists, choices and constants around leaves; one leaf is shared by two options."""
    labels = (f"x{number}" for number in itertools.count())
    shared = rng.choice(list(LEAVES.values()))("shared")
    options = [{"a": shared, "only": _expression(rng, labels, 2)}, {"b": shared}, "neither"]
    parts = {f"key{i}": _expression(rng, labels, 0) for i in range(rng.randint(1, 4))}
    return {**parts, "sharing": hp.choice("sharing", options)}


def _expression(rng: random.Random, labels: Iterator[str], depth: int) -> Any:
    kind, parts = rng.random(), rng.randint(1, 3)
    if depth == 3 or kind < 0.4:
        return rng.choice(list(LEAVES.values()))(next(labels))
    if kind < 0.5:
        return rng.choice(["constant", 3, None])
    inner = [_expression(rng, labels, depth + 1) for _ in range(parts)]
    if kind < 0.6:
        return inner
    if kind < 0.75:
        return {f"key{i}": part for i, part in enumerate(inner)}
    if kind < 0.9:
        return hp.choice(next(labels), inner)
    weights = [rng.randint(1, 9) for _ in inner]
    shares = [weight / sum(weights) for weight in weights]
    return hp.pchoice(next(labels), list(zip(shares, inner, strict=True)))


def make_history(rng: random.Random, domain: Domain, count: int, limit: int = 500) -> tuple[History, Trials]:
    """The same trials as we keep them and as Hyperopt does; some failed, some run, some losses are equal."""
    history, trials = History(domain, 0, limit), Trials()
    docs = []
    for number, point in enumerate(random_points(domain, count, rng.randrange(1000))):
        history.remember(number, point)
        state = rng.choices([STATUS_OK, STATUS_FAIL, STATUS_NEW], [8, 1, 1])[0]
        loss = rng.choice([1.0, rng.gauss(0, 1), rng.gauss(0, 1)]) if state == STATUS_OK else None
        if state != STATUS_NEW:
            history.tell(number, loss)
        result = {"status": state} if loss is None else {"status": state, "loss": loss}
        docs += trials.new_trial_docs([number], [None], [result], [_misc(domain, number, point)])
        docs[-1]["state"] = JOB_STATE_DONE
    trials.insert_trial_docs(docs)
    trials.refresh()
    return history, trials


def _misc(domain: Domain, number: int, point: Point) -> dict[str, Any]:
    return {
        "tid": number,
        "cmd": domain.cmd,
        "workdir": None,
        "idxs": {label: [number] if label in point else [] for label in domain.params},
        "vals": {label: [point[label]] if label in point else [] for label in domain.params},
    }
