"""Judge a candidate against a champion: the figures, the checks, the verdict, and the evidence of it."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweeps import registry
from sweeps.api.card import card
from sweeps.api.checks import check_alone, check_segment, check_segments, segments
from sweeps.api.finals import Chosen, held_out, predict, squared_errors
from sweeps.data.datasets import Dataset
from sweeps.errors import SweepsError, one_line
from sweeps.record import SweepRecord
from sweeps.selection import Verdict, verdict
from sweeps.selection.comparison import Comparison, compare
from sweeps.selection.gate import Check, Gate, decide
from sweeps.selection.optimism import optimism
from sweeps.selection.segments import Segment
from sweeps.tracking.schema import flat
from sweeps.tracking.store import Store


class Jury:
    """Judges one candidate, against whichever champion it meets.

    Args:
        store: where the models are.
        gate: the verdict asked for.
        record: the sweep.
        dataset: its data.
        chosen: its winner.
        logged: the winner's model, loaded back and compared.
        drift: how the rows it is judged on differ from those it learned from; None where that is not known.

    Raises:
        UsageError: the gate names a column that cannot be compared.
        StoreError: MLflow refuses.
    """

    def __init__(
        self,
        store: Store,
        gate: Gate,
        record: SweepRecord,
        dataset: Dataset,
        chosen: Chosen,
        logged: registry.LoggedModel,
        drift: Mapping[str, Any] | None = None,
    ) -> None:
        self._drift = drift
        self._store, self._gate, self._record, self._dataset = store, gate, record, dataset
        self.chosen, self.rows = chosen, held_out(dataset)
        check_segment(gate, dataset)
        self._own = (
            None if self.rows is None else squared_errors(predict(chosen.pipeline, self.rows), self.rows)
        )
        rows = self.rows or dataset.train
        self._checks = list(check_alone(store, gate, dataset, chosen, logged, rows))
        known = chosen.squared is not None and len(chosen.squared) > 1
        self._optimism = (
            optimism(chosen.squared, seed=self._seed) if known and chosen.squared is not None else None
        )

    @property
    def rmse(self) -> float | None:
        """Of the candidate, on the held-out rows; None where every row was trained on."""
        return None if self._own is None else float(np.sqrt(self._own.mean()))

    @property
    def digest(self) -> str:
        """Of the rows; empty where every row was trained on."""
        return "" if self.rows is None else self.rows.digest

    @property
    def _seed(self) -> int:
        """The same rows are drawn the same way, whoever judges."""
        return int(self.digest[:8] or "0", 16)

    def judge(self, rival: registry.Version | None) -> registry.Judged:
        """Judge the candidate against a version.

        Raises:
            BrokenModelError: that version's files are gone or changed.
        """
        theirs, trouble = (None, "") if rival is None else self._score(rival)
        comparison = self._compare(theirs)
        found = (
            []
            if self._own is None or self.rows is None
            else segments(self._gate, self.rows, self._own, theirs)
        )
        checks = [*self._checks, *check_segments(self._gate, found)]
        judged = self._decide(rival, trouble, comparison, checks)
        evidence = self._evidence(rival, judged, comparison, checks, found)
        fit = all(check.passed for check in self._checks)
        rmse = None if theirs is None else float(np.sqrt(theirs.mean()))
        return registry.Judged(judged, card(evidence), rmse, fit, evidence)

    def _compare(self, theirs: NDArray[np.float64] | None) -> Comparison | None:
        if self._own is None or theirs is None:
            return None
        return compare(self._own, theirs, confidence=self._gate.confidence, seed=self._seed)

    def _decide(
        self, rival: registry.Version | None, trouble: str, comparison: Comparison | None, checks: list[Check]
    ) -> Verdict:
        if rival is not None and trouble and self._gate.kind != "none":
            return verdict(0.0, None, trouble)
        decided = decide(self._gate, comparison, self._optimism, checks)
        if trouble and decided.alias == "champion":
            return Verdict("champion", f"no gate was asked for; the champion could not be scored: {trouble}")
        return decided

    def _score(self, rival: registry.Version) -> tuple[NDArray[np.float64] | None, str]:
        """Give the squared errors of a version on the rows, or why it cannot be scored."""
        if self.rows is None:
            return None, "every row was trained on; name test rows with --test"
        try:
            predicted = registry.predict_safely(self._store, rival.uri, self.rows.X)
            return squared_errors(predicted, self.rows), ""
        except registry.BrokenModelError:
            raise
        except Exception as error:  # noqa: BLE001  # a foreign model may raise anything; it then stays champion
            text = str(error) if isinstance(error, SweepsError) else f"{type(error).__name__}: {error}"
            return None, one_line(text)[:500]

    def _evidence(
        self,
        rival: registry.Version | None,
        judged: Verdict,
        comparison: Comparison | None,
        checks: list[Check],
        found: list[Segment],
    ) -> dict[str, Any]:
        winner, record = self.chosen.winner, self._record
        return {
            "verdict": judged.alias,
            "reason": judged.reason,
            "gate": asdict(self._gate),
            "champion": None if rival is None else {"version": rival.number, "run_id": rival.run_id},
            "rmse": self.rmse,
            "rows": self._rows(),
            "drift": self._drift,
            "comparison": None if comparison is None else {**asdict(comparison), "gain": comparison.gain},
            "selection": None
            if self._optimism is None
            else {**asdict(self._optimism), "excess": self._optimism.excess},
            "checks": [asdict(check) for check in checks],
            "segments": [{**asdict(segment), "loss": segment.loss} for segment in found],
            "sweep": {
                "run_id": record.run_id,
                "name": record.name,
                "experiment_id": record.experiment_id,
                "trial": winner.number,
                "trial_run_id": winner.trial.run_id,
            },
            "params": {key: str(value) for key, value in flat(winner.trial.proposal.params).items()},
            "validation_rmse": winner.outcome.rmse,
            "data": {
                "name": self._dataset.name,
                "digest": self._dataset.digest,
                "target": self._dataset.target,
            },
            "code": {
                "sweeps": record.extra.get("version"),
                "commit": record.extra.get("commit", ""),
                "space": record.extra.get("space"),
                "space_digest": record.extra.get("space_digest"),
            },
            "when": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "who": registry.who(),
        }

    def _rows(self) -> dict[str, Any] | None:
        if self.rows is None:
            return None
        split = "test" if self._dataset.test is not None else "validation"
        return {"split": split, "count": len(self.rows.y), "digest": self.rows.digest}
