"""How often the verdict is right, on models whose truth is known: ``python -m benchmarks.verdict``.

Pairs of simulated models that find the same rows hard. Equal ones should seldom be called different; better
ones should be found as often as a paired z test of so many rows can.
"""

import math
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from benchmarks.table import Table, parser, publish
from sweeps.selection.comparison import RESAMPLES, compare
from sweeps.selection.gate import Gate, decide
from sweeps.selection.optimism import optimism

ROWS = (88, 300, 1000)
GAINS = (0.0, 0.02, 0.05, 0.1)
FINALISTS = (2, 5, 10)
CONFIDENCE = 0.95


def errors(seed: int, rows: int, models: int = 2, better: float = 0.0) -> NDArray[np.float64]:
    """Give squared errors, (models, rows); the first model's rmse is lower by a share."""
    draw = np.random.default_rng(seed)
    own = 0.7 * draw.normal(size=rows) + 0.7 * draw.normal(size=(models, rows))
    own[0] *= 1 - better
    return np.asarray(own**2)


def possible(rows: int, better: float) -> float:
    """Give the share that a two-sided paired z test on the rmse finds, from a very large sample."""
    own, rival = errors(1, 1_000_000, better=better)
    rmses = math.sqrt(own.mean()), math.sqrt(rival.mean())
    spread = float(np.std(rival / (2 * rmses[1]) - own / (2 * rmses[0]))) / math.sqrt(rows)
    return float(norm.cdf((rmses[1] - rmses[0]) / spread - norm.ppf((1 + CONFIDENCE) / 2)))


def pairs(rows: int, better: float, times: int, resamples: int) -> list[object]:
    """Give a row of the first table."""
    found = [
        compare(*errors(seed, rows, better=better), confidence=CONFIDENCE, resamples=resamples, seed=seed)
        for seed in range(times)
    ]
    promoted = sum(one.low > 0 for one in found)
    worse = sum(one.high < 0 for one in found)
    expected = possible(rows, better) if better else (1 - CONFIDENCE) / 2
    shares = (promoted / times, worse / times, expected)
    return [rows, f"{100 * better:g} %", *(f"{100 * share:.1f} %" for share in shares)]


def choices(finalists: int, rows: int, times: int, resamples: int) -> list[object]:
    """Give a row of the second table: the best of some equal models against an equal champion."""
    gate, naive, judged, shown, honest = Gate("significant", CONFIDENCE), 0, 0, list[float](), list[float]()
    for seed in range(times):
        squared = errors(seed, rows, models=finalists + 1)
        chosen = optimism(squared[:-1], seed=seed)
        winner = squared[int(np.argmin(squared[:-1].mean(axis=1)))]
        found = compare(winner, squared[-1], confidence=CONFIDENCE, resamples=resamples, seed=seed)
        naive += decide(gate, found, None, []).alias == "champion"
        judged += decide(gate, found, chosen, []).alias == "champion"
        shown.append(chosen.rmse)
        honest.append(chosen.honest_rmse)
    truth = math.sqrt(0.98)
    figures = [100 * (float(np.mean(one)) / truth - 1) for one in (shown, honest)]
    shares = [f"{100 * number / times:.1f} %" for number in (naive, judged)]
    return [finalists, rows, *(f"{one:+.2f} %" for one in figures), *shares]


def timing(sizes: Sequence[int]) -> list[list[object]]:
    """Give the rows of the third table."""
    rows = list[list[object]]()
    for size in sizes:
        squared = errors(0, size, models=6)
        started = time.perf_counter()
        compare(squared[0], squared[1])
        between = time.perf_counter()
        optimism(squared[:5])
        rows.append([size, between - started, time.perf_counter() - between])
    return rows


def main() -> None:
    """Measure, print and publish."""
    options = parser(__doc__)
    options.add_argument("--pairs", type=int, default=2000, help="simulated pairs per row of a table")
    options.add_argument("--resamples", type=int, default=2000, help="of each bootstrap")
    options.add_argument("--sizes", default="1000,60000,1000000", help="rows of the timed verdicts")
    given = options.parse_args()
    times, resamples = given.pairs, given.resamples
    equal = [pairs(rows, better, times, resamples) for rows in ROWS for better in GAINS]
    chosen = [choices(finalists, 300, max(times // 4, 1), resamples) for finalists in FINALISTS]
    tables = [
        Table(
            f"Share of {times} simulated pairs called better or worse, interval of {100 * CONFIDENCE:g} %",
            ["rows", "truly better by", "called better", "called worse", "possible"],
            equal,
            ["possible: what a paired z test of so many rows finds; of equal models 2.5 % on each side."],
        ),
        Table(
            "The best of several equal models against an equal champion",
            ["finalists", "rows", "rmse shown", "cross-fitted", "promoted uncorrected", "corrected"],
            chosen,
            ["The first two figures are relative to the true rmse. Nobody should be promoted."],
        ),
        Table(
            f"Seconds of a verdict, {RESAMPLES} resamples",
            ["rows", "comparison", "selection effect of 5 finalists"],
            timing([int(size) for size in given.sizes.split(",")]),
        ),
    ]  # fmt: skip
    about = "Verdicts on simulated models whose truth is known."
    publish("verdict", about, tables, folder=given.out)


if __name__ == "__main__":
    main()
